"""One lock around each region's DynamoDB tables, and word of every accepted write.

moto keeps items in dictionaries that its threads share without a lock, and a transaction
that fails puts back a copy of the whole table. Here every operation on a region's tables
holds that region's lock, so that a conditional write is atomic and no write is lost. When
the outermost operation ends, a listener is told what the tables then hold, in the order in
which they took it.
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
from infra.lab.control_plane.mending import replace

_LOCKED = (
    "create_backup",
    "describe_table",
    "get_item",
    "restore_table_from_backup",
    "restore_table_to_point_in_time",
)
_WRITES = ("delete_item", "execute_statement", "put_item")

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
    for name in _WRITES:
        wrap(DynamoDBBackend, name, _writing)
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


def _writing(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    with _operation(backend):
        return original(backend, *args, **kwargs)


def _transacting(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    with _operation(backend) as region:
        try:
            return original(backend, *args, **kwargs)
        except BaseException:
            # moto has put the tables back as they were: nothing was written.
            region.touched.clear()
            raise


def _updating(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    # moto changes the stored item in place, even when it then fails. It is given a copy to
    # change, so that no reader sees half an update and a failed one leaves nothing.
    named = dict(zip(("table_name", "key"), args, strict=False)) | kwargs
    with _operation(backend) as region:
        table = backend.get_table(named["table_name"])
        if not set(table.table_key_attrs) <= set(named["key"]):
            return original(backend, *args, **kwargs)
        place = backend.get_keys_value(table, named["key"])
        before, noted = table.get_item(*place), len(region.touched)
        _store(table, place, copy.deepcopy(before))
        try:
            item = original(backend, *args, **kwargs)
        except BaseException:
            _store(table, place, before)
            del region.touched[noted:]
            raise
        region.touched.append((table.name, place))
        return item


def _store(table: Table, place: _Place, item: Item | None) -> None:
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
    with _region_of(table.account_id, table.region_name).lock:
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
    with _region_of(table.account_id, table.region_name).lock:
        return original(table, *args, **kwargs)


def _noting(original: Callable[..., Any], table: Table, *args: Any, **kwargs: Any) -> Any:
    item: Item | None = original(table, *args, **kwargs)
    region = _region_of(table.account_id, table.region_name)
    if item is not None and region.depth > 0:
        region.touched.append((table.name, (item.hash_key, item.range_key)))
    return item
