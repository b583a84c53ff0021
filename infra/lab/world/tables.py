"""Tables of DynamoDB: their capacity, its scaling and use, their writes and replication."""

from collections.abc import Mapping
from dataclasses import dataclass


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


class ReplicaThrottled(Exception):
    """A table has no write capacity left for a replicated item."""

    def __init__(self, wait_s: float) -> None:
        """Say how long it takes until it has some."""
        super().__init__(f"no write capacity for {wait_s:.3f} s")
        self.wait_s = wait_s
