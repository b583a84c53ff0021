"""What DynamoDB publishes to CloudWatch of its tables' capacity and requests.

Sums of an interval are published as one sample each, and only if there is something to tell:
a table that nobody uses has no data points, as on AWS. Provisioned capacity is told once a
minute of the lab's clock.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

import time
from collections.abc import Callable, Iterator

from infra.lab.profile import Profile
from infra.lab.world import ControlPlane, Metric, OperationUse, Snapshot, TableUse

NAMESPACE = "AWS/DynamoDB"
PERIOD_S = 60.0
_TOLD_IN_A_PERIOD = 4

_Place = tuple[str, str, str]
_NEVER = OperationUse("", 0, 0, 0.0)


class TableMetrics:
    """Publishes what was used of the tables since it was last told."""

    def __init__(
        self, control: ControlPlane, profile: Profile, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what it works with; nothing happens before the first :meth:`reconcile`."""
        self._control = control
        self._now_s = now_s
        self._interval_s = PERIOD_S * profile.clock_scale / _TOLD_IN_A_PERIOD
        self._due_s = 0.0
        self._told = 0
        self._before: dict[_Place, TableUse] = {}

    async def start(self) -> None:
        """Begin to count from now on."""
        self._before = _by_place(self._control.table_use())

    async def close(self) -> None:
        """Stop; nothing is left to be done."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Publish if an interval is over."""
        now_s = self._now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._interval_s
        use = _by_place(self._control.table_use())
        metrics = [metric for place, one in use.items() for metric in _used(one, self._before.get(place))]
        if self._told % _TOLD_IN_A_PERIOD == 0:
            metrics += _provisioned(snapshot)
        self._told += 1
        self._before = use
        if metrics:
            self._control.publish(metrics)


def _by_place(use: tuple[TableUse, ...]) -> dict[_Place, TableUse]:
    return {(one.region, one.table, one.index): one for one in use}


def _used(now: TableUse, before: TableUse | None) -> Iterator[Metric]:
    """Yield the metrics of what was used since before."""
    if before is None or before.read_units > now.read_units or before.write_units > now.write_units:
        # A new table, or a new one of the same name.
        before = TableUse(now.region, now.table, now.index, 0.0, 0.0, 0, 0)
    sums = {
        "ConsumedReadCapacityUnits": now.read_units - before.read_units,
        "ConsumedWriteCapacityUnits": now.write_units - before.write_units,
        "ReadThrottleEvents": now.read_throttles - before.read_throttles,
        "WriteThrottleEvents": now.write_throttles - before.write_throttles,
    }
    dimensions = dimensions_of(now.table, now.index)
    for name, value in sums.items():
        if value > 0:
            yield Metric(now.region, NAMESPACE, name, dimensions, float(value))
    former = {one.name: one for one in before.operations}
    for one in now.operations:
        yield from _of_operation(now, one, former.get(one.name, _NEVER))


def _of_operation(use: TableUse, now: OperationUse, before: OperationUse) -> Iterator[Metric]:
    dimensions = (("TableName", use.table), ("Operation", now.name))
    throttled, answered = now.throttled - before.throttled, now.answered - before.answered
    if throttled > 0:
        yield Metric(use.region, NAMESPACE, "ThrottledRequests", dimensions, float(throttled))
    if answered > 0:
        mean_ms = 1000 * (now.spent_s - before.spent_s) / answered
        yield Metric(use.region, NAMESPACE, "SuccessfulRequestLatency", dimensions, mean_ms, "Milliseconds")


def dimensions_of(table: str, index: str = "") -> tuple[tuple[str, str], ...]:
    """Return the dimensions of a table's metric, or of an index's."""
    own = (("TableName", table),)
    return (*own, ("GlobalSecondaryIndexName", index)) if index else own


def _provisioned(snapshot: Snapshot) -> Iterator[Metric]:
    for table in snapshot.tables:
        for index, reads, writes in (
            ("", table.read_capacity, table.write_capacity),
            *((one.name, one.read_capacity, one.write_capacity) for one in table.indexes),
        ):
            units = {"ProvisionedReadCapacityUnits": reads, "ProvisionedWriteCapacityUnits": writes}
            dimensions = dimensions_of(table.name, index)
            for name, value in units.items():
                if value:
                    yield Metric(table.region, NAMESPACE, name, dimensions, float(value))
