"""How many bytes an item has, and what a write of it costs in each index; read from moto's items.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import SecondaryIndex

from infra.lab.table_capacity import write_units


def item_bytes(item: Item | None) -> int:
    """Return the size of an item: names and values; nothing if there is none."""
    return 0 if item is None else _attributes_bytes(item.attrs.items())


def _attributes_bytes(attributes: Iterable[tuple[str, DynamoType]]) -> int:
    total = 0
    for name, value in attributes:
        content = value.value
        total += len(name) if name.isascii() else len(name.encode())
        if value.type == "S":
            total += len(content) if content.isascii() else len(content.encode())
        elif value.type == "N":
            # A byte for two digits, and one more.
            total += (len(str(content)) + 1) // 2 + 1
        else:
            total += value.size()
    return total


def index_units(index: SecondaryIndex, before: Item | None, after: Item | None) -> int:
    """Return what a write costs in an index: it has an entry for each item with the index's key.

    A new entry, a changed one and one that goes cost one write each; a changed key costs two,
    since the entry moves; what leaves the entry as it was costs none.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
    """
    old, new = _entry(index, before), _entry(index, after)
    if old is None and new is None:
        return 0
    if old is None or new is None:
        return write_units(_attributes_bytes((old or new or {}).items()))
    if any(old[name] != new[name] for name in index.schema_key_attrs):
        return write_units(_attributes_bytes(old.items())) + write_units(_attributes_bytes(new.items()))
    if old == new:
        return 0
    return write_units(max(_attributes_bytes(old.items()), _attributes_bytes(new.items())))


def _entry(index: SecondaryIndex, item: Item | None) -> dict[str, DynamoType] | None:
    """Return what an index holds of an item; None if the item is not in it."""
    if item is None:
        return None
    attributes: Any = item.attrs
    if any(name not in attributes for name in index.schema_key_attrs):
        return None
    projection = index.projection or {}
    if projection.get("ProjectionType", "ALL") == "ALL":
        return dict(attributes)
    names = [*index.table_key_attrs, *index.schema_key_attrs, *projection.get("NonKeyAttributes", ())]
    return {name: attributes[name] for name in names if name in attributes}
