"""Replicas of global tables: made, removed, and written by replication.

A replica is a table of the same name in another region, and each of them carries the names
of all its regions.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from infra.lab import world
from infra.lab.control_plane import metering, table_changes, table_checks, table_updates
from infra.lab.control_plane.metered_call import ThroughputExceeded
from infra.lab.control_plane.table_settings import ON_DEMAND, regions_of, settings_of
from infra.lab.control_plane.table_writes import locked, store_item

LOCAL_REGION = (
    "Cannot add, delete, or update the local region through ReplicaUpdates. "
    "Use CreateTable, DeleteTable, or UpdateTable as required."
)
NOT_SCALED = "Table write capacity should either be Pay-Per-Request or AutoScaled."


def update_replica(backend: DynamoDBBackend, table: Table, action: str, wanted: Mapping[str, Any]) -> None:
    """Carry out a Create or Delete action of ReplicaUpdates.

    Raises:
        MockValidationException: It can't be done.

    """
    region = str(wanted["RegionName"])
    if region == backend.region_name:
        raise MockValidationException(LOCAL_REGION)
    if action == "Create":
        if table.billing_mode != ON_DEMAND and not _is_scaled(table):
            raise MockValidationException(NOT_SCALED)
        change = table_changes.override(wanted)
        table_checks.require_key(region, change.encryption)
        make_replica(backend.account_id, backend.region_name, table.name, region)
        with locked(backend.account_id, region):
            replica = dynamodb_backends[backend.account_id][region].tables[table.name]
            table_updates.apply(replica, change, datetime.now(UTC))
        return
    if region not in regions_of(table):
        raise MockValidationException(table_checks.NO_SUCH_REPLICA)
    remove_replica(backend.account_id, table.name, region)


def _is_scaled(table: Table) -> bool:
    """Say whether a table's writes are scaled, which a provisioned global table needs."""
    targets = applicationautoscaling_backends[table.account_id][table.region_name].targets
    return f"table/{table.name}" in targets.get("dynamodb:table:WriteCapacityUnits", {})


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
        know_each_other(account, source.name, (*regions_of(source), region))


def remove_replica(account: str, table: str, region: str) -> None:
    """Delete a table's replica in one region; the other regions keep theirs.

    Raises:
        ResourceNotFoundException: The region has no such table.

    """
    dynamodb_backends[account][region].delete_table(table)


def know_each_other(account: str, name: str, regions: Sequence[str]) -> None:
    """Have the tables of a name in some regions be replicas of one another."""
    for region in regions:
        table: Any = dynamodb_backends[account][region].tables[name]
        table.replica_regions = tuple(regions)


def _like(source: Table, backend: DynamoDBBackend, tags: list[dict[str, str]]) -> Table:
    """Create an empty table with the schema and capacity of another."""
    provisioned = source.billing_mode != ON_DEMAND
    table = backend.create_table(
        name=source.name,
        schema=copy.deepcopy(source.schema),
        throughput=copy.deepcopy(source.throughput) if provisioned else None,
        attr=copy.deepcopy(source.attr),
        global_indexes=[copy.deepcopy(index.describe()) for index in source.global_indexes],
        indexes=[copy.deepcopy(index.describe()) for index in source.indexes],
        streams=copy.deepcopy(source.stream_specification),
        billing_mode=source.billing_mode or "PROVISIONED",
        sse_specification=None,
        tags=tags,
        deletion_protection_enabled=False,
        warm_throughput=copy.deepcopy(source.warm_throughput),
    )
    if (source.sse_specification or {}).get("Enabled") is True:
        table_updates.encrypt(table, {"Enabled": True})
    table.ttl = copy.deepcopy(source.ttl)
    kept = settings_of(source)
    settings_of(table).maxima = copy.deepcopy(kept.maxima)
    settings_of(table).table_class = kept.table_class
    return table


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

    It takes write capacity as any other write does. No listener hears of it. A table that is
    gone takes nothing: its replica was removed.

    Args:
        account: The account.
        region: The region of the table that is to have it.
        table: The table's name.
        key: The item's key in DynamoDB JSON.
        item: The whole item in DynamoDB JSON; None deletes.
        unless: Asked with the table locked; if it says True the table is left alone.

    Returns:
        Whether the table was written.

    Raises:
        ReplicaThrottled: The table, or an index that the item touches, has no capacity now.

    """
    backend = dynamodb_backends[account][region]
    with locked(account, region):
        target = backend.tables.get(table)
        if target is None:
            return False
        place = backend.get_keys_value(target, dict(key))
        before = target.get_item(*place)
        after = None if item is None else Item(*place, dict(item))
        try:
            metering.require_capacity(target, before, after)
        except ThroughputExceeded as refusal:
            raise world.ReplicaThrottled(refusal.wait_s) from None
        if unless is not None and unless():
            return False
        store_item(target, place, after)
        if target.stream_shard is not None and (before or after):
            target.stream_shard.add(before, after)
        metering.write(target, before, after, {})
        return True
