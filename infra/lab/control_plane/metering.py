"""Capacity of DynamoDB's tables: every read and write is taken from a bucket, and counted.

Each table and each global index has a bucket for reads and one for writes while its capacity
is provisioned, or while an on-demand maximum is set; otherwise there is no limit. Whoever
calls holds the region's tables (see :mod:`infra.lab.control_plane.table_writes`).
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import GlobalSecondaryIndex, Table

from infra.lab import world
from infra.lab.control_plane.item_costs import index_units, item_bytes
from infra.lab.control_plane.metered_call import READ, WRITE, ThroughputExceeded, exceeded, running
from infra.lab.control_plane.table_settings import ON_DEMAND, settings_of
from infra.lab.control_plane.wiring import WIRING
from infra.lab.table_capacity import Bucket, burst_s, read_units, write_units

_setting = {"burst_s": burst_s(1.0)}


def install(clock_scale: float) -> None:
    """Keep as many seconds of unused capacity as a lab of this clock does."""
    _setting["burst_s"] = burst_s(clock_scale)


@dataclass(slots=True)
class _Used:
    read_units: float = 0.0
    write_units: float = 0.0
    read_throttles: int = 0
    write_throttles: int = 0


@dataclass(slots=True)
class _Answered:
    throttled: int = 0
    answered: int = 0
    spent_s: float = 0.0


class Meter:
    """The buckets of one table in one region, and what was taken from them."""

    def __init__(self, table: Table) -> None:
        """Begin with what the table's capacity is now."""
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._used: dict[str, _Used] = {}
        self._operations: dict[str, _Answered] = {}
        self.configure(table)

    def __deepcopy__(self, _memo: object) -> "Meter":
        """Stay the same in a copy of the table: a transaction that fails puts a copy back."""
        return self

    def configure(self, table: Table) -> None:
        """Follow the table's capacity."""
        now_s = time.monotonic()
        wanted = dict(_rates(table))
        for place in self._buckets.keys() - wanted.keys():
            del self._buckets[place]
        for place, (rate, depth) in wanted.items():
            bucket = self._buckets.get(place)
            if bucket is None:
                self._buckets[place] = Bucket(rate, depth, rate, now_s)
            elif (bucket.rate, bucket.depth) != (rate, depth):
                bucket.change(rate, depth, now_s)
        self._used = {index: self._used.get(index, _Used()) for index in ("", *_index_names(table))}

    def admit(self, table: Table, index: str, kind: str) -> None:
        """Let a request begin.

        Raises:
            ThroughputExceeded: Nothing is left.

        """
        bucket = self._buckets.get((index, kind))
        if bucket is None:
            return
        wait_s = bucket.wait_s(time.monotonic())
        if wait_s > 0 or bucket.level <= 0:
            self.refuse(table, index, kind, wait_s)

    def refuse(self, table: Table, index: str, kind: str, wait_s: float) -> None:
        """Count a throttled event and raise.

        Raises:
            ThroughputExceeded: Always.

        """
        used = self._used[index]
        if kind == READ:
            used.read_throttles += 1
        else:
            used.write_throttles += 1
            if WIRING.writes is not None:
                WIRING.writes.throttled(table.region_name, table.name, index, _key(table))
        raise exceeded(table, index, kind, wait_s)

    def exhausted(self) -> dict[str, float]:
        """Return the global indexes that take no write now, and for how long."""
        now_s = time.monotonic()
        return {
            index: wait_s
            for (index, kind), bucket in self._buckets.items()
            if index and kind == WRITE and (wait_s := bucket.wait_s(now_s)) > 0
        }

    def take(self, table: Table, index: str, kind: str, units: float) -> None:
        """Take units, whatever is left."""
        bucket = self._buckets.get((index, kind))
        if bucket is not None:
            bucket.level -= units
        used = self._used[index]
        if kind == READ:
            used.read_units += units
        else:
            used.write_units += units
        call = running()
        if call is not None:
            place = (table.name, index, kind)
            call.units[place] = call.units.get(place, 0.0) + units

    def answered(self, operation: str, spent_s: float) -> None:
        """Count a request that was answered well."""
        one = self._operations.setdefault(operation, _Answered())
        one.answered += 1
        one.spent_s += spent_s

    def throttled(self, operation: str) -> None:
        """Count a request that was throttled."""
        self._operations.setdefault(operation, _Answered()).throttled += 1

    def use(self, table: Table) -> Iterator[world.TableUse]:
        """Yield what was used of the table and of each index."""
        for index, used in list(self._used.items()):
            operations = {} if index else dict(self._operations)
            yield world.TableUse(
                region=table.region_name,
                table=table.name,
                index=index,
                read_units=used.read_units,
                write_units=used.write_units,
                read_throttles=used.read_throttles,
                write_throttles=used.write_throttles,
                operations=tuple(
                    world.OperationUse(name, one.throttled, one.answered, one.spent_s)
                    for name, one in operations.items()
                ),
            )


def meter_of(table: Table) -> Meter:
    """Return a table's meter."""
    found: Meter | None = table.__dict__.get("meter")
    if found is None:
        found = table.__dict__["meter"] = Meter(table)
    return found


def write_cost(table: Table, before: Item | None, after: Item | None) -> tuple[float, dict[str, float]]:
    """Return what a write costs: of the table, with its local indexes, and of each global index."""
    call = running()
    factor = 1 if call is None else call.factor
    own = write_units(max(item_bytes(before), item_bytes(after))) * factor
    own += sum(index_units(index, before, after) for index in table.indexes)
    indexes: dict[str, float] = {
        index.name: float(units)
        for index in table.global_indexes
        if (units := index_units(index, before, after))
    }
    return float(own), indexes


def admitted(table: Table, kind: str, what: Mapping[str, Any]) -> bool:
    """Say whether a read or write of one item may begin; of a batch it may stay unprocessed.

    Raises:
        ThroughputExceeded: The table has nothing left, and this is no part of a batch.

    """
    call = running()
    try:
        meter_of(table).admit(table, "", kind)
    except ThroughputExceeded as refusal:
        if call is None:
            raise
        call.put_off(table, what, refusal)
        return False
    return True


def require_capacity(table: Table, before: Item | None, after: Item | None) -> None:
    """Have a write whose outcome is known find capacity in the table and in each index that it touches.

    Raises:
        ThroughputExceeded: There is none; nothing was taken.

    """
    meter = meter_of(table)
    meter.admit(table, "", WRITE)
    if exhausted := meter.exhausted():
        for index in write_cost(table, before, after)[1]:
            if index in exhausted:
                meter.refuse(table, index, WRITE, exhausted[index])


def write(table: Table, before: Item | None, after: Item | None, exhausted: Mapping[str, float]) -> None:
    """Take what a write costs; each index that it touches must have something left.

    Args:
        table: The table that was written.
        before: The item until then, if there was one.
        after: The item now, if there is one.
        exhausted: The indexes that had nothing left before the write, and for how long.

    Raises:
        ThroughputExceeded: An index has nothing left; nothing was taken.

    """
    meter = meter_of(table)
    own, indexes = write_cost(table, before, after)
    for index in indexes:
        if index in exhausted:
            meter.refuse(table, index, WRITE, exhausted[index])
    meter.take(table, "", WRITE, own)
    for index, units in indexes.items():
        meter.take(table, index, WRITE, units)


def refused_write(table: Table, before: Item | None, what: Mapping[str, Any], problem: Exception) -> None:
    """Take what a write costs whose condition failed; leave a throttled one of a batch unprocessed.

    Raises:
        Exception: The problem, unless a part of a batch was throttled.

    """
    call = running()
    if isinstance(problem, ThroughputExceeded) and call is not None:
        call.put_off(table, what, problem)
        return
    if isinstance(problem, ConditionalCheckFailed):
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
        meter_of(table).take(table, "", WRITE, float(write_units(item_bytes(before))))
    raise problem


def read(table: Table, index: str, size_bytes: int) -> None:
    """Take what a read of so many bytes costs; ``index`` is empty for the table and its local indexes."""
    call = running()
    everywhere = call is not None and call.consistent is None
    consistent = everywhere or (call is not None and table.name in (call.consistent or ()))
    units = read_units(size_bytes, consistent=consistent) * (1 if call is None else call.factor)
    meter_of(table).take(table, index, READ, units)


def use(tables: Iterable[Table]) -> tuple[world.TableUse, ...]:
    """Return what was used of some tables and of their indexes, since they were made."""
    return tuple(one for table in tables for one in meter_of(table).use(table))


def _key(table: Table) -> dict[str, object]:
    """Return the key of the one item of that table that the running request is about; empty if many."""
    call = running()
    item = {} if call is None else call.item
    names = (table.hash_key_attr, table.range_key_attr)
    return {name: item[name] for name in names if name and name in item}


def _index_names(table: Table) -> list[str]:
    return [index.name for index in table.global_indexes]


def _rates(table: Table) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Yield the rate and the depth of each bucket that a table has."""
    whole: list[Table | GlobalSecondaryIndex] = [table, *table.global_indexes]
    for one in whole:
        index = "" if one is table else one.name
        if table.billing_mode == ON_DEMAND:
            most = settings_of(table).maxima.get(index, {})
            rates = {kind: most.get(f"Max{kind}RequestUnits", -1) for kind in (READ, WRITE)}
        else:
            rates = {kind: one.throughput[f"{kind}CapacityUnits"] for kind in (READ, WRITE)}
        keep_s = 1.0 if table.billing_mode == ON_DEMAND else _setting["burst_s"]
        for kind, rate in rates.items():
            if rate > 0:
                yield (index, kind), (float(rate), rate * keep_s)
