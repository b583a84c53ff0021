"""Makes the writer instance of the cluster that the same run restored.

A restored cluster has none, and until it has one its endpoints answer nobody.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill.faults import databases
from drill.faults.cluster_restore import ENGINE
from drill.faults.contract import MADE_BY_A_DRILL, TAGGED_AS_MADE, Call, Intent
from drill.faults.made import ANY, name_of
from drill.faults.made_in_rds import INSTANCE, MadeInRds
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class InstanceCreation(MadeInRds):
    """Makes one instance.

    Attributes:
        region: Where the restored cluster is.
        instance_class: For example ``db.serverless``.
        delete_s: How long deleting it may take.

    """

    region: str
    instance_class: str = "db.serverless"
    delete_s: float = 900.0

    kind = "instance-creation"
    made = INSTANCE

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads, and writes of what carries a drill's tag."""
        rds = f"arn:{{partition}}:rds:{self.region}:{{account}}"
        cluster, instances = (f"{rds}:cluster:{ANY}",), (f"{rds}:db:{ANY}",)
        create, describe = "CreateDBInstance", "DescribeDBInstances"
        return (
            Call("inject", "rds", create, cluster, MADE_BY_A_DRILL),
            Call("inject", "rds", create, instances, TAGGED_AS_MADE),
            Call("inject", "rds", create, instances, TAGGED_AS_MADE, ("rds:AddTagsToResource",)),
            Call("inject", "rds", describe, instances),
            Call("undo", "rds", describe, instances),
            Call("undo", "rds", "DeleteDBInstance", instances, MADE_BY_A_DRILL),
            Call("undone", "rds", describe, instances),
        )

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none is needed: an instance of a restored cluster breaks nothing; at worst it is left over and "
            "paid for, and drill recover removes it"
        )

    def describe(self) -> str:
        """Say what is made."""
        return f"the restored cluster in {self.region} gets a writer of the class {self.instance_class}"

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return nothing: there is no such instance before."""
        return {}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Have the instance begun."""
        name = self.made.name(intent.run_id)
        aws.client("rds", self.region).create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=name_of(intent.run_id),
            Engine=ENGINE,
            DBInstanceClass=self.instance_class,
            PubliclyAccessible=False,
            Tags=databases.tags(intent.run_id, name),
        )
