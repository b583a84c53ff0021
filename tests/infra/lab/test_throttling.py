"""Capacity of tables as a client meets it: what is admitted, what is throttled, what it says."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.control_plane import table_replicas
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.world import ReplicaThrottled
from tests.infra.lab.capacitylab import (
    CODE,
    INDEX,
    TABLE,
    capacity_lab,
    drain,
    emptied,
    item,
    key,
    make_table,
    put_until_throttled,
    refusal,
    until_throttled,
)
from tests.infra.lab.planelab import EAST, WEST, Lab


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane; its buckets keep 1.2 seconds."""
    with capacity_lab() as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account."""
    return emptied(shared)


def test_writes_are_throttled_when_the_burst_is_used_up(lab: Lab) -> None:
    """As many are accepted as were kept and have come back meanwhile, and not one more than that."""
    client = make_table(lab, (5, 5))
    time.sleep(1.5)  # unused: 1.2 s of it are kept
    accepted, spent_s = put_until_throttled(client)
    assert 1.2 * 5 <= accepted <= 1.2 * 5 + 5 * spent_s + 1


def test_a_new_table_has_a_second_of_burst(lab: Lab) -> None:
    """Nothing was left unused yet."""
    began_s = time.monotonic()
    client = make_table(lab, (5, 4))
    accepted, _ = put_until_throttled(client)
    assert 4 <= accepted <= 4 + 4 * (time.monotonic() - began_s) + 1


def test_capacity_comes_back_at_its_rate(lab: Lab) -> None:
    """Over some time a client gets the provisioned rate, however hard it tries."""
    client = make_table(lab, (5, 8))
    put_until_throttled(client)
    began_s, accepted = time.monotonic(), 0
    while time.monotonic() - began_s < 1.5:
        try:
            client.put_item(TableName=TABLE, Item=item("again"))
            accepted += 1
        except ClientError:
            time.sleep(0.002)
    spent_s = time.monotonic() - began_s
    assert 0.5 * 8 * spent_s <= accepted <= 8 * spent_s + 2


def test_a_refusal_is_the_documented_one(lab: Lab) -> None:
    """Code, text, status, and the reason with what has run out."""
    client = make_table(lab, (5, 2))
    drain(client)
    answer = refusal(lambda: client.put_item(TableName=TABLE, Item=item("x")))
    assert answer["Error"]["Code"] == CODE
    assert answer["Error"]["Message"].startswith(
        "The level of configured provisioned throughput for the table"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ThrottlingReasons"] == [
        {
            "reason": "TableWriteProvisionedThroughputExceeded",
            "resource": f"arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/{TABLE}",
        }
    ]


def test_larger_items_cost_more(lab: Lab) -> None:
    """Of items of 4 KB only a quarter as many are accepted."""
    small, _ = put_until_throttled(make_table(lab, (5, 8)))
    large, large_s = put_until_throttled(make_table(emptied(lab), (5, 8)), size=4000)
    assert small >= 8
    assert 8 / 4 <= large <= (8 + 8 * large_s) / 4 + 1.5


def test_reads_are_throttled_by_what_they_read(lab: Lab) -> None:
    """A consistent read of 8 KB takes two units; an eventually consistent one takes one."""
    client = make_table(lab, (4, 500))
    client.put_item(TableName=TABLE, Item=item("big", 8000))

    def reads(*, consistent: bool) -> tuple[int, float]:
        return until_throttled(
            lambda _: client.get_item(TableName=TABLE, Key=key("big"), ConsistentRead=consistent)
        )

    time.sleep(1.3)
    strong, strong_s = reads(consistent=True)
    time.sleep(1.3)
    weak, weak_s = reads(consistent=False)
    assert 4.8 / 2 <= strong <= (4.8 + 4 * strong_s) / 2 + 1
    assert 4.8 <= weak <= 4.8 + 4 * weak_s + 1


def test_an_index_without_capacity_throttles_the_write(lab: Lab) -> None:
    """Nothing of the write stays; a write that the index does not hold is accepted."""
    client = make_table(lab, (50, 500), (50, 2))
    drain(client, pending=True)
    answer = refusal(lambda: client.put_item(TableName=TABLE, Item=item("late", pending=True)))
    (reason,) = answer["ThrottlingReasons"]
    assert reason["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert reason["resource"].endswith(f"table/{TABLE}/index/{INDEX}")
    assert "Item" not in client.get_item(TableName=TABLE, Key=key("late"), ConsistentRead=True)
    client.put_item(TableName=TABLE, Item=item("elsewhere"))


def test_an_update_that_an_index_throttles_changes_nothing(lab: Lab) -> None:
    """The item is as it was; the table's listener hears nothing of it."""
    client = make_table(lab, (50, 500), (50, 2))
    client.put_item(TableName=TABLE, Item=item("1"))
    drain(client, pending=True)
    physics = lab.connect()
    refusal(
        lambda: client.update_item(
            TableName=TABLE,
            Key=key("1"),
            UpdateExpression="SET #p = :p",
            ExpressionAttributeNames={"#p": INDEX},
            ExpressionAttributeValues={":p": {"S": "p"}},
        )
    )
    assert INDEX not in client.get_item(TableName=TABLE, Key=key("1"), ConsistentRead=True)["Item"]
    assert physics.writes == []


def _consumed(client: Any, operation: str, **request: Any) -> Any:
    return getattr(client, operation)(**request, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]


def test_consumed_capacity_is_told_on_demand(lab: Lab) -> None:
    """By table and index, in the units that were really taken; and not at all if it is not asked for."""
    client = make_table(lab, (500, 500), (500, 500))
    new = _consumed(client, "put_item", TableName=TABLE, Item=item("1", 2000, pending=True))
    assert (new["CapacityUnits"], new["Table"]["CapacityUnits"]) == (4.0, 2.0)
    assert new["GlobalSecondaryIndexes"] == {INDEX: {"CapacityUnits": 2.0}}
    same = _consumed(client, "put_item", TableName=TABLE, Item=item("1", 2000, pending=True))
    assert "GlobalSecondaryIndexes" not in same
    taken = _consumed(
        client,
        "update_item",
        TableName=TABLE,
        Key=key("1"),
        UpdateExpression="REMOVE #p",
        ExpressionAttributeNames={"#p": INDEX},
    )
    assert (taken["Table"]["CapacityUnits"], taken["GlobalSecondaryIndexes"][INDEX]["CapacityUnits"]) == (
        2,
        2,
    )
    read = _consumed(client, "get_item", TableName=TABLE, Key=key("1"), ConsistentRead=True)
    assert read["CapacityUnits"] == 1.0
    assert _consumed(client, "get_item", TableName=TABLE, Key=key("none"))["CapacityUnits"] == 0.5
    answer = client.put_item(TableName=TABLE, Item=item("2"), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": TABLE, "CapacityUnits": 1.0}
    assert "ConsumedCapacity" not in client.delete_item(TableName=TABLE, Key=key("2"))


def test_a_moved_index_entry_costs_two_writes(lab: Lab) -> None:
    """One deletes the old entry, one makes the new one."""
    client = make_table(lab, (500, 500), (500, 500))
    client.put_item(TableName=TABLE, Item=item("1", pending=True))
    moved = {**item("1"), INDEX: {"S": "other"}}
    found = _consumed(client, "put_item", TableName=TABLE, Item=moved)
    assert found["GlobalSecondaryIndexes"][INDEX]["CapacityUnits"] == 2.0


def test_queries_and_scans_cost_what_they_look_at(lab: Lab) -> None:
    """By bytes, together and not item by item; what a filter takes away costs too."""
    client = make_table(lab, (500, 500), (500, 500))
    for number in range(10):
        client.put_item(TableName=TABLE, Item=item(str(number), 1500, pending=number < 2))
    condition: dict[str, Any] = {
        "TableName": TABLE,
        "KeyConditionExpression": "customer = :c",
        "ExpressionAttributeValues": {":c": {"S": "c"}},
    }
    assert _consumed(client, "query", **condition, ConsistentRead=True)["CapacityUnits"] == 4.0
    assert _consumed(client, "query", **condition)["CapacityUnits"] == 2.0
    assert _consumed(client, "query", **condition, Limit=2)["CapacityUnits"] == 0.5
    values = {**condition["ExpressionAttributeValues"], ":t": {"S": "none"}}
    filtered = {**condition, "ExpressionAttributeValues": values, "FilterExpression": "#x = :t"}
    filtered["ExpressionAttributeNames"] = {"#x": "text"}
    assert _consumed(client, "query", **filtered)["CapacityUnits"] == 2.0
    assert _consumed(client, "scan", TableName=TABLE)["CapacityUnits"] == 2.0
    of_index = _consumed(
        client,
        "query",
        TableName=TABLE,
        IndexName=INDEX,
        KeyConditionExpression="#p = :p",
        ExpressionAttributeNames={"#p": INDEX},
        ExpressionAttributeValues={":p": {"S": "p"}},
    )
    assert of_index["GlobalSecondaryIndexes"] == {INDEX: {"CapacityUnits": 0.5}}
    assert of_index["Table"]["CapacityUnits"] == 0


def test_transactions_cost_twice(lab: Lab) -> None:
    """Each write and each read of a transaction counts double."""
    client = make_table(lab, (500, 500))
    writes = [{"Put": {"TableName": TABLE, "Item": item(token)}} for token in "ab"]
    (wrote,) = _consumed(client, "transact_write_items", TransactItems=writes)
    assert (wrote["CapacityUnits"], wrote["WriteCapacityUnits"]) == (4.0, 4.0)
    reads = [{"Get": {"TableName": TABLE, "Key": key(token)}} for token in "ab"]
    (read,) = _consumed(client, "transact_get_items", TransactItems=reads)
    assert (read["CapacityUnits"], read["ReadCapacityUnits"]) == (4.0, 4.0)


def test_a_throttled_transaction_is_cancelled_whole(lab: Lab) -> None:
    """Its reasons say so, and nothing of it is written."""
    client = make_table(lab, (50, 2))
    drain(client)
    writes = [{"Put": {"TableName": TABLE, "Item": item(token)}} for token in "ab"]
    answer = refusal(lambda: client.transact_write_items(TransactItems=writes))
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert {one["Code"] for one in answer["CancellationReasons"]} == {"ProvisionedThroughputExceeded"}
    assert "Item" not in client.get_item(TableName=TABLE, Key=key("a"))


def test_of_a_batch_the_throttled_part_stays_unprocessed(lab: Lab) -> None:
    """What there is capacity for is done; when that is nothing, the batch is throttled."""
    client = make_table(lab, (500, 2))
    batch = {TABLE: [{"PutRequest": {"Item": item(f"b{number}", 900)}} for number in range(20)]}
    left = client.batch_write_item(RequestItems=batch)["UnprocessedItems"][TABLE]
    assert 0 < len(left) < 20
    done = {f"b{number}" for number in range(20)} - {one["PutRequest"]["Item"]["token"]["S"] for one in left}
    assert all("Item" in client.get_item(TableName=TABLE, Key=key(token)) for token in done)
    drain(client)
    assert refusal(lambda: client.batch_write_item(RequestItems={TABLE: left}))["Error"]["Code"] == CODE


def test_of_a_batch_of_reads_too(lab: Lab) -> None:
    """Keys that were not read come back as unprocessed."""
    client = make_table(lab, (4, 500))
    for number in range(20):
        client.put_item(TableName=TABLE, Item=item(str(number)))
    keys = {"Keys": [key(str(number)) for number in range(20)], "ConsistentRead": True}
    answer = client.batch_get_item(RequestItems={TABLE: keys})
    unread = answer["UnprocessedKeys"][TABLE]
    assert len(unread["Keys"]) + len(answer["Responses"][TABLE]) == 20
    assert unread["Keys"]
    assert unread["ConsistentRead"] is True


def test_a_failed_condition_costs_what_it_looked_at(lab: Lab) -> None:
    """A conditional write that fails takes write capacity all the same."""
    client = make_table(lab, (50, 10))
    client.put_item(TableName=TABLE, Item=item("1", 3000))
    codes = []
    for _ in range(40):
        answer = refusal(
            lambda: client.put_item(
                TableName=TABLE, Item=item("1"), ConditionExpression="attribute_not_exists(customer)"
            )
        )
        codes.append(answer["Error"]["Code"])
    assert codes[0] == "ConditionalCheckFailedException"
    assert CODE in codes


def test_on_demand_there_is_no_limit_but_the_one_that_is_set(lab: Lab) -> None:
    """Beyond MaxWriteRequestUnits a write is throttled by another exception, with its reason."""
    client = make_table(lab, on_demand=True)
    for number in range(60):
        client.put_item(TableName=TABLE, Item=item(str(number)))
    client.delete_table(TableName=TABLE)
    make_table(lab, on_demand=True, OnDemandThroughput={"MaxWriteRequestUnits": 4})
    answers = []
    for number in range(60):
        try:
            client.put_item(TableName=TABLE, Item=item(str(number)))
        except ClientError as problem:
            answers.append(problem.response)
    assert {one["Error"]["Code"] for one in answers} == {"ThrottlingException"}
    (reason,) = answers[0]["throttlingReasons"]
    assert reason["reason"] == "TableWriteMaxOnDemandThroughputExceeded"


def test_replicated_writes_take_the_receiving_tables_capacity(lab: Lab) -> None:
    """A replica without write capacity takes nothing, and says how long that lasts."""
    make_table(lab, (50, 10), replica=True)
    west = lab.client("dynamodb", WEST)
    table_replicas.apply_replica(ACCOUNT, WEST, TABLE, key("big"), item("big", 90_000))
    with pytest.raises(ReplicaThrottled) as refused:
        table_replicas.apply_replica(ACCOUNT, WEST, TABLE, key("late"), item("late"))
    assert 5 < refused.value.wait_s < 9
    assert refusal(lambda: west.put_item(TableName=TABLE, Item=item("local")))["Error"]["Code"] == CODE
    assert "Item" not in west.get_item(TableName=TABLE, Key=key("late"))
    used = {(one.region, one.index): one for one in lab.plane.table_use()}
    assert (used[WEST, ""].write_units, used[WEST, ""].write_throttles) == (88, 2)
    assert used[EAST, ""].write_units == 0


def test_a_throttled_write_is_told_to_the_physics(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which table, or which index of it, in which region, and which item; for the log of what happened."""
    told = []
    physics = lab.connect()
    monkeypatch.setattr(physics, "throttled", lambda *place: told.append(place))
    client = make_table(lab, (50, 500), (50, 2))
    drain(client, pending=True)
    assert told
    assert {place[:3] for place in told} == {(EAST, TABLE, INDEX)}


def test_whose_write_was_refused_is_told(lab: Lab) -> None:
    """Its key; of a call about several items none."""
    physics = lab.connect()
    client = make_table(lab, (50, 2))
    drain(client)
    several = [{"Put": {"TableName": TABLE, "Item": item("c")}}]
    refusal(lambda: client.put_item(TableName=TABLE, Item=item("a", 900)))
    refusal(lambda: client.update_item(TableName=TABLE, Key=key("b")))
    refusal(lambda: client.transact_write_items(TransactItems=several))
    assert [key("a"), key("b"), {}] == physics.refused[-3:]


def test_throttles_and_use_are_counted(lab: Lab) -> None:
    """By table, index and operation."""
    client = make_table(lab, (50, 500), (50, 3))
    accepted, _ = put_until_throttled(client, pending=True)
    used = {one.index: one for one in lab.plane.table_use() if one.region == EAST}
    assert used[""].write_units == used[INDEX].write_units == accepted
    assert (used[""].write_throttles, used[INDEX].write_throttles) == (0, 1)
    (puts,) = [one for one in used[""].operations if one.name == "PutItem"]
    assert (puts.answered, puts.throttled) == (accepted, 1)
    assert puts.spent_s > 0
