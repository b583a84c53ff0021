"""Copies a snapshot of a cluster into another region, under a key of that region; it goes again in the end.

The call is made in the region that the copy goes to. A copy is always full and never incremental.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-copy-snapshot.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill.errors import DrillError
from drill.faults import databases, recovery_points
from drill.faults.contract import MADE_BY_A_DRILL, TAGGED_AS_MADE, Call, Intent
from drill.faults.made import ANY, name_of
from drill.faults.made_in_rds import SNAPSHOT, MadeInRds
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class SnapshotCopy(MadeInRds):
    """Copies the run's own snapshot, or the newest that the source region has.

    Attributes:
        source_region: Where the snapshot is.
        region: Where the copy goes.
        cluster_id: The cluster that it was taken of.
        key_arn: The KMS key of ``region`` that encrypts the copy.
        own: Copy the snapshot that the same run took.
        delete_s: How long deleting the copy may take.

    """

    source_region: str
    region: str
    cluster_id: str
    key_arn: str
    own: bool
    delete_s: float = 900.0

    kind = "snapshot-copy"
    made = SNAPSHOT

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads in both regions, and writes of what carries a drill's tag."""
        source = f"arn:{{partition}}:rds:{self.source_region}:{{account}}:cluster-snapshot:"
        sources = (source + (ANY if self.own else "*"),)
        copies = (f"arn:{{partition}}:rds:{self.region}:{{account}}:cluster-snapshot:{ANY}",)
        copy, describe = "CopyDBClusterSnapshot", "DescribeDBClusterSnapshots"
        key = (self.key_arn,)
        via = {"StringEquals": {"kms:ViaService": f"rds.{self.region}.amazonaws.com"}}
        return (
            *(() if self.own else recovery_points.calls(self.source_region, self.source_region)),
            Call("inject", "rds", describe, sources),
            Call("inject", "rds", copy, sources),
            Call("inject", "rds", copy, copies, TAGGED_AS_MADE),
            Call("inject", "rds", copy, copies, TAGGED_AS_MADE, ("rds:AddTagsToResource",)),
            # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html
            Call("inject", "rds", copy, key, via, ("kms:CreateGrant", "kms:DescribeKey")),
            Call("inject", "rds", describe, copies),
            Call("undo", "rds", describe, copies),
            Call("undo", "rds", "DeleteDBClusterSnapshot", copies, MADE_BY_A_DRILL),
            Call("undone", "rds", describe, copies),
        )

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return "none is needed: a copy breaks nothing; at worst it is left over, and drill recover removes it"

    def describe(self) -> str:
        """Say what is made."""
        which = "the snapshot just taken" if self.own else "the newest snapshot"
        return (
            f"{which} of {self.cluster_id} is copied from {self.source_region} to {self.region} "
            f"under the key {self.key_arn.rpartition('/')[2]}"
        )

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Find the newest snapshot that can be copied; the run's own is known by its name.

        Raises:
            DrillError: There is none.

        """
        if self.own:
            return {}
        point = recovery_points.newest(aws, self.source_region, self.cluster_id, copyable=True)
        return {"source": point.arn}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Have the copy begun.

        Raises:
            DrillError: The snapshot that it is to be made of is gone.

        """
        name = name_of(intent.run_id)
        wanted = str(before.get("source") or name)
        source = databases.snapshot(aws, self.source_region, wanted.rpartition(":cluster-snapshot:")[2])
        if source is None:
            msg = (
                f"snapshot {wanted} in {self.source_region} is gone; try again: "
                "drill run aurora-snapshot-restore"
            )
            raise DrillError(msg)
        key = {"KmsKeyId": self.key_arn} if source.get("StorageEncrypted") else {}
        aws.client("rds", self.region).copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=source["DBClusterSnapshotArn"],
            TargetDBClusterSnapshotIdentifier=name,
            SourceRegion=self.source_region,  # botocore signs the call to that region with it
            Tags=databases.tags(intent.run_id, name),
            **key,
        )
