"""What the physics see of the control plane, and what they tell it.

The control plane (moto, in ``control_plane.py``) holds what was asked for; the physics make
the world follow. Between them stand only the frozen values of this file: a
:class:`Snapshot` of everything drillable, and the few things that physics report back
(:class:`ControlPlane`) or answer for it (:class:`Invoker`, :class:`HealthReader`,
:class:`WriteListener`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from infra.lab.guards import NatGateway, SecurityGroup, VpcEndpoint
from infra.lab.metric_store import MetricStore
from infra.lab.schedule_targets import TargetCall
from infra.lab.watching import AlarmListener, Judgement, MetricAlarm


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One rule of a network ACL; the lowest number that matches decides, none denies."""

    number: int
    egress: bool
    allow: bool
    cidr: str
    protocol: str
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with the rules of the network ACL that is associated with it now."""

    id: str
    region: str
    vpc_id: str
    cidr: str
    acl: tuple[AclEntry, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One route; ``state`` is ``active`` or ``blackhole``."""

    destination: str
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; ``subnet_ids`` are its explicit associations."""

    id: str
    region: str
    vpc_id: str
    main: bool
    subnet_ids: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC that a template made (default VPCs are left out); ``cidrs`` has the primary one first."""

    id: str
    region: str
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peering:
    """A VPC peering; status ``active`` is the only one that can carry bytes."""

    id: str
    status: str
    requester_vpc: str
    accepter_vpc: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A load balancer's listener that forwards to one function.

    Attributes:
        port: TCP port.
        function: Name of the function.
        qualifier: Alias or version; ``$LATEST`` if none is given.
        target_group: ARN of the target group that the function is in.

    """

    port: int
    function: str
    qualifier: str
    target_group: str = ""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """An application load balancer."""

    arn: str
    name: str
    region: str
    dns_name: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    listeners: tuple[Listener, ...]
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """An Aurora cluster. It runs when it has an instance.

    Attributes:
        status: As DescribeDBClusters shows it.
        endpoint: DNS name of the writer; empty for a cluster that follows another one.
        reader_endpoint: DNS name of the readers.
        password: The master password in force.
        instances: Ids of its instances, the writer first; those being deleted are left out.
        resource: Its DbClusterResourceId, which no other cluster ever has.
        origin: Resource of the snapshot, or of the cluster, whose data it begins with; empty for none.
        primary: Resource of the cluster of its global database that it follows; empty if it takes writes.
        revision: Grows with each modification.
        names: DNS names of its instances, and that of a global database's writer.
        security_group_ids: Security groups of its network interfaces.
        min_acu: Least Aurora capacity units of a Serverless v2 instance; 0 if it is not serverless.
        max_acu: The most of them.

    """

    id: str
    region: str
    status: str
    endpoint: str
    reader_endpoint: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    subnet_ids: tuple[str, ...]
    vpc_id: str
    instances: tuple[str, ...]
    resource: str = ""
    origin: str = ""
    primary: str = ""
    revision: int = 0
    names: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    min_acu: float = 0.0
    max_acu: float = 0.0


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """A snapshot of an Aurora cluster; its data outlives the cluster.

    Attributes:
        id: Its name in its region.
        resource: A name that no other snapshot ever has.
        status: As DescribeDBClusterSnapshots shows it.
        cluster: Resource of the cluster that it is taken of; empty for a copy.
        source: Resource of the snapshot that it is a copy of; empty for one that is taken.

    """

    id: str
    region: str
    resource: str
    status: str
    cluster: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseTask:
    """Something that was asked of running databases, to be done once.

    Attributes:
        id: No other task ever has it.
        kind: ``restart`` (another instance of the cluster takes over), ``switchover`` (to a
            cluster that follows, without loss), ``failover`` (the same, at once) or ``detach``
            (a cluster that follows becomes independent).
        cluster: Resource of the cluster that is restarted, promoted or detached.
        former: Resource of the cluster that takes writes until then; for switchover and failover.

    """

    id: str
    kind: str
    cluster: str
    former: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """What a cluster's database is, as seen from within.

    Attributes:
        region: Of the cluster.
        cluster: Its id.
        resource: Its resource.
        state: ``laid`` (its data are there), ``up`` (its server accepts connections), ``down``,
            ``failed`` (it can't start) or ``gone`` (nothing of it is left).
        instances: Ids of the instances that are served.
        revision: The last modification that is in force.

    """

    region: str
    cluster: str
    resource: str
    state: str
    instances: tuple[str, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """How far a snapshot is.

    Attributes:
        resource: The snapshot's.
        percent: 100 when its data are complete.
        taken_at: The instant whose data it holds, in seconds of the Unix clock; None until known.
        problem: Why there will be none; empty while all is well.

    """

    resource: str
    percent: int
    taken_at: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """One published version, or ``$LATEST``, of a Lambda function.

    Attributes:
        version: ``$LATEST`` or a number.
        code: The zip archive.
        timeout_s: When an invocation is killed.
        environment: Its variables.
        provisioned: Warm processes to keep, over the aliases that point at it.
        subnet_ids: Subnets of its network interfaces; empty outside a VPC.
        reserved: The function's reserved concurrency; 0 throttles every invocation, None reserves none.
        security_group_ids: Security groups of its network interfaces.

    """

    name: str
    region: str
    version: str
    arn: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_s: float
    environment: Mapping[str, str]
    code_sha256: str
    code: bytes = field(repr=False)
    subnet_ids: tuple[str, ...]
    vpc_id: str
    provisioned: int
    reserved: int | None = None
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionAlias:
    """An alias: a name for one version."""

    function: str
    region: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A Route 53 health check.

    Attributes:
        type: ``HTTP``, ``HTTPS``, ``TCP``, ``CALCULATED`` or ``CLOUDWATCH_METRIC``.
        host: Name or address to connect to.
        interval_s: 10 or 30, as configured; the lab's profile scales it.
        threshold: Results in a row that change a checker's mind.
        children: Ids of a calculated check's children.
        children_threshold: How many of them must be healthy.
        alarm: Name of the alarm whose data stream a ``CLOUDWATCH_METRIC`` check watches.
        alarm_region: Where that alarm is.
        insufficient: ``Healthy``, ``Unhealthy`` or ``LastKnownStatus`` while there is no data.
        stream: That alarm as it was when the check was made or last updated; None if there was none.

    """

    id: str
    type: str
    host: str = ""
    port: int = 0
    path: str = "/"
    interval_s: float = 30
    threshold: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    children_threshold: int = 0
    version: int = 1
    alarm: str = ""
    alarm_region: str = ""
    insufficient: str = "LastKnownStatus"
    stream: MetricAlarm | None = None


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record set of a hosted zone.

    Attributes:
        name: With its final dot, in lower case.
        failover: ``PRIMARY``, ``SECONDARY`` or empty.
        alias: DNS name that an alias points at; empty for plain records.
        alias_evaluates_health: EvaluateTargetHealth.

    """

    zone: str
    name: str
    type: str
    ttl: int | None
    values: tuple[str, ...]
    set_identifier: str = ""
    failover: str = ""
    health_check_id: str = ""
    alias: str = ""
    alias_evaluates_health: bool = False


@dataclass(frozen=True, slots=True)
class TableIndex:
    """A global secondary index of a table, with its provisioned capacity."""

    name: str
    read_capacity: int
    write_capacity: int


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table in one region; ``replicas`` are all regions of the global table, its own too."""

    name: str
    region: str
    status: str
    arn: str
    replicas: tuple[str, ...]
    billing: str
    read_capacity: int
    write_capacity: int
    indexes: tuple[TableIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """A target-tracking policy of Application Auto Scaling.

    Attributes:
        name: Its name.
        target: The utilisation that it aims at, in percent.
        out_cooldown_s: In seconds of AWS's clock, which the lab's profile scales.
        in_cooldown_s: The same, before capacity is taken away again.
        in_disabled: Whether it never takes capacity away.

    """

    name: str
    target: float
    out_cooldown_s: float = 0.0
    in_cooldown_s: float = 0.0
    in_disabled: bool = False


@dataclass(frozen=True, slots=True)
class ScalingTarget:
    """One capacity of a table, or of an index of it, that Application Auto Scaling changes.

    Attributes:
        index: Name of the global index; empty for the table itself.
        kind: ``Read`` or ``Write``.
        minimum: The least provisioned units.
        maximum: The most.
        in_suspended: Whether capacity is not taken away for now.
        out_suspended: Whether none is added for now.
        policies: Those that track a utilisation.

    """

    region: str
    table: str
    index: str
    kind: str
    minimum: int
    maximum: int
    in_suspended: bool = False
    out_suspended: bool = False
    policies: tuple[ScalingPolicy, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicationPause:
    """A running AWS FIS action that pauses a table's replication with its other regions."""

    experiment_id: str
    region: str
    table: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of Amazon EventBridge Scheduler.

    Attributes:
        expression: ``at(...)``, ``rate(...)`` or ``cron(...)``.
        timezone: IANA name of the zone in which the expression is meant.
        enabled: Whether it is due at all.
        target: What it invokes and how, as the API shows it: ``Arn``, ``RoleArn``, ``Input`` and so on.
        window_s: It is invoked at some moment within so long after its time; 0 at once.
        modified_s: When it was made or last changed, in seconds since 1970.
        start_s: It is not due before this instant.
        end_s: It is not due from this instant on.
        deleted_after: Whether it goes when it will never be due again.

    """

    arn: str
    name: str
    group: str
    region: str
    expression: str
    timezone: str
    enabled: bool
    target: Mapping[str, Any]
    window_s: float
    modified_s: float
    start_s: float | None = None
    end_s: float | None = None
    deleted_after: bool = False


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """A secret that Secrets Manager is to rotate, on its schedule or because a rotation failed.

    Attributes:
        arn: The secret's.
        region: The secret's, and its rotation function's.
        due_at: When, in seconds of the Unix clock.

    """

    arn: str
    region: str
    due_at: float


@dataclass(frozen=True, slots=True)
class OperationUse:
    """Requests of one operation on a table, since it was made.

    Attributes:
        name: For example ``PutItem``.
        throttled: How many were throttled.
        answered: How many were answered well.
        spent_s: How long those took altogether.

    """

    name: str
    throttled: int
    answered: int
    spent_s: float


@dataclass(frozen=True, slots=True)
class TableUse:
    """What was used of a table's capacity, or of one index's, since it was made; it only grows.

    Attributes:
        index: Name of the global index; empty for the table itself.
        read_throttles: Reads that found no capacity.
        write_throttles: Writes that found none, of replication too.
        operations: Of the table only.

    """

    region: str
    table: str
    index: str
    read_units: float
    write_units: float
    read_throttles: int
    write_throttles: int
    operations: tuple[OperationUse, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupRule:
    """A rule of a plan of AWS Backup that selects something.

    Attributes:
        rule_id: Another one after each change of the plan.
        expression: ``cron(...)``.
        timezone: IANA name of the zone in which it is meant.

    """

    region: str
    plan_id: str
    rule_id: str
    expression: str
    timezone: str


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """A recovery point of AWS Backup whose lifecycle ends, in seconds since 1970."""

    region: str
    arn: str
    delete_at_s: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One data point that a service publishes to CloudWatch.

    Attributes:
        region: Where it is kept.
        namespace: For example ``AWS/Lambda``.
        name: For example ``Errors``.
        dimensions: Names and values; their order does not matter.
        value: The sample.
        unit: As CloudWatch names it: ``Count``, ``Milliseconds``, ``Percent``, ``None``.
        samples: How often the value occurred.

    """

    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str = "Count"
    samples: int = 1


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


@dataclass(frozen=True, slots=True)
class ItemWrite:
    """A write that a DynamoDB table accepted from a client (never from replication).

    Attributes:
        key: The item's key in DynamoDB JSON, for example ``{"customer": {"S": "a"}, …}``.
        item: The whole item after the write in DynamoDB JSON; None after a deletion.
        at_ns: When the table had it.

    """

    region: str
    table: str
    key: Mapping[str, Mapping[str, object]]
    item: Mapping[str, Mapping[str, object]] | None
    at_ns: int


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function answered; ``error`` is empty or the kind of failure (``Unhandled``)."""

    payload: bytes
    error: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class CheckerReport:
    """What one Route 53 checker last saw."""

    region: str
    address: str
    status: str
    checked_at: float


class ReplicaThrottled(Exception):
    """A table has no write capacity left for a replicated item."""

    def __init__(self, wait_s: float) -> None:
        """Say how long it takes until it has some."""
        super().__init__(f"no write capacity for {wait_s:.3f} s")
        self.wait_s = wait_s


class Invoker(Protocol):
    """Runs functions; called from the control plane's threads and from the edge."""

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Run one invocation to its end (blocking, thread-safe).

        ``status`` 429 means throttled, 404 no such function or qualifier.
        """


class HealthReader(Protocol):
    """Tells what the checkers see; called from the control plane's threads."""

    def reports(self, health_check_id: str) -> Sequence[CheckerReport]:
        """Return every checker's last report of an endpoint check."""


class WriteListener(Protocol):
    """Hears of writes; called from the control plane's threads, must not block."""

    def written(self, write: ItemWrite) -> None:
        """Take note of a write that a table accepted; the region's tables are still locked."""


class ControlPlane(Protocol):
    """What physics may ask of the control plane, and report to it. Thread-safe."""

    def snapshot(self) -> Snapshot:
        """Return everything drillable now."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, from any thread, after every request that may have changed something."""

    def set_cluster_status(self, region: str, cluster_id: str, status: str) -> None:
        """Show ``status`` for a cluster and its instances in the Describe calls."""

    def follow_databases(self) -> None:
        """Have clusters wait for reports from now on: what is asked of one takes its time."""

    def report_database(self, report: DatabaseReport) -> None:
        """Take note of what a cluster's database is now."""

    def report_snapshot(self, report: SnapshotReport) -> None:
        """Take note of how far a cluster's snapshot is."""

    def report_task(self, task_id: str, state: str, problem: str = "") -> None:
        """Take note of a task of the databases: ``promoted``, or ``done`` with what went wrong, if that."""

    def provisioned_ready(self, region: str, function: str, version: str, ready: int) -> None:
        """Show how many provisioned processes of a version are warm."""

    def apply_replica(
        self,
        region: str,
        table: str,
        key: Mapping[str, Mapping[str, object]],
        item: Mapping[str, Mapping[str, object]] | None,
        unless: Callable[[], bool],
    ) -> bool:
        """Write (or delete, with None) a replicated item; no listener hears of it.

        ``unless`` is asked with the region's tables locked, so that no client's write comes
        between the question and the write; if it says True the table is left alone. Returns
        whether the table was written.

        Raises:
            ReplicaThrottled: The table, or an index that the item touches, has no capacity now.

        """

    def table_use(self) -> tuple[TableUse, ...]:
        """Return what was used of each table and each of its indexes so far."""

    def scale(self, target: ScalingTarget, units: int, cause: str) -> bool:
        """Ask for another capacity as Application Auto Scaling does, by UpdateTable.

        Returns whether it was accepted; that it was asked for, and why it was refused, is
        told by DescribeScalingActivities.
        """

    def role_permits(self, role_arn: str, call: TargetCall, region: str) -> bool:
        """Say whether a role's policies permit a call in a region, on what it is about."""

    def run_backup_rule(self, region: str, plan_id: str, rule_id: str) -> None:
        """Begin the backup jobs of a plan's rule that is due."""

    def expire_recovery_point(self, region: str, arn: str) -> None:
        """Delete a recovery point whose lifecycle has ended, with what it holds."""

    def publish(self, metrics: Sequence[Metric]) -> None:
        """Take data points of now, as PutMetricData would; cheap, and may be called often."""

    @property
    def metrics(self) -> MetricStore:
        """All data points that were published."""

    def report_alarm(self, alarm: MetricAlarm, judgement: Judgement) -> None:
        """Take the state that an alarm's data come to; a new one sets off the alarm's actions."""

    def rotate_due(self, region: str, arn: str) -> None:
        """Rotate a secret that is due, to the end (blocking); one that is not is left alone."""

    def serve_with(
        self,
        *,
        invoker: Invoker,
        health: HealthReader,
        writes: WriteListener,
        alarms: AlarmListener | None = None,
    ) -> None:
        """Connect the physics that answer for the control plane."""
