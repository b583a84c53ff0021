"""Restores the newest recovery point of a cluster as a cluster of the run's own, in the recovery region.

Without subnet group, security group and parameter group it would get the defaults, and nothing could
reach it. It has no instance until one is made.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterFromSnapshot.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drill.faults import databases, recovery_points
from drill.faults.contract import MADE_BY_A_DRILL, TAGGED_AS_MADE, Call, Intent
from drill.faults.made import ANY, name_of
from drill.faults.made_in_rds import CLUSTER, MadeInRds
from drill.model import CostItem, Json

if TYPE_CHECKING:
    from drill.aws import Aws

ENGINE = "aurora-postgresql"


@dataclass(frozen=True, slots=True)
class ClusterRestore(MadeInRds):
    """Restores a cluster that is called like the run.

    Attributes:
        region: Where it is restored.
        source_region: Where the lost cluster is: snapshots here may be copies of snapshots there.
        cluster_id: The cluster whose recovery point it is.
        key_arn: The KMS key of ``region`` that encrypts it.
        subnet_group: Its DB subnet group.
        security_group_id: What lets the application reach it.
        parameter_group: Its cluster parameter group.
        min_acu: The least capacity of its serverless instances, in ACUs.
        max_acu: The most.
        delete_s: How long deleting it may take.

    """

    region: str
    source_region: str
    cluster_id: str
    key_arn: str
    subnet_group: str
    security_group_id: str
    parameter_group: str
    min_acu: float
    max_acu: float
    delete_s: float = 900.0

    kind = "cluster-restore"
    made = CLUSTER

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of recovery points, and writes of what carries a drill's tag."""
        rds = f"arn:{{partition}}:rds:{self.region}:{{account}}"
        made = (f"{rds}:cluster:{ANY}",)
        used = (
            f"{rds}:cluster-snapshot:*",
            f"{rds}:subgrp:{self.subnet_group}",
            f"{rds}:cluster-pg:{self.parameter_group}",
        )
        restore, describe = "RestoreDBClusterFromSnapshot", "DescribeDBClusters"
        via = {"StringEquals": {"kms:ViaService": f"rds.{self.region}.amazonaws.com"}}
        return (
            *recovery_points.calls(self.region, self.source_region),
            Call("inject", "rds", restore, used),
            Call("inject", "rds", restore, made, TAGGED_AS_MADE),
            Call("inject", "rds", restore, made, TAGGED_AS_MADE, ("rds:AddTagsToResource",)),
            # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html
            Call("inject", "rds", restore, (self.key_arn,), via, ("kms:CreateGrant", "kms:DescribeKey")),
            Call("inject", "rds", describe, made),
            Call("undo", "rds", describe, made),
            Call("undo", "rds", "DeleteDBCluster", made, MADE_BY_A_DRILL),
            Call("undone", "rds", describe, made),
        )

    @property
    def costs(self) -> tuple[CostItem, ...]:
        """Return the capacity of its serverless writer; what its storage costs depends on its size."""
        return (CostItem("the restored capacity", "acu_hour", self.min_acu, self.max_acu, hourly=True),)

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none is needed: a restored cluster breaks nothing; at worst it is left over and paid for, and "
            "drill recover removes it"
        )

    def describe(self) -> str:
        """Say what is made."""
        return (
            f"the newest recovery point of {self.cluster_id} in {self.region} is restored as a cluster of "
            f"its own, in {self.subnet_group} with {self.security_group_id} and {self.parameter_group}"
        )

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Find the recovery point.

        Raises:
            DrillError: There is none, or none whose key this region can use.

        """
        return recovery_points.captured(aws, recovery_points.newest(aws, self.region, self.cluster_id))

    def told(self, before: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return which recovery point it is; see :func:`drill.faults.recovery_points.captured`."""
        return recovery_points.told(before)

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Have the restore begun."""
        name = name_of(intent.run_id)
        key: dict[str, Any] = {"KmsKeyId": self.key_arn} if before["key"] else {}
        aws.client("rds", self.region).restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name,
            SnapshotIdentifier=before["snapshot"],
            Engine=ENGINE,
            DBSubnetGroupName=self.subnet_group,
            VpcSecurityGroupIds=[self.security_group_id],
            DBClusterParameterGroupName=self.parameter_group,
            ServerlessV2ScalingConfiguration={"MinCapacity": self.min_acu, "MaxCapacity": self.max_acu},
            DeletionProtection=False,
            CopyTagsToSnapshot=False,
            Tags=databases.tags(intent.run_id, name),
            **key,
        )
