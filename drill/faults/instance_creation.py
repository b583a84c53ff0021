"""Makes the writer instance of the cluster that the same run restored.

A restored cluster has none, and until it has one its endpoints answer nobody.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill.faults import databases
from drill.faults.cluster_restore import ENGINE
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    TAGGED_AS_MADE,
    Call,
    DeadMan,
    Fault,
    Intent,
    Resource,
)
from drill.faults.made import ANY, name_of
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


def instance_of(run_id: str) -> str:
    """Return the name of the instance that a run makes in its cluster."""
    return f"{name_of(run_id)}-1"


@dataclass(frozen=True, slots=True)
class InstanceCreation(Fault):
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
    def undo_within_s(self) -> float:
        """What deleting it may take."""
        return self.delete_s

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none is needed: an instance of a restored cluster breaks nothing; at worst it is left over and "
            "paid for, and drill recover removes it"
        )

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return no calls: nothing is broken."""
        return DeadMan((), self.dead_man_note)

    def describe(self) -> str:
        """Say what is made."""
        return f"the restored cluster in {self.region} gets a writer of the class {self.instance_class}"

    def touches(self) -> tuple[Resource, ...]:
        """Return nothing: the cluster is the drill's own."""
        return ()

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return nothing: there is no such instance before."""
        return {}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Have the instance begun."""
        name = instance_of(intent.run_id)
        aws.client("rds", self.region).create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=name_of(intent.run_id),
            Engine=ENGINE,
            DBInstanceClass=self.instance_class,
            PubliclyAccessible=False,
            Tags=databases.tags(intent.run_id, name),
        )

    def ready(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether the instance is available."""
        name = instance_of(run_id)
        found = databases.instance(aws, self.region, name)
        return databases.available(found, "DBInstanceStatus", f"instance {name}", self._see(name))

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete it; a cluster's last instance needs no final snapshot."""
        name = instance_of(run_id)
        found = databases.instance(aws, self.region, name)
        if databases.foreign(found, run_id):
            return databases.drift("instance", name, self._see(name))
        client = aws.client("rds", self.region)
        databases.delete(
            found,
            "DBInstanceStatus",
            lambda: client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True),
        )
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether it is gone."""
        return databases.gone(lambda: databases.instance(aws, self.region, instance_of(run_id)), run_id)

    def _see(self, name: str) -> str:
        return f"aws rds describe-db-instances --region {self.region} --db-instance-identifier {name}"
