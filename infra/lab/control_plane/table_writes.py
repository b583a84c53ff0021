"""One lock around each region's DynamoDB tables, and word of every accepted write.

moto keeps items in dictionaries that its threads share without a lock, and a transaction
that fails puts back a copy of the whole table. Here every operation on a region's tables
holds that region's lock, so that a conditional write is atomic and no write is lost. What a
write costs is taken from the table's capacity within the same lock, and a write that an index
has no capacity for is undone. When the outermost operation ends, a listener is told what the
tables then hold, in the order in which they took it.
"""

import copy
import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from infra.lab import world
from infra.lab.control_plane import metering
from infra.lab.control_plane.mending import replace
from infra.lab.control_plane.metered_call import WRITE

_LOCKED = (
    "create_backup",
    "describe_table",
    "restore_table_from_backup",
    "restore_table_to_point_in_time",
)

Listener = Callable[[], world.WriteListener | None]
_Place = tuple[DynamoType, DynamoType | None]


@dataclass(slots=True)
class _Region:
    """A region's lock, and what the operation that holds it has written so far."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    depth: int = 0
    touched: list[tuple[str, _Place]] = field(default_factory=list)


_regions: dict[tuple[str, str], _Region] = {}
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have moto's tables tell ``listener()`` of every write that they accept from a client.

    Safe to call again: the last listener is the one that hears.
    """
    _listeners[:] = [listener]
    for name in _LOCKED:
        wrap(DynamoDBBackend, name, _locking)
    wrap(DynamoDBBackend, "execute_statement", _executing)
    wrap(DynamoDBBackend, "put_item", _putting)
    wrap(DynamoDBBackend, "delete_item", _deleting)
    wrap(DynamoDBBackend, "update_item", _updating)
    wrap(DynamoDBBackend, "transact_write_items", _transacting)
    wrap(Table, "all_items", _sorting)
    wrap(Table, "has_idx_items", _reading_index)
    wrap(Table, "put_item", _noting)
    wrap(Table, "delete_item", _noting)


@contextmanager
def locked(account: str, *regions: str) -> Iterator[None]:
    """Hold the tables of some regions; the locks are always taken in the order of their names."""
    held = [_of(dynamodb_backends[account][region]).lock for region in sorted(set(regions))]
    for lock in held:
        lock.acquire()
    try:
        yield
    finally:
        for lock in reversed(held):
            lock.release()


def wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    """Replace one of moto's methods by ``around(original, self, …)``; a second time changes nothing."""

    def mended(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            return around(original, self, *args, **kwargs)

        return wrapped

    replace(owner, name, mended)


def _of(backend: DynamoDBBackend) -> _Region:
    return _region_of(backend.account_id, backend.region_name)


def lock_of(table: Table) -> threading.RLock:
    """Return the lock of the region that a table is in."""
    return _region_of(table.account_id, table.region_name).lock


def _region_of(account: str, region: str) -> _Region:
    # Only the first use of a region makes a lock; setdefault lets one of several win.
    place = (account, region)
    return _regions.get(place) or _regions.setdefault(place, _Region())


@contextmanager
def _operation(backend: DynamoDBBackend) -> Iterator[_Region]:
    region = _of(backend)
    with region.lock:
        region.depth += 1
        try:
            yield region
        finally:
            region.depth -= 1
            if region.depth == 0:
                written, region.touched = dict.fromkeys(region.touched), []
                _tell(backend, tuple(written))


def _tell(backend: DynamoDBBackend, written: tuple[tuple[str, _Place], ...]) -> None:
    listener = _listeners[0]() if written else None
    if listener is None:
        return
    for name, (hash_key, range_key) in written:
        table = backend.tables[name]
        item = table.get_item(hash_key, range_key)
        key = {table.hash_key_attr: hash_key.to_json()}
        if table.range_key_attr is not None and range_key is not None:
            key[table.range_key_attr] = range_key.to_json()
        write = world.ItemWrite(
            region=backend.region_name,
            table=name,
            key=key,
            item=None if item is None else item.to_json()["Attributes"],
            at_ns=time.monotonic_ns(),
        )
        listener.written(write)


def _locking(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    with _of(backend).lock:
        return original(backend, *args, **kwargs)


def _executing(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    # PartiQL: moto finds the items itself. What was written is counted; nothing is refused.
    with _operation(backend) as region:
        noted = len(region.touched)
        found = original(backend, *args, **kwargs)
        for name, place in region.touched[noted:]:
            table = backend.tables[name]
            metering.write(table, None, table.get_item(*place), {})
        return found


def _transacting(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    with _operation(backend) as region:
        try:
            return original(backend, *args, **kwargs)
        except BaseException:
            # moto has put the tables back as they were: nothing was written.
            region.touched.clear()
            raise


_DELETE = _UPDATE = ("table_name", "key")
_PUT = ("table_name", "item_attrs")


def named(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by their names, as far as they are given."""
    return {name: value for name, value in (dict(zip(names, args, strict=False)) | kwargs).items() if value}


def _putting(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    return _write(backend, named(_PUT, args, kwargs), lambda: original(backend, *args, **kwargs))


def _deleting(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    return _write(backend, named(_DELETE, args, kwargs), lambda: original(backend, *args, **kwargs))


def _updating(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    # moto changes the stored item in place, even when it then fails. It is given a copy to
    # change, so that no reader sees half an update and a failed one leaves nothing.
    given = named(_UPDATE, args, kwargs)
    return _write(backend, given, lambda: original(backend, *args, **kwargs), in_place=True)


def _write(
    backend: DynamoDBBackend, given: dict[str, Any], run: Callable[[], Any], *, in_place: bool = False
) -> Any:
    """Run one write of one item, take what it costs, and leave no trace if it fails."""
    key = given.get("key") or given.get("item_attrs") or {}
    with _operation(backend) as region:
        table = backend.get_table(given["table_name"])
        if not set(table.table_key_attrs) <= set(key):
            return run()
        place = backend.get_keys_value(table, key)
        if not metering.admitted(table, WRITE, given):
            return None
        exhausted = metering.meter_of(table).exhausted()
        before, noted, streamed = table.get_item(*place), len(region.touched), len(_streamed(table))
        if in_place:
            store_item(table, place, copy.deepcopy(before))
        try:
            done = run()
            deleted = not in_place and "key" in given
            metering.write(table, before, None if deleted else done, exhausted)
        except Exception as problem:  # noqa: BLE001 (it is raised again; nothing of the write may stay)
            store_item(table, place, before)
            del region.touched[noted:]
            del _streamed(table)[streamed:]
            metering.refused_write(table, before, given, problem)
            return None
        if in_place:
            region.touched.append((table.name, place))
        return done


def _streamed(table: Table) -> list[Any]:
    """Return the records of a table's stream."""
    return [] if table.stream_shard is None else table.stream_shard.items


def store_item(table: Table, place: tuple[DynamoType, DynamoType | None], item: Item | None) -> None:
    """Put an item in its place, or take away what is there, and tell nobody."""
    hash_key, range_key = place
    items: dict[DynamoType, Any] = table.items
    if range_key is not None and item is None:
        items.get(hash_key, {}).pop(range_key, None)
    elif range_key is not None:
        items[hash_key][range_key] = item
    elif item is None:
        items.pop(hash_key, None)
    else:
        items[hash_key] = item


def _sorting(_: Callable[..., Any], table: Table) -> list[Item]:
    # Queries and scans read this list without the lock: items are replaced, never changed.
    # moto's own sorting compares the keys by Python code, which takes seconds for some
    # thousand items; their plain values compare by themselves.
    with lock_of(table):
        if table.has_range_key:
            items = [item for places in table.items.values() for item in places.values()]
        else:
            items = list(table.items.values())
    return sorted(items, key=_plain_key)


def _plain_key(item: Item) -> tuple[Any, ...]:
    if item.range_key is None:
        return (item.hash_key.cast_value,)
    return (item.hash_key.cast_value, item.range_key.cast_value)


def _reading_index(original: Callable[..., Any], table: Table, *args: Any, **kwargs: Any) -> Any:
    with lock_of(table):
        return original(table, *args, **kwargs)


def _noting(original: Callable[..., Any], table: Table, *args: Any, **kwargs: Any) -> Any:
    item: Item | None = original(table, *args, **kwargs)
    region = _region_of(table.account_id, table.region_name)
    if item is not None and region.depth > 0:
        region.touched.append((table.name, (item.hash_key, item.range_key)))
    return item
