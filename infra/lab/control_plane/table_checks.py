"""What DynamoDB refuses of an UpdateTable request, and in which words.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table

from infra.lab.control_plane.decreases import CapacityHistory, refusal
from infra.lab.control_plane.keys import why_unusable
from infra.lab.control_plane.table_changes import READS, SETTINGS, WRITES, Change
from infra.lab.control_plane.table_settings import (
    ACTIVE,
    ON_DEMAND,
    PROVISIONED,
    settings_of,
    throughputs,
)

NO_SUCH_REPLICA = (
    "Replica specified in the Replica Update or Replica Delete action of the request was not found."
)
_PREFIX = "com.amazonaws.dynamodb.v20120810#"


def refuse(code: str, message: str) -> NoReturn:
    """Raise an error of DynamoDB.

    Raises:
        JsonRESTError: Always.

    """
    raise JsonRESTError(_PREFIX + code, message)


def require_something(request: Mapping[str, Any]) -> None:
    """Refuse a request that asks for nothing."""
    if not any(request.get(name) is not None for name in SETTINGS):
        msg = (
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
        )
        raise MockValidationException(msg)


def require_rest(replicas: Sequence[Table]) -> None:
    """Refuse while an update of any replica is not complete."""
    for table in replicas:
        if settings_of(table).status != ACTIVE:
            refuse(
                "ResourceInUseException",
                "Attempt to change a resource which is still in use: Table is being updated: " + table.name,
            )


def require_no_experiment(replicas: Sequence[Table], paused: Callable[[str, str], bool]) -> None:
    """Refuse while AWS FIS pauses the table's replication: settings can't change then.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html
    """
    for table in replicas:
        if paused(table.region_name, table.name):
            refuse(
                "ResourceInUseException",
                "Attempt to change a resource which is still in use: "
                f"Table has a fault injection experiment in progress: {table.name}",
            )


def require_sound(table: Table, change: Change) -> None:
    """Refuse a change that the table can't take."""
    for problem in _problems(table, change):
        raise MockValidationException(problem)
    if len(change.created) + len(change.deleted) > 1:
        refuse(
            "LimitExceededException",
            "Subscriber limit exceeded: "
            "Only 1 online index can be created or deleted simultaneously per table",
        )


def _problems(table: Table, change: Change) -> Iterator[str]:
    names = {index.name for index in table.global_indexes}
    for name in sorted(change.indexes | set(change.deleted)):
        if name not in names:
            yield f"The table does not have the specified index: {name}"
    for one in change.created:
        if one["IndexName"] in names:
            yield f"Attempting to create an index which already exists: {one['IndexName']}"
    yield from _capacity_problems(table, change, names)


def _capacity_problems(table: Table, change: Change, names: set[str]) -> Iterator[str]:
    mode = change.mode or table.billing_mode or PROVISIONED
    if mode == ON_DEMAND and (change.reads or change.writes):
        yield (
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits "
            f"can be specified when BillingMode is {ON_DEMAND}"
        )
    if mode == PROVISIONED and change.maxima:
        yield (
            "One or more parameter values were invalid: OnDemandThroughput can't be specified "
            f"when BillingMode is {PROVISIONED}"
        )
    becomes_provisioned = mode == PROVISIONED and table.billing_mode == ON_DEMAND
    if becomes_provisioned and change.writes.keys() != {"", *(names - set(change.deleted))}:
        yield (
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both "
            f"be specified when BillingMode is {PROVISIONED}"
        )
    if not becomes_provisioned:
        yield from (problem for name in change.writes if (problem := _unchanged(table, change, name)))
    if any(units < 1 for units in (*change.reads.values(), *change.writes.values())):
        yield "1 validation error detected: provisioned capacity must be 1 or more"


def _unchanged(table: Table, change: Change, name: str) -> str:
    now = dict(throughputs(table)).get(name)
    if now is None or (now[READS], now[WRITES]) != (change.reads[name], change.writes[name]):
        return ""
    what = f"index {name}" if name else "table"
    return (
        f"The provisioned throughput for the {what} will not change. The requested value equals the current "
        f"value. Current ReadCapacityUnits provisioned for the {what}: {now[READS]}. Requested "
        f"ReadCapacityUnits: {change.reads[name]}. Current WriteCapacityUnits provisioned for the {what}: "
        f"{now[WRITES]}. Requested WriteCapacityUnits: {change.writes[name]}. Refer to the Amazon DynamoDB "
        "Developer Guide for current limits and how to request higher limits."
    )


def require_key(region: str, encryption: Mapping[str, Any] | None) -> None:
    """Refuse a KMS key that can't encrypt a table in a region."""
    key_id = (encryption or {}).get("KMSMasterKeyId")
    why = why_unusable(region, key_id) if key_id else ""
    if why:
        msg = f"One or more parameter values were invalid: KMS key {why}"
        raise MockValidationException(msg)


def require_decreases_left(table: Table, change: Change, now: datetime) -> None:
    """Refuse a decrease that comes too soon; a request over the limit is refused whole."""
    history = settings_of(table).history
    for name, units in throughputs(table):
        wanted = (change.reads.get(name, units[READS]), change.writes.get(name, units[WRITES]))
        if wanted[0] >= units[READS] and wanted[1] >= units[WRITES]:
            continue
        why = refusal(history.get(name, CapacityHistory()), now, name)
        if why:
            refuse("LimitExceededException", why)
