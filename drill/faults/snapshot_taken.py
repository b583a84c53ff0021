"""Takes a manual snapshot of a cluster, so that there is a fresh one; it goes again in the end.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill.errors import DrillError
from drill.faults import databases
from drill.faults.contract import MADE_BY_A_DRILL, OPTED_IN, TAGGED_AS_MADE, Call, Intent, Resource
from drill.faults.made import ANY, name_of
from drill.faults.made_in_rds import SNAPSHOT, MadeInRds
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class SnapshotTaken(MadeInRds):
    """Takes a snapshot that is called like the run.

    Attributes:
        region: Where the cluster is.
        cluster_arn: The cluster.
        delete_s: How long deleting the snapshot may take.

    """

    region: str
    cluster_arn: str
    delete_s: float = 900.0

    kind = "snapshot-taken"
    made = SNAPSHOT

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads, and writes of what carries a drill's tag."""
        rds = f"arn:{{partition}}:rds:{self.region}:{{account}}"
        cluster, snapshots = (self.cluster_arn,), (f"{rds}:cluster-snapshot:{ANY}",)
        create, describe = "CreateDBClusterSnapshot", "DescribeDBClusterSnapshots"
        return (
            Call("capture", "rds", "DescribeDBClusters", cluster),
            Call("inject", "rds", create, cluster, OPTED_IN),
            Call("inject", "rds", create, snapshots, TAGGED_AS_MADE),
            Call("inject", "rds", create, snapshots, TAGGED_AS_MADE, ("rds:AddTagsToResource",)),
            Call("inject", "rds", describe, snapshots),
            Call("undo", "rds", describe, snapshots),
            Call("undo", "rds", "DeleteDBClusterSnapshot", snapshots, MADE_BY_A_DRILL),
            Call("undone", "rds", describe, snapshots),
        )

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return "none is needed: a snapshot breaks nothing; at worst it stays, and drill recover removes it"

    def describe(self) -> str:
        """Say what is made."""
        return f"a manual snapshot of cluster {self._cluster_id()} in {self.region} is taken"

    def touches(self) -> tuple[Resource, ...]:
        """Return the cluster that it is taken of."""
        return (Resource("cluster", "rds", self.region, self.cluster_arn),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Make sure that the cluster can be backed up.

        Raises:
            DrillError: There is no such cluster, or it is not available.

        """
        found = databases.cluster(aws, self.region, self._cluster_id())
        if found is None or found["Status"] != "available":
            state = "not there" if found is None else found["Status"]
            msg = (
                f"cluster {self._cluster_id()} is {state}, so that no snapshot can be taken of it; see: "
                f"aws rds describe-db-clusters --region {self.region}"
            )
            raise DrillError(msg)
        return {}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Have the snapshot begun."""
        name = name_of(intent.run_id)
        aws.client("rds", self.region).create_db_cluster_snapshot(
            DBClusterIdentifier=self._cluster_id(),
            DBClusterSnapshotIdentifier=name,
            Tags=databases.tags(intent.run_id, name),
        )

    def _cluster_id(self) -> str:
        return self.cluster_arn.rpartition(":")[2]
