"""What the physics see of the control plane, and what they tell it.

The control plane (moto, in ``control_plane.py``) holds what was asked for; the physics make
the world follow. Between them stand only the frozen values of this file: a
:class:`Snapshot` of everything drillable, and the few things that physics report back
(:class:`ControlPlane`) or answer for it (:class:`Invoker`, :class:`HealthReader`,
:class:`WriteListener`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


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

    """

    port: int
    function: str
    qualifier: str


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


@dataclass(frozen=True, slots=True)
class Cluster:
    """An Aurora cluster. It runs when it has an instance.

    Attributes:
        status: As DescribeDBClusters shows it.
        endpoint: DNS name of the writer.
        reader_endpoint: DNS name of the readers.
        password: The master password in force.
        instances: Ids of its instances, the writer first.

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


@dataclass(frozen=True, slots=True)
class ReplicationPause:
    """A running AWS FIS action that pauses a table's replication with its other regions."""

    experiment_id: str
    region: str
    table: str


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

    """

    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str = "Count"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything drillable at one moment."""

    account: str = ""
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    peerings: tuple[Peering, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    functions: tuple[Function, ...] = ()
    aliases: tuple[FunctionAlias, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    zones: tuple[str, ...] = ()
    records: tuple[DnsRecord, ...] = ()
    tables: tuple[Table, ...] = ()
    pauses: tuple[ReplicationPause, ...] = ()


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
        """

    def publish(self, metrics: Sequence[Metric]) -> None:
        """Take data points of now, as PutMetricData would; cheap, and may be called often."""

    def serve_with(self, *, invoker: Invoker, health: HealthReader, writes: WriteListener) -> None:
        """Connect the physics that answer for the control plane."""
