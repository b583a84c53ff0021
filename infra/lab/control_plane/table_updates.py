"""UpdateTable as DynamoDB has it: accepted at once, in force later, and the same in every replica.

A table shows ``UPDATING`` until its new settings are in force, which takes :data:`UPDATE_S`
of the lab's clock; until then the old ones hold, and no other update is accepted. Creating
a table, and adding or removing a replica, is done at once in the lab.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
"""

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import GlobalSecondaryIndex, Table
from moto.kms.models import kms_backends

from infra.lab.control_plane import table_changes, table_checks
from infra.lab.control_plane.decreases import CapacityHistory
from infra.lab.control_plane.metering import meter_of
from infra.lab.control_plane.table_changes import NO_MAXIMUM, READS, WRITES, Change
from infra.lab.control_plane.table_settings import (
    ACTIVE,
    ON_DEMAND,
    UPDATING,
    regions_of,
    replicas_of,
    settings_of,
    throughputs,
)
from infra.lab.control_plane.table_writes import locked

UPDATE_S = 30.0
"""How long an update takes; AWS documents none ("several minutes" at worst): an assumption of the lab."""

OWN_KEY = "alias/aws/dynamodb"
_NONE: Mapping[str, int] = {READS: 0, WRITES: 0}


@dataclass(slots=True)
class _Setting:
    """How long an update takes, what forbids one, and who hears that one is done."""

    update_s: float = 0.0
    paused: Callable[[str, str], bool] = lambda _region, _name: False
    changed: Callable[[], None] = lambda: None


_setting = _Setting()


def install(clock_scale: float, paused: Callable[[str, str], bool], changed: Callable[[], None]) -> None:
    """Take how the lab's updates go.

    Args:
        clock_scale: The lab's clock.
        paused: Says of a region and a table whether AWS FIS pauses its replication there.
        changed: Called, from a thread of its own, when an update is in force.

    """
    _setting.update_s, _setting.paused, _setting.changed = UPDATE_S * clock_scale, paused, changed


def update(backend: DynamoDBBackend, request: Mapping[str, Any]) -> Table:
    """Accept a request to update a table; ReplicaUpdates that create and delete are none of its business.

    Raises:
        JsonRESTError: It is refused, in AWS's words; nothing changes then.

    """
    table = backend.get_table(request["TableName"])
    with locked(backend.account_id, *regions_of(table)):
        return accept(table, request)


def accept(table: Table, request: Mapping[str, Any]) -> Table:
    """Accept a request with the tables of all its regions locked."""
    table_checks.require_something(request)
    require_changeable(table)
    changes = _changes(table, replicas_of(table), request)
    now = datetime.now(UTC)
    for replica, change in changes:
        table_checks.require_decreases_left(replica, change, now)
        table_checks.require_key(replica.region_name, change.encryption)
    pending = [_begin(replica, change) for replica, change in changes]
    if pending:
        timer = threading.Timer(_setting.update_s, _complete, args=(table.account_id, pending))
        timer.daemon = True
        timer.start()
    return table


def require_changeable(table: Table) -> None:
    """Refuse while another update is under way, or AWS FIS pauses the table's replication.

    Raises:
        JsonRESTError: ResourceInUseException.

    """
    replicas = replicas_of(table)
    table_checks.require_rest(replicas)
    table_checks.require_no_experiment(replicas, _setting.paused)


def _changes(table: Table, replicas: list[Table], request: Mapping[str, Any]) -> list[tuple[Table, Change]]:
    """Return what changes in which replica; those in which nothing does are left out."""
    updates = [one["Update"] for one in request.get("ReplicaUpdates") or () if "Update" in one]
    by_region = {replica.region_name: replica for replica in replicas[1:]}
    for action in updates:
        if action["RegionName"] not in by_region:
            raise MockValidationException(table_checks.NO_SUCH_REPLICA)
    own = table_changes.local(request)
    table_checks.require_sound(table, own)
    reads_now = {name: int(units[READS]) for name, units in throughputs(table)}
    others = table_changes.elsewhere(own, reads_now)
    found = [(table, own), *((replica, others) for replica in replicas[1:])]
    for action in updates:
        replica = by_region[action["RegionName"]]
        found.append((replica, table_changes.override(action)))
        table_checks.require_sound(replica, found[-1][1])
    nothing = Change(), Change(own_reads=True)
    return [(replica, change) for replica, change in found if change not in nothing]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A change that is accepted and not in force; a transaction may put a copy in the table's place."""

    region: str
    table: str
    table_id: str
    change: Change


def _begin(table: Table, change: Change) -> _Pending:
    kept = settings_of(table)
    kept.status = UPDATING
    kept.index_status.update(dict.fromkeys(change.indexes, UPDATING))
    kept.index_status.update(dict.fromkeys(change.deleted, "DELETING"))
    for one in change.created:
        table.attr = [dict(attribute) for attribute in change.attributes] or table.attr
        index = GlobalSecondaryIndex.create(copy.deepcopy(dict(one)), table.table_key_attrs)
        table.global_indexes.append(index)
        kept.index_status[index.name] = "CREATING"
    if change.created:
        meter_of(table).configure(table)
    return _Pending(table.region_name, table.name, kept.table_id, change)


def _complete(account: str, pending: list[_Pending]) -> None:
    """Put an update in force in every replica."""
    now = datetime.now(UTC)
    with locked(account, *(one.region for one in pending)):
        for one in pending:
            table = dynamodb_backends[account][one.region].tables.get(one.table)
            if table is None or settings_of(table).table_id != one.table_id:
                continue
            apply(table, one.change, now)
            kept = settings_of(table)
            kept.status = ACTIVE
            kept.index_status.clear()
    _setting.changed()


def apply(table: Table, change: Change, now: datetime) -> None:
    """Put a change in force in one region; whoever calls holds its tables."""
    if change.deleted:
        table.global_indexes = [one for one in table.global_indexes if one.name not in change.deleted]
        table.attr = [dict(attribute) for attribute in change.attributes] or table.attr
    _apply_mode(table, change, now)
    _apply_throughput(table, change, now)
    _apply_maxima(table, change)
    kept = settings_of(table)
    if change.table_class:
        kept.table_class, kept.class_changed_at = change.table_class, now
    if change.protected is not None:
        table.deletion_protection_enabled = change.protected
    if change.stream is not None:
        table.set_stream_specification(dict(change.stream))
    if change.encryption is not None:
        encrypt(table, change.encryption)
    meter_of(table).configure(table)


def _apply_mode(table: Table, change: Change, now: datetime) -> None:
    if not change.mode or change.mode == table.billing_mode:
        return
    table.billing_mode = change.mode
    kept = settings_of(table)
    kept.own_reads.clear()
    kept.maxima.clear()
    if change.mode == ON_DEMAND:
        kept.on_demand_since = now
        table.throughput = dict(_NONE)
        for index in table.global_indexes:
            index.throughput = dict(_NONE)


def _apply_throughput(table: Table, change: Change, now: datetime) -> None:
    kept = settings_of(table)
    whole: dict[str, Any] = {"": table, **{index.name: index for index in table.global_indexes}}
    for name in {*change.reads, *change.writes} & whole.keys():
        before = whole[name].throughput
        after = {
            READS: change.reads.get(name, before[READS]),
            WRITES: change.writes.get(name, before[WRITES]),
        }
        if before[READS]:
            # From on-demand, which shows none, there is no increase to date.
            history = kept.history.get(name, CapacityHistory())
            kept.history[name] = history.after(_pair(before), _pair(after), now)
        whole[name].throughput = after
        if name in change.reads:
            (kept.own_reads.add if change.own_reads else kept.own_reads.discard)(name)
    for name, warm in change.warm.items():
        whole[name].warm_throughput = {**whole[name].warm_throughput, **warm, "Status": "ACTIVE"}


def _pair(units: Mapping[str, int]) -> tuple[int, int]:
    return units[READS], units[WRITES]


def _apply_maxima(table: Table, change: Change) -> None:
    """Set the maxima that a change names; one of -1 is taken away, and is shown no more."""
    kept = settings_of(table)
    for name, most in change.maxima.items():
        merged = {**kept.maxima.get(name, {}), **most}
        kept.maxima[name] = {which: units for which, units in merged.items() if units != NO_MAXIMUM}
        if table_changes.MOST_READS in most:
            (kept.own_reads.add if change.own_reads else kept.own_reads.discard)(name)


def encrypt(table: Table, wanted: Mapping[str, Any]) -> None:
    """Encrypt a table with a KMS key, or with DynamoDB's own; the key is shown by its ARN."""
    key_id = wanted.get("KMSMasterKeyId")
    settings_of(table).key_id = key_id or ""
    if not wanted.get("Enabled"):
        table.sse_specification = None
        return
    arn = kms_backends[table.account_id][table.region_name].describe_key(key_id or OWN_KEY).arn
    table.sse_specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn}


def own_key_arn(_table: Table, account: str, region: str) -> str:
    """Return the ARN of DynamoDB's own key, which KMS makes when it is first asked for."""
    return str(kms_backends[account][region].describe_key(OWN_KEY).arn)
