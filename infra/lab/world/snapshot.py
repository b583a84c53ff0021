"""Everything drillable at one moment."""

from dataclasses import dataclass

from infra.lab.watching import MetricAlarm
from infra.lab.world.databases import Cluster, ClusterSnapshot, DatabaseTask
from infra.lab.world.due import BackupRule, RecoveryPoint, Schedule, SecretRotation
from infra.lab.world.functions import Function, FunctionAlias
from infra.lab.world.names import DnsRecord, HealthCheck
from infra.lab.world.network import (
    LoadBalancer,
    NatGateway,
    Peering,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from infra.lab.world.tables import ReplicationPause, ScalingTarget, Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything drillable at one moment."""

    account: str = ""
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    peerings: tuple[Peering, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    endpoints: tuple[VpcEndpoint, ...] = ()
    nat_gateways: tuple[NatGateway, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    cluster_snapshots: tuple[ClusterSnapshot, ...] = ()
    database_tasks: tuple[DatabaseTask, ...] = ()
    functions: tuple[Function, ...] = ()
    aliases: tuple[FunctionAlias, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    alarms: tuple[MetricAlarm, ...] = ()
    zones: tuple[str, ...] = ()
    records: tuple[DnsRecord, ...] = ()
    tables: tuple[Table, ...] = ()
    pauses: tuple[ReplicationPause, ...] = ()
    scaling: tuple[ScalingTarget, ...] = ()
    rotations: tuple[SecretRotation, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    backup_rules: tuple[BackupRule, ...] = ()
    recovery_points: tuple[RecoveryPoint, ...] = ()
