"""What reading from DynamoDB's tables costs: it is taken from their capacity, and counted.

Only what a request of the API reads is metered: moto reads items for its own purposes too.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections.abc import Callable
from typing import Any

from moto.dynamodb.comparisons import OpDefault
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from infra.lab.control_plane import metering
from infra.lab.control_plane.item_costs import item_bytes
from infra.lab.control_plane.metered_call import READ, running
from infra.lab.control_plane.table_writes import lock_of, locked, named, wrap

_GET = ("table_name", "keys", "projection_expressions")
_BARE = 2
_QUERY = (
    "hash_key",
    "range_comparison",
    "range_objs",
    "limit",
    "exclusive_start_key",
    "scan_index_forward",
    "projection_expressions",
    "index_name",
    "consistent_read",
    "filter_expression",
)
_SCAN = (
    "filters",
    "limit",
    "exclusive_start_key",
    "filter_expression",
    "index_name",
    "consistent_read",
    "projection_expression",
    "segments",
)
# What takes something away from what was read, and what stands for nothing taken away.
_LESS: dict[str, Any] = {
    "filter_expression": None,
    "filters": {},
    "projection_expressions": None,
    "projection_expression": None,
}


def install() -> None:
    """Have moto's tables meter what is read from them; safe to call again."""
    wrap(DynamoDBBackend, "get_item", _getting)
    wrap(Table, "query", _querying)
    wrap(Table, "scan", _scanning)


def _getting(original: Callable[..., Any], backend: DynamoDBBackend, *args: Any, **kwargs: Any) -> Any:
    with locked(backend.account_id, backend.region_name):
        call = running()
        if call is None or not call.reads:
            return original(backend, *args, **kwargs)
        given = named(_GET, args, kwargs)
        table = backend.get_table(given["table_name"])
        if not metering.admitted(table, READ, given["keys"]):
            return None
        item = original(backend, *args, **kwargs)
        whole = table.get_item(*backend.get_keys_value(table, given["keys"])) if len(given) > _BARE else item
        metering.read(table, "", item_bytes(whole))
        return item


def _querying(original: Callable[..., Any], table: Table, *args: Any, **kwargs: Any) -> Any:
    return _search(original, table, dict(zip(_QUERY, args, strict=False)) | kwargs)


def _scanning(original: Callable[..., Any], table: Table, *args: Any, **kwargs: Any) -> Any:
    return _search(original, table, dict(zip(_SCAN, args, strict=False)) | kwargs)


def _search(original: Callable[..., Any], table: Table, named: dict[str, Any]) -> Any:
    if running() is None:
        return original(table, **named)
    lock = lock_of(table)
    asked = str(named.get("index_name") or "")
    index = asked if any(one.name == asked for one in table.global_indexes) else ""
    with lock:
        metering.meter_of(table).admit(table, index, READ)
    found = original(table, **named)
    less = {name: whole for name, whole in _LESS.items() if not _is_nothing(named.get(name))}
    # A read costs what it looks at: what it shows of that makes no difference.
    seen = original(table, **{**named, **less})[0] if less else found[0]
    with lock:
        metering.read(table, index, sum(item_bytes(item) for item in seen))
    return found


def _is_nothing(value: object) -> bool:
    return not value or isinstance(value, OpDefault)
