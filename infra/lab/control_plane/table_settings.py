"""What DynamoDB keeps of a table besides what moto keeps, and how DescribeTable shows it.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from infra.lab.control_plane.decreases import CapacityHistory

ON_DEMAND, PROVISIONED = "PAY_PER_REQUEST", "PROVISIONED"
ACTIVE, UPDATING = "ACTIVE", "UPDATING"
STANDARD = "STANDARD"
VERSION = "2019.11.21"


@dataclass(slots=True)
class Settings:
    """What moto does not keep of a table in one region; indexes by name, the table itself by an empty one.

    Attributes:
        table_id: Unlike that of any other table.
        status: ``ACTIVE`` or ``UPDATING``.
        index_status: Of indexes that are not active.
        table_class: ``STANDARD`` or ``STANDARD_INFREQUENT_ACCESS``.
        class_changed_at: When it was last changed.
        maxima: On-demand maxima: ``MaxReadRequestUnits``, ``MaxWriteRequestUnits``.
        history: When capacity was increased and decreased.
        on_demand_since: When the capacity mode was last changed to on-demand.
        own_reads: What has reads of its own, set for this replica alone.
        insights: Mode of Contributor Insights where they are on.
        key_id: The KMS key as it was asked for, of a replica.

    """

    table_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = ACTIVE
    index_status: dict[str, str] = field(default_factory=dict)
    table_class: str = STANDARD
    class_changed_at: datetime | None = None
    maxima: dict[str, dict[str, int]] = field(default_factory=dict)
    history: dict[str, CapacityHistory] = field(default_factory=dict)
    on_demand_since: datetime | None = None
    own_reads: set[str] = field(default_factory=set)
    insights: dict[str, str] = field(default_factory=dict)
    key_id: str = ""


def settings_of(table: Table) -> Settings:
    """Return what is kept of a table."""
    found: Settings | None = table.__dict__.get("settings")
    if found is None:
        found = table.__dict__["settings"] = Settings()
    return found


def regions_of(table: Table) -> tuple[str, ...]:
    """Return every region in which a table is, its own too."""
    found: tuple[str, ...] = getattr(table, "replica_regions", (table.region_name,))
    return found


def replicas_of(table: Table) -> list[Table]:
    """Return the table in every region in which it is, its own first."""
    backends = dynamodb_backends[table.account_id]
    others = [region for region in regions_of(table) if region != table.region_name]
    return [table, *(backends[region].tables[table.name] for region in others)]


def complete(table: Table, description: dict[str, Any]) -> None:
    """Add to moto's description of a table what AWS shows besides; changes it in place."""
    kept, now = settings_of(table), datetime.now(UTC)
    description["TableId"] = kept.table_id
    description["TableStatus"] = kept.status
    description["ProvisionedThroughput"] = _throughput(table.throughput, kept, "", now)
    description["GlobalSecondaryIndexes"] = [
        _index(table, index, kept, now) for index in description["GlobalSecondaryIndexes"]
    ]
    for index in description["LocalSecondaryIndexes"]:
        index["IndexArn"] = f"{table.table_arn}/index/{index['IndexName']}"
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not description[name]:
            del description[name]
    if kept.on_demand_since is not None:
        mode = description["BillingModeSummary"]
        description["BillingModeSummary"] = {
            **mode,
            "LastUpdateToPayPerRequestDateTime": kept.on_demand_since,
        }
    if kept.table_class != STANDARD or kept.class_changed_at is not None:
        description["TableClassSummary"] = _table_class(kept)
    if table.billing_mode == ON_DEMAND and kept.maxima.get(""):
        description["OnDemandThroughput"] = kept.maxima[""]
    replicas = [_replica(one) for one in replicas_of(table)[1:]]
    if replicas:
        description["GlobalTableVersion"] = VERSION
        description["Replicas"] = replicas


def _throughput(units: Mapping[str, Any], kept: Settings, index: str, now: datetime) -> dict[str, Any]:
    history = kept.history.get(index, CapacityHistory())
    shown: dict[str, Any] = {
        "ReadCapacityUnits": units["ReadCapacityUnits"],
        "WriteCapacityUnits": units["WriteCapacityUnits"],
        "NumberOfDecreasesToday": len(history.today(now)),
    }
    if history.increased_at is not None:
        shown["LastIncreaseDateTime"] = history.increased_at
    if history.decreased_at:
        shown["LastDecreaseDateTime"] = history.decreased_at[-1]
    return shown


def _index(table: Table, shown: Mapping[str, Any], kept: Settings, now: datetime) -> dict[str, Any]:
    name = shown["IndexName"]
    whole = {
        **shown,
        "IndexArn": f"{table.table_arn}/index/{name}",
        "IndexStatus": kept.index_status.get(name, ACTIVE),
        "ProvisionedThroughput": _throughput(shown["ProvisionedThroughput"], kept, name, now),
    }
    if table.billing_mode == ON_DEMAND and kept.maxima.get(name):
        whole["OnDemandThroughput"] = kept.maxima[name]
    return whole


def _table_class(kept: Settings) -> dict[str, Any]:
    summary: dict[str, Any] = {"TableClass": kept.table_class}
    if kept.class_changed_at is not None:
        summary["LastUpdateDateTime"] = kept.class_changed_at
    return summary


def _replica(replica: Table) -> dict[str, Any]:
    """Return how the other regions show a replica."""
    kept = settings_of(replica)
    shown: dict[str, Any] = {
        "RegionName": replica.region_name,
        "ReplicaStatus": kept.status,
        "ReplicaArn": replica.table_arn,
        "ReplicaTableClassSummary": _table_class(kept),
        **_own_reads(replica, kept, ""),
    }
    if kept.key_id:
        shown["KMSMasterKeyId"] = kept.key_id
    indexes = [
        {"IndexName": index.name, **own}
        for index in replica.global_indexes
        if (own := _own_reads(replica, kept, index.name))
    ]
    if indexes:
        shown["GlobalSecondaryIndexes"] = indexes
    return shown


def _own_reads(replica: Table, kept: Settings, index: str) -> dict[str, Any]:
    """Return the reads that were set for a replica alone."""
    if index not in kept.own_reads:
        return {}
    if replica.billing_mode == ON_DEMAND:
        most = kept.maxima.get(index, {}).get("MaxReadRequestUnits")
        return {} if most is None else {"OnDemandThroughputOverride": {"MaxReadRequestUnits": most}}
    units = dict(throughputs(replica))[index]["ReadCapacityUnits"]
    return {"ProvisionedThroughputOverride": {"ReadCapacityUnits": units}}


def throughputs(table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the provisioned units of a table, by an empty name, and of each of its global indexes."""
    yield "", table.throughput
    for index in table.global_indexes:
        yield index.name, index.throughput
