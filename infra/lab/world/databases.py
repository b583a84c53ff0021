"""Databases: Aurora clusters and their snapshots, what is asked of them and what becomes of it."""

from dataclasses import dataclass, field


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
        leaving: Ids of instances that are being deleted.

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
    leaving: tuple[str, ...] = ()


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
