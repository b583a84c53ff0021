"""What tables publish to CloudWatch, read back as a user reads it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.lab import truth
from infra.lab.control_plane import table_writes
from infra.lab.profile import FAST
from infra.lab.table_metrics import TableMetrics
from infra.lab.tables import Tables
from infra.lab.truth import TruthLog
from tests.infra.lab.capacitylab import (
    INDEX,
    TABLE,
    capacity_lab,
    drain,
    emptied,
    item,
    key,
    make_table,
    put_until_throttled,
)
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.lab.tablelab import until


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane."""
    with capacity_lab() as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account without a single data point."""
    shared.plane.metrics.__init__()  # type: ignore[misc]
    return emptied(shared)


def publishing(lab: Lab) -> TableMetrics:
    """Return what publishes, at each look."""
    return TableMetrics(lab.plane, replace(FAST, clock_scale=0.0))


def replicated(log: Path) -> list[dict[str, Any]]:
    """Return what the truth log says of writes that reached another region."""
    return [dict(one) for one in truth.read(log) if one["kind"] == "item_replicated"]


def statistic(lab: Lab, name: str, what: str = "Sum", region: str = EAST, **dimensions: str) -> float | None:
    """Return one statistic of the last minutes; None where there are no data points."""
    now = datetime.now(UTC)
    found = lab.client("cloudwatch", region).get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName=name,
        Dimensions=[{"Name": one, "Value": value} for one, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=86400,
        Statistics=[what],
    )["Datapoints"]
    return None if not found else sum(point[what] for point in found)


def test_consumption_and_throttles(lab: Lab) -> None:
    """Of the table, of the index and of the operation, each under its own dimensions."""
    metrics = publishing(lab)
    client = make_table(lab, (50, 500), (50, 3))
    accepted, _ = put_until_throttled(client, pending=True)
    client.get_item(TableName=TABLE, Key=key("0"), ConsistentRead=True)
    metrics.reconcile(lab.now)
    own, index = {"TableName": TABLE}, {"TableName": TABLE, "GlobalSecondaryIndexName": INDEX}
    puts = {**own, "Operation": "PutItem"}
    assert statistic(lab, "ConsumedWriteCapacityUnits", **own) == accepted
    assert statistic(lab, "ConsumedWriteCapacityUnits", **index) == accepted
    assert statistic(lab, "ConsumedReadCapacityUnits", **own) == 1.0
    assert statistic(lab, "ConsumedReadCapacityUnits", **index) is None
    assert statistic(lab, "WriteThrottleEvents", **own) is None
    assert statistic(lab, "WriteThrottleEvents", **index) == 1.0
    assert statistic(lab, "ThrottledRequests", **puts) == 1.0
    assert statistic(lab, "ThrottledRequests", **own) is None
    latency_ms = statistic(lab, "SuccessfulRequestLatency", "Average", **puts)
    assert latency_ms is not None
    assert 0.01 < latency_ms < 1000
    assert statistic(lab, "ProvisionedWriteCapacityUnits", "Maximum", **own) == 500
    assert statistic(lab, "ProvisionedReadCapacityUnits", "Maximum", **index) == 50


def test_what_was_told_is_not_told_again(lab: Lab) -> None:
    """A sum counts each unit once; a table that nobody uses has no data points of use."""
    metrics = publishing(lab)
    client = make_table(lab, (50, 50))
    client.put_item(TableName=TABLE, Item=item("1"))
    for _ in range(3):
        metrics.reconcile(lab.now)
    client.put_item(TableName=TABLE, Item=item("2"))
    metrics.reconcile(lab.now)
    assert statistic(lab, "ConsumedWriteCapacityUnits", TableName=TABLE) == 2.0
    assert statistic(lab, "ConsumedWriteCapacityUnits", "SampleCount", TableName=TABLE) == 2.0
    assert statistic(lab, "ConsumedReadCapacityUnits", TableName=TABLE) is None


def test_a_new_table_of_the_same_name_begins_anew(lab: Lab) -> None:
    """Its first units are told though they are fewer than those of the old one."""
    metrics = publishing(lab)
    for writes in (3, 2):
        client = make_table(lab, (50, 50))
        for number in range(writes):
            client.put_item(TableName=TABLE, Item=item(str(number)))
        metrics.reconcile(lab.now)
        client.delete_table(TableName=TABLE)
    assert statistic(lab, "ConsumedWriteCapacityUnits", TableName=TABLE) == 5.0


def test_replication_latency_is_told_in_both_directions(lab: Lab, tmp_path: Path) -> None:
    """In the region that a write came from, as long as it really took; and nothing without writes."""
    make_table(lab, on_demand=True, replica=True)
    log = TruthLog(tmp_path / "truth.jsonl")
    tables = Tables(lab.plane, replace(FAST, replication_median_s=0.1, replication_sigma=0.1), log)
    table_writes.listen(lambda: tables)

    async def story() -> None:
        await tables.start()
        tables.reconcile(lab.plane.snapshot())
        for number in range(4):
            east = lab.client("dynamodb")
            await asyncio.to_thread(east.put_item, TableName=TABLE, Item=item(f"e{number}"))
        west = lab.client("dynamodb", WEST)
        await asyncio.to_thread(west.put_item, TableName=TABLE, Item=item("w"))

        async def arrived() -> bool:
            return len(replicated(tmp_path / "truth.jsonl")) == 5

        await until(arrived)
        tables.reconcile(lab.plane.snapshot())
        await tables.close()

    asyncio.run(story())
    log.close()
    for source, receiving, writes in ((EAST, WEST, 4), (WEST, EAST, 1)):
        where: dict[str, Any] = {"region": source, "TableName": TABLE, "ReceivingRegion": receiving}
        assert statistic(lab, "ReplicationLatency", "SampleCount", **where) == writes
        mean_ms = statistic(lab, "ReplicationLatency", "Average", **where)
        lags_ms = [
            (one["at_ns"] - one["written_ns"]) / 1e6
            for one in replicated(tmp_path / "truth.jsonl")
            if one["source"] == source
        ]
        assert mean_ms == pytest.approx(sum(lags_ms) / len(lags_ms), rel=0.2, abs=20)
        elsewhere = {**where, "ReceivingRegion": source}
        assert statistic(lab, "ReplicationLatency", "SampleCount", **elsewhere) is None


def test_a_throttled_replica_makes_the_latency_grow(lab: Lab, tmp_path: Path) -> None:
    """Writes wait for the receiving table's capacity, in their order, and none is lost."""
    make_table(lab, (50, 60), replica=True)
    log = TruthLog(tmp_path / "truth.jsonl")
    tables = Tables(lab.plane, replace(FAST, replication_median_s=0.02, replication_sigma=0.1), log)
    drain(lab.client("dynamodb", WEST))
    table_writes.listen(lambda: tables)

    async def story() -> None:
        await tables.start()
        tables.reconcile(lab.plane.snapshot())
        for number in range(20):
            client = lab.client("dynamodb")
            await asyncio.to_thread(client.put_item, TableName=TABLE, Item=item(str(number)))

        async def arrived() -> bool:
            tables.reconcile(lab.plane.snapshot())
            return len(replicated(tmp_path / "truth.jsonl")) == 20

        await until(arrived)
        tables.reconcile(lab.plane.snapshot())
        await tables.close()

    asyncio.run(story())
    log.close()
    arrived = replicated(tmp_path / "truth.jsonl")
    assert len({one["key"]["token"]["S"] for one in arrived}) == 20
    most_ms = statistic(lab, "ReplicationLatency", "Maximum", TableName=TABLE, ReceivingRegion=WEST)
    assert most_ms is not None
    assert most_ms > 200
