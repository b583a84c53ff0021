"""What the physics see of the control plane, and what they tell it.

The control plane (moto, in ``control_plane``) holds what was asked for; the physics make
the world follow. Between them stand only the frozen values of this room: a
:class:`Snapshot` of everything drillable, and the few things that physics report back
(:class:`ControlPlane`) or answer for it (:class:`Invoker`, :class:`HealthReader`,
:class:`WriteListener`).
"""

from infra.lab.world.contracts import ControlPlane, HealthReader, Invoker, WriteListener
from infra.lab.world.databases import Cluster, ClusterSnapshot, DatabaseReport, DatabaseTask, SnapshotReport
from infra.lab.world.due import BackupRule, RecoveryPoint, Schedule, SecretRotation
from infra.lab.world.functions import Function, FunctionAlias, Invocation
from infra.lab.world.metrics import Metric
from infra.lab.world.names import CheckerReport, DnsRecord, HealthCheck
from infra.lab.world.network import (
    AclEntry,
    Listener,
    LoadBalancer,
    NatGateway,
    Peering,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from infra.lab.world.snapshot import Snapshot
from infra.lab.world.tables import (
    ItemWrite,
    OperationUse,
    ReplicaThrottled,
    ReplicationPause,
    ScalingPolicy,
    ScalingTarget,
    Table,
    TableIndex,
    TableUse,
)

__all__ = [
    "AclEntry",
    "BackupRule",
    "CheckerReport",
    "Cluster",
    "ClusterSnapshot",
    "ControlPlane",
    "DatabaseReport",
    "DatabaseTask",
    "DnsRecord",
    "Function",
    "FunctionAlias",
    "HealthCheck",
    "HealthReader",
    "Invocation",
    "Invoker",
    "ItemWrite",
    "Listener",
    "LoadBalancer",
    "Metric",
    "NatGateway",
    "OperationUse",
    "Peering",
    "RecoveryPoint",
    "ReplicaThrottled",
    "ReplicationPause",
    "Route",
    "RouteTable",
    "ScalingPolicy",
    "ScalingTarget",
    "Schedule",
    "SecretRotation",
    "SecurityGroup",
    "SecurityRule",
    "Snapshot",
    "SnapshotReport",
    "Subnet",
    "Table",
    "TableIndex",
    "TableUse",
    "Vpc",
    "VpcEndpoint",
    "WriteListener",
]
