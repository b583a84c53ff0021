"""DynamoDB in the control plane: what moto's tables lack for the lab.

Every accepted write is told to a listener (:mod:`.table_writes`), tables can be global
(:mod:`.table_replicas`), reads and writes take capacity (:mod:`.metering`), and updates are
made as AWS makes them (:mod:`.table_updates`).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from infra.lab import world
from infra.lab.control_plane import (
    insights,
    metering,
    table_changes,
    table_checks,
    table_operations,
    table_reads,
    table_updates,
    table_writes,
)
from infra.lab.control_plane.mending import ACCOUNT, replace
from infra.lab.control_plane.table_replicas import know_each_other, update_replica
from infra.lab.control_plane.table_settings import (
    complete,
    regions_of,
    replicas_of,
    settings_of,
)
from infra.lab.control_plane.table_writes import locked, wrap


def install(
    listener: Callable[[], world.WriteListener | None],
    paused: Callable[[str, str], bool] = lambda _region, _name: False,
    changed: Callable[[], None] = lambda: None,
    clock_scale: float = 1.0,
) -> None:
    """Mend moto's DynamoDB. Safe to call again: the last arguments hold.

    Args:
        listener: Returns who hears of accepted writes, if anybody does.
        paused: Says of a region and a table whether AWS FIS pauses its replication there.
        changed: Called, from a thread of its own, when an update of a table is in force.
        clock_scale: The lab's clock.

    """
    table_writes.listen(listener)
    table_reads.install()
    table_operations.install()
    table_updates.install(clock_scale, paused, changed)
    metering.install(clock_scale)
    insights.install()
    replace(Table, "_get_default_encryption_key", lambda _: table_updates.own_key_arn)
    wrap(DynamoDBBackend, "delete_table", _deleting_table)
    wrap(DynamoDBBackend, "update_time_to_live", _updating_time_to_live)
    wrap(DynamoDBBackend, "tag_resource", _tagging)
    wrap(Table, "describe", _describing)
    wrap(DynamoHandler, "create_table", _creating_table)
    wrap(DynamoHandler, "update_table", _updating_table)


def tables(account: str, regions: Sequence[str]) -> tuple[world.Table, ...]:
    """Return every table of these regions as the physics see it."""
    return tuple(
        world.Table(
            name=table.name,
            region=region,
            status=settings_of(table).status,
            arn=table.table_arn,
            replicas=regions_of(table),
            billing=table.billing_mode or "PROVISIONED",
            read_capacity=int(table.throughput["ReadCapacityUnits"]),
            write_capacity=int(table.throughput["WriteCapacityUnits"]),
            indexes=tuple(
                world.TableIndex(
                    index.name,
                    int(index.throughput["ReadCapacityUnits"]),
                    int(index.throughput["WriteCapacityUnits"]),
                )
                for index in list(table.global_indexes)
            ),
        )
        for region in regions
        for table in list(dynamodb_backends[account][region].tables.values())
    )


def use(regions: Sequence[str]) -> tuple[world.TableUse, ...]:
    """Return what was used of the tables of these regions so far."""
    return metering.use(
        table for region in regions for table in list(dynamodb_backends[ACCOUNT][region].tables.values())
    )


def _describing(
    original: Callable[..., dict[str, Any]], table: Table, base_key: str = "TableDescription"
) -> dict[str, Any]:
    description = original(table, base_key)
    complete(table, description[base_key])
    return description


def _creating_table(original: Callable[..., Any], handler: DynamoHandler) -> Any:
    body = handler.body
    # moto writes into what it is given.
    encryption = copy.copy(body.get("SSESpecification"))
    table_checks.require_key(handler.dynamodb_backend.region_name, encryption)
    original(handler)
    table = handler.dynamodb_backend.tables[body["TableName"]]
    kept = settings_of(table)
    kept.table_class = body.get("TableClass") or kept.table_class
    maxima = {"": body, **{one["IndexName"]: one for one in body.get("GlobalSecondaryIndexes") or ()}}
    kept.maxima = {
        name: dict(part["OnDemandThroughput"])
        for name, part in maxima.items()
        if part.get("OnDemandThroughput")
    }
    if encryption is not None:
        table_updates.encrypt(table, encryption)
    if body.get("ResourcePolicy"):
        handler.dynamodb_backend.put_resource_policy(table.table_arn, body["ResourcePolicy"], None)
    metering.meter_of(table).configure(table)
    return DynamoResult(table.describe())


def _updating_table(_: Callable[..., Any], handler: DynamoHandler) -> ActionResult:
    return DynamoResult(update_table(handler.dynamodb_backend, handler.body).describe())


def update_table(backend: DynamoDBBackend, request: Mapping[str, Any]) -> Table:
    """Carry out UpdateTable: replicas come and go at once, all else is accepted and done later.

    Raises:
        JsonRESTError: It is refused, in AWS's words.

    """
    table = backend.get_table(request["TableName"])
    updates = request.get("ReplicaUpdates") or ()
    members = [one for one in updates if "Update" not in one]
    if not members:
        return table_updates.update(backend, request)
    table_updates.require_changeable(table)
    for update in members:
        (action, wanted), *_ = update.items()
        update_replica(backend, table, action, wanted)
    rest = {**request, "ReplicaUpdates": [one for one in updates if "Update" in one] or None}
    if any(rest.get(name) is not None for name in table_changes.SETTINGS):
        table_updates.update(backend, rest)
    return table


def _deleting_table(original: Callable[..., Table], backend: DynamoDBBackend, name: str) -> Table:
    table = backend.get_table(name)
    regions = regions_of(table)
    with locked(backend.account_id, *regions):
        table_checks.require_rest([table])
        deleted = original(backend, name)
        left = tuple(region for region in regions if region != backend.region_name)
        know_each_other(backend.account_id, deleted.name, left)
        gone: Any = deleted
        gone.replica_regions = (backend.region_name,)
        settings_of(deleted).status = "DELETING"
        return deleted


def _updating_time_to_live(
    original: Callable[..., None], backend: DynamoDBBackend, name: str, wanted: dict[str, Any]
) -> None:
    original(backend, name, wanted)
    table = backend.get_table(name)
    with locked(backend.account_id, *regions_of(table)):
        for replica in replicas_of(table)[1:]:
            replica.ttl = copy.deepcopy(table.ttl)


def _tagging(_: Callable[..., None], backend: DynamoDBBackend, arn: str, tags: dict[str, str]) -> None:
    # moto adds a tag once more instead of giving it the new value.
    for table in backend.tables.values():
        if table.table_arn == arn:
            kept = [tag for tag in table.tags if tag["Key"] not in tags]
            table.tags = [*kept, *({"Key": key, "Value": value} for key, value in tags.items())]
