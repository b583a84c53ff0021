"""DynamoDB in the control plane: what moto's tables lack for the lab.

Every accepted write is told to a listener (see :mod:`infra.lab.control_plane.table_writes`),
and tables can be global: a replica is a table of the same name in another region, and each
of them carries the names of all its regions.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.lab import world
from infra.lab.control_plane import table_writes
from infra.lab.control_plane.table_writes import locked, wrap

VERSION = "2019.11.21"
LOCAL_REGION = (
    "Cannot add, delete, or update the local region through ReplicaUpdates. "
    "Use CreateTable, DeleteTable, or UpdateTable as required."
)
NO_SUCH_REPLICA = (
    "Replica specified in the Replica Update or Replica Delete action of the request was not found."
)


def install(listener: Callable[[], world.WriteListener | None]) -> None:
    """Have moto's tables tell ``listener()`` of accepted writes, and teach them to be global.

    Safe to call again: the last listener is the one that hears.
    """
    table_writes.listen(listener)
    wrap(DynamoDBBackend, "delete_table", _deleting_table)
    wrap(Table, "describe", _describing)
    wrap(DynamoHandler, "update_table", _updating_table)


def apply_replica(  # noqa: PLR0913 - a write is one thing, and where it goes is three
    account: str,
    region: str,
    table: str,
    key: Mapping[str, Mapping[str, object]],
    item: Mapping[str, Mapping[str, object]] | None,
    *,
    unless: Callable[[], bool] | None = None,
) -> bool:
    """Write (or delete, with None) an item that another region's table accepted.

    No listener hears of it. A table that is gone takes nothing: its replica was removed.

    Args:
        account: The account.
        region: The region of the table that is to have it.
        table: The table's name.
        key: The item's key in DynamoDB JSON.
        item: The whole item in DynamoDB JSON; None deletes.
        unless: Asked with the table locked; if it says True the table is left alone.

    Returns:
        Whether the table was written.

    """
    backend = dynamodb_backends[account][region]
    with locked(account, region):
        target = backend.tables.get(table)
        if target is None or (unless is not None and unless()):
            return False
        if item is None:
            target.delete_item(*backend.get_keys_value(target, dict(key)))
        else:
            target.put_item(dict(item), overwrite=True)
        return True


def make_replica(
    account: str,
    source_region: str,
    table: str,
    region: str,
    tags: Sequence[Mapping[str, str]] = (),
) -> None:
    """Create the replica of a table in another region, with all items that it holds.

    Args:
        account: The account.
        source_region: A region in which the table is.
        table: Its name.
        region: Where the replica is to be.
        tags: The replica's own tags (``Key``, ``Value``); tags are not replicated.

    Raises:
        MockValidationException: The region has a table of that name already.
        ResourceNotFoundException: The source region has no such table.

    """
    backends = dynamodb_backends[account]
    with locked(account, source_region, region):
        source = backends[source_region].get_table(table)
        if source.name in backends[region].tables:
            message = (
                f"Failed to create a the new replica of table with name: '{source.name}' "
                "because one or more replicas already existed as tables."
            )
            raise MockValidationException(message)
        replica = _like(source, backends[region], [dict(tag) for tag in tags])
        replica.items = copy.deepcopy(source.items)
        _know_each_other(account, source.name, (*regions_of(source), region))


def remove_replica(account: str, table: str, region: str) -> None:
    """Delete a table's replica in one region; the other regions keep theirs.

    Raises:
        ResourceNotFoundException: The region has no such table.

    """
    dynamodb_backends[account][region].delete_table(table)


def regions_of(table: Table) -> tuple[str, ...]:
    """Return every region in which a table is, its own too."""
    found: tuple[str, ...] = getattr(table, "replica_regions", (table.region_name,))
    return found


def tables(account: str, regions: Sequence[str]) -> tuple[world.Table, ...]:
    """Return every table of these regions as the physics see it."""
    return tuple(
        world.Table(
            name=table.name,
            region=region,
            status="ACTIVE",
            arn=table.table_arn,
            replicas=regions_of(table),
            billing=table.billing_mode or "PROVISIONED",
            read_capacity=int(table.throughput["ReadCapacityUnits"]),
            write_capacity=int(table.throughput["WriteCapacityUnits"]),
        )
        for region in regions
        for table in list(dynamodb_backends[account][region].tables.values())
    )


def _like(source: Table, backend: DynamoDBBackend, tags: list[dict[str, str]]) -> Table:
    """Create an empty table with the schema and capacity of another."""
    provisioned = source.billing_mode != "PAY_PER_REQUEST"
    encrypted = (source.sse_specification or {}).get("Enabled") is True
    table = backend.create_table(
        name=source.name,
        schema=copy.deepcopy(source.schema),
        throughput=copy.deepcopy(source.throughput) if provisioned else None,
        attr=copy.deepcopy(source.attr),
        global_indexes=[copy.deepcopy(index.describe()) for index in source.global_indexes],
        indexes=[copy.deepcopy(index.describe()) for index in source.indexes],
        streams=copy.deepcopy(source.stream_specification),
        billing_mode=source.billing_mode or "PROVISIONED",
        sse_specification={"Enabled": True} if encrypted else None,
        tags=tags,
        deletion_protection_enabled=source.deletion_protection_enabled,
        warm_throughput=copy.deepcopy(source.warm_throughput),
    )
    table.ttl = copy.deepcopy(source.ttl)
    return table


def _know_each_other(account: str, name: str, regions: tuple[str, ...]) -> None:
    for region in regions:
        table: Any = dynamodb_backends[account][region].tables[name]
        table.replica_regions = regions


def _deleting_table(original: Callable[..., Table], backend: DynamoDBBackend, name: str) -> Table:
    table = backend.get_table(name)
    regions = regions_of(table)
    with locked(backend.account_id, *regions):
        deleted = original(backend, name)
        left = tuple(region for region in regions if region != backend.region_name)
        _know_each_other(backend.account_id, table.name, left)
        return deleted


def _describing(
    original: Callable[..., dict[str, Any]], table: Table, base_key: str = "TableDescription"
) -> dict[str, Any]:
    description = original(table, base_key)
    others = [region for region in regions_of(table) if region != table.region_name]
    if others:
        description[base_key]["GlobalTableVersion"] = VERSION
        description[base_key]["Replicas"] = [
            {"RegionName": region, "ReplicaStatus": "ACTIVE"} for region in others
        ]
    return description


def _updating_table(original: Callable[..., Any], handler: DynamoHandler) -> Any:
    backend = handler.dynamodb_backend
    for update in handler.body.get("ReplicaUpdates") or ():
        (action, wanted), *_ = update.items()
        _update_replica(backend, backend.get_table(handler.body["TableName"]), action, wanted["RegionName"])
    return original(handler)


def _update_replica(backend: DynamoDBBackend, table: Table, action: str, region: str) -> None:
    if region == backend.region_name:
        raise MockValidationException(LOCAL_REGION)
    if action == "Create":
        make_replica(backend.account_id, backend.region_name, table.name, region)
        return
    if region not in regions_of(table):
        raise MockValidationException(NO_SUCH_REPLICA)
    if action == "Delete":
        remove_replica(backend.account_id, table.name, region)
