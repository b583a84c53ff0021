"""The requests that read and write items: what each takes is told on demand, throttles are counted.

What a batch can't do for want of capacity comes back as unprocessed; only when nothing of it
could be done the request fails.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.lab.control_plane import metering
from infra.lab.control_plane.metered_call import READ, WRITE, Call, ThroughputExceeded, begin
from infra.lab.control_plane.table_writes import wrap

_SINGLE = {
    "put_item": "PutItem",
    "get_item": "GetItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
    "execute_statement": "ExecuteStatement",
}
_MANY = {
    "batch_get_item": "BatchGetItem",
    "batch_write_item": "BatchWriteItem",
    "transact_get_items": "TransactGetItems",
    "transact_write_items": "TransactWriteItems",
}
_READS_ITEMS = {"GetItem", "BatchGetItem", "TransactGetItems"}
_TRANSACTIONAL = 2


def install() -> None:
    """Have moto's requests metered; safe to call again."""
    for method in (*_SINGLE, *_MANY):
        wrap(DynamoHandler, method, _metered(method))


def _metered(method: str) -> Callable[..., Any]:
    operation = _SINGLE.get(method) or _MANY[method]

    def around(original: Callable[..., Any], handler: DynamoHandler) -> Any:
        call = _call(operation, handler.body)
        began_s = time.perf_counter()
        begin(call)
        try:
            result = original(handler)
            _put_off(call, handler.body, result.result)
        except ThroughputExceeded:
            for table in _tables(handler, operation):
                metering.meter_of(table).throttled(operation)
            raise
        finally:
            begin(None)
        spent_s = time.perf_counter() - began_s
        for table in _tables(handler, operation):
            metering.meter_of(table).answered(operation, spent_s)
        _show_consumed(call, handler.body, result.result)
        return result

    return around


def _call(operation: str, body: Mapping[str, Any]) -> Call:
    consistent: frozenset[str] | None = frozenset()
    if operation == "BatchGetItem":
        asked = body["RequestItems"].items()
        consistent = frozenset(name.rpartition("/")[2] for name, one in asked if one.get("ConsistentRead"))
    elif operation == "TransactGetItems" or body.get("ConsistentRead"):
        consistent = None
    return Call(
        operation,
        reads=operation in _READS_ITEMS,
        consistent=consistent,
        factor=_TRANSACTIONAL if operation.startswith("Transact") else 1,
        batch=operation.startswith("Batch"),
        item=body.get("Item") or body.get("Key") or {},
    )


def _names(operation: str, body: Mapping[str, Any]) -> Iterator[str]:
    if operation.startswith("Batch"):
        yield from body["RequestItems"]
    elif operation.startswith("Transact"):
        for one in body["TransactItems"]:
            yield from (part["TableName"] for part in one.values())
    elif "TableName" in body:
        yield body["TableName"]


def _tables(handler: DynamoHandler, operation: str) -> list[Table]:
    tables = handler.dynamodb_backend.tables
    names = dict.fromkeys(name.rpartition("/")[2] for name in _names(operation, handler.body))
    return [tables[name] for name in names if name in tables]


def _put_off(call: Call, body: Mapping[str, Any], answer: dict[str, Any]) -> None:
    """Give back the parts of a batch that were throttled.

    Raises:
        ThroughputExceeded: All of them were.

    """
    if call.refusal is None:
        return
    if len(call.refused) == _parts(call.operation, body):
        raise call.refusal
    reads = call.operation == "BatchGetItem"
    left: dict[str, Any] = answer.setdefault("UnprocessedKeys" if reads else "UnprocessedItems", {})
    for name, what in call.refused:
        if reads:
            given = {key: value for key, value in body["RequestItems"][name].items() if key != "Keys"}
            left.setdefault(name, {**given, "Keys": []})["Keys"].append(what)
        elif "item_attrs" in what:
            left.setdefault(name, []).append({"PutRequest": {"Item": what["item_attrs"]}})
        else:
            left.setdefault(name, []).append({"DeleteRequest": {"Key": what["key"]}})


def _parts(operation: str, body: Mapping[str, Any]) -> int:
    items = body["RequestItems"].values()
    return sum(len(one["Keys"]) if operation == "BatchGetItem" else len(one) for one in items)


def _show_consumed(call: Call, body: Mapping[str, Any], answer: dict[str, Any]) -> None:
    """Put the capacity that a request took into its answer, if it asks for it.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
    """
    answer.pop("ConsumedCapacity", None)
    asked = body.get("ReturnConsumedCapacity", "NONE")
    if asked == "NONE" or not call.units:
        return
    tables = dict.fromkeys(name for name, _, _ in call.units)
    found = [_consumed(call, name, detailed=asked == "INDEXES") for name in tables]
    many = call.operation in _MANY.values()
    answer["ConsumedCapacity"] = found if many else found[0]


def _consumed(call: Call, table: str, *, detailed: bool) -> dict[str, Any]:
    mine = {(index, kind): units for (name, index, kind), units in call.units.items() if name == table}
    shown: dict[str, Any] = {"TableName": table, **_capacity(mine, call)}
    if not detailed:
        return shown
    shown["Table"] = _capacity({place: units for place, units in mine.items() if not place[0]}, call)
    indexes = dict.fromkeys(index for index, _ in mine if index)
    if indexes:
        shown["GlobalSecondaryIndexes"] = {
            index: _capacity({place: units for place, units in mine.items() if place[0] == index}, call)
            for index in indexes
        }
    return shown


def _capacity(units: Mapping[tuple[str, str], float], call: Call) -> dict[str, float]:
    shown = {"CapacityUnits": sum(units.values())}
    if call.factor == _TRANSACTIONAL:
        for kind in (READ, WRITE):
            if found := [one for (_, of_kind), one in units.items() if of_kind == kind]:
                shown[f"{kind}CapacityUnits"] = sum(found)
    return shown
