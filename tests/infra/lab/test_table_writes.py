"""What moto's tables tell of writes, and that none is lost or half done: a contract with its internals."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends

from drill.aws import Aws
from infra.lab.control_plane import ControlPlane, dynamodb, table_replicas, table_writes
from infra.lab.control_plane.mending import ACCOUNT
from tests.infra.lab.tablelab import EAST, REGIONS, TABLE, WEST, Heard, get, key, make_table, put

Dynamodb = Any


@pytest.fixture(scope="module")
def clients() -> Iterator[Aws]:
    """Give the clients of a control plane."""
    with ControlPlane("127.0.0.1", 0, REGIONS) as plane:
        yield Aws(plane.endpoint_url, timeout_s=10, attempts=1)


@pytest.fixture
def aws(clients: Aws) -> Aws:
    """Give the clients of an account with one global table."""
    for backend in list(dynamodb_backends[ACCOUNT].values()):
        backend.reset()
    make_table(clients)
    return clients


@pytest.fixture
def heard(aws: Aws) -> Heard:
    """Give a listener that hears of the table's writes."""
    listener = Heard()
    table_writes.listen(lambda: listener)
    return listener


def _put(client: Dynamodb) -> None:
    client.put_item(TableName=TABLE, Item={**key("1"), "nonce": {"S": "new"}})


def _update(client: Dynamodb) -> None:
    client.update_item(
        TableName=TABLE,
        Key=key("1"),
        UpdateExpression="SET nonce = :n",
        ExpressionAttributeValues={":n": {"S": "new"}},
    )


def _batch(client: Dynamodb) -> None:
    item = {**key("1"), "nonce": {"S": "new"}}
    client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}}]})


def _transact(client: Dynamodb) -> None:
    item = {**key("1"), "nonce": {"S": "new"}}
    client.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": item}}])


def _partiql(client: Dynamodb) -> None:
    client.execute_statement(
        Statement=f"INSERT INTO \"{TABLE}\" VALUE {{'customer': 'c', 'token': '1', 'nonce': 'new'}}"
    )


@pytest.mark.parametrize("write", [_put, _update, _batch, _transact, _partiql])
def test_tells_the_whole_item_after_a_write(
    aws: Aws, heard: Heard, write: Callable[[Dynamodb], None]
) -> None:
    """However an item is written, the listener hears once of its key, all of it, where and when."""
    before_ns = time.monotonic_ns()
    write(aws.client("dynamodb", EAST))
    (told,) = heard.writes
    assert (told.region, told.table, told.key) == (EAST, TABLE, key("1"))
    assert told.item == {**key("1"), "nonce": {"S": "new"}}
    assert before_ns < told.at_ns < time.monotonic_ns()


def test_tells_every_write_of_a_transaction(aws: Aws, heard: Heard) -> None:
    """A transaction that succeeds tells of each item, with None for the deleted one."""
    put(aws, "1")
    heard.writes.clear()
    aws.client("dynamodb", EAST).transact_write_items(
        TransactItems=[
            {"Delete": {"TableName": TABLE, "Key": key("1")}},
            {"Put": {"TableName": TABLE, "Item": key("2")}},
            {"Update": {"TableName": TABLE, "Key": key("3"), "UpdateExpression": "REMOVE nonce"}},
        ]
    )
    assert [(told.key["token"]["S"], told.item) for told in heard.writes] == [
        ("1", None),
        ("2", key("2")),
        ("3", key("3")),
    ]


def test_a_failed_transaction_tells_nothing_and_leaves_nothing(aws: Aws, heard: Heard) -> None:
    """When one condition fails nothing is written, and nothing is told."""
    with pytest.raises(ClientError, match="TransactionCanceled"):
        aws.client("dynamodb", EAST).transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": key("1")}},
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": key("2"),
                        "ConditionExpression": "attribute_exists(customer)",
                    }
                },
            ]
        )
    assert heard.writes == []
    assert get(aws, "1", EAST) is None


def test_refused_writes_and_empty_deletions_tell_nothing(aws: Aws, heard: Heard) -> None:
    """A write whose condition fails, and the deletion of what is not there, are no writes."""
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put(aws, "1", ConditionExpression="attribute_exists(customer)")
    aws.client("dynamodb", EAST).delete_item(TableName=TABLE, Key=key("1"))
    assert heard.writes == []


def test_a_failed_update_leaves_the_item_as_it_was(aws: Aws, heard: Heard) -> None:
    """Moto changes items in place: an update that fails halfway must leave no trace."""
    put(aws, "1", "old")
    heard.writes.clear()
    for token in ("1", "2"):
        with pytest.raises(ClientError):
            aws.client("dynamodb", EAST).update_item(
                TableName=TABLE,
                Key=key(token),
                UpdateExpression="SET nonce = :n, big = :big",
                ExpressionAttributeValues={":n": {"S": "new"}, ":big": {"S": "x" * 410_000}},
            )
    assert heard.writes == []
    assert get(aws, "1", EAST) == {"customer": "c", "token": "1", "nonce": "old"}
    assert get(aws, "2", EAST) is None


def test_a_replica_is_written_without_a_word(aws: Aws, heard: Heard) -> None:
    """What replication writes and deletes shows in the table, and no listener hears of it."""
    item = {**key("1"), "nonce": {"S": "n"}}
    assert table_replicas.apply_replica(ACCOUNT, WEST, TABLE, key("1"), item)
    assert get(aws, "1", WEST) == {"customer": "c", "token": "1", "nonce": "n"}
    assert not table_replicas.apply_replica(ACCOUNT, WEST, TABLE, key("1"), None, unless=lambda: True)
    assert get(aws, "1", WEST) is not None
    assert table_replicas.apply_replica(ACCOUNT, WEST, TABLE, key("1"), None)
    assert get(aws, "1", WEST) is None
    assert not table_replicas.apply_replica(ACCOUNT, WEST, "gone", key("1"), item)
    assert heard.writes == []


def test_one_of_many_conditional_writes_wins(aws: Aws, heard: Heard) -> None:
    """Of writes that each demand a free key and race for it, exactly one is accepted."""
    start = threading.Barrier(8)

    def race(number: int) -> bool:
        start.wait()
        try:
            put(aws, "1", str(number), ConditionExpression="attribute_not_exists(customer)")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(8)))
    assert sum(won) == len(heard.writes) == 1


def test_a_failed_transaction_loses_no_write_of_others(aws: Aws, heard: Heard) -> None:
    """Moto undoes a transaction by putting back a copy of the table: writes meanwhile must survive."""
    done = threading.Event()

    def fail_for_ever() -> None:
        while not done.is_set():
            with pytest.raises(ClientError):
                aws.client("dynamodb", EAST).transact_write_items(
                    TransactItems=[
                        {"Put": {"TableName": TABLE, "Item": key("t", "other")}},
                        {
                            "ConditionCheck": {
                                "TableName": TABLE,
                                "Key": key("t", "none"),
                                "ConditionExpression": "attribute_exists(customer)",
                            }
                        },
                    ]
                )

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(fail_for_ever)
        for number in range(60):
            put(aws, str(number))
        done.set()
        failing.result()
    assert [number for number in range(60) if get(aws, str(number), EAST) is None] == []
    assert len(heard.writes) == 60


def test_a_table_tells_of_its_replicas(aws: Aws) -> None:
    """DescribeTable shows each region the other one, and the physics see both everywhere."""
    for region, other in ((EAST, WEST), (WEST, EAST)):
        table = aws.client("dynamodb", region).describe_table(TableName=TABLE)["Table"]
        (replica,) = table["Replicas"]
        assert (replica["RegionName"], replica["ReplicaStatus"]) == (other, "ACTIVE")
        assert table["GlobalTableVersion"] == "2019.11.21"
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["pending"]
    seen = dynamodb.tables(ACCOUNT, REGIONS)
    assert [(one.region, one.replicas, one.billing) for one in seen] == [
        (EAST, (EAST, WEST), "PAY_PER_REQUEST"),
        (WEST, (EAST, WEST), "PAY_PER_REQUEST"),
    ]


def test_a_new_replica_has_the_items(aws: Aws, heard: Heard) -> None:
    """A replica begins with all that the table holds, and goes without the table that it came from."""
    client = aws.client("dynamodb", EAST)
    client.update_table(TableName=TABLE, ReplicaUpdates=[{"Delete": {"RegionName": WEST}}])
    assert "Replicas" not in client.describe_table(TableName=TABLE)["Table"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        get(aws, "1", WEST)
    put(aws, "1", "before")
    client.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    assert get(aws, "1", WEST) == {"customer": "c", "token": "1", "nonce": "before"}
    table_replicas.remove_replica(ACCOUNT, TABLE, EAST)
    assert [(one.region, one.replicas) for one in dynamodb.tables(ACCOUNT, REGIONS)] == [(WEST, (WEST,))]


def test_make_replica_gives_it_its_own_tags(aws: Aws) -> None:
    """Tags are not replicated: a replica has those that it is made with."""
    make_table(aws, "customers", replica=False)
    table_replicas.make_replica(ACCOUNT, EAST, "customers", WEST, [{"Key": "drill:opt-in", "Value": "true"}])
    client = aws.client("dynamodb", WEST)
    arn = client.describe_table(TableName="customers")["Table"]["TableArn"]
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "drill:opt-in", "Value": "true"}]


@pytest.mark.parametrize(
    ("update", "why"),
    [
        ({"Create": {"RegionName": EAST}}, "local region"),
        ({"Create": {"RegionName": WEST}}, "already existed"),
        ({"Delete": {"RegionName": "eu-west-1"}}, "was not found"),
    ],
)
def test_refuses_impossible_replicas(aws: Aws, update: dict[str, Any], why: str) -> None:
    """A replica where the table is, where one is already, or none to delete: ValidationException."""
    with pytest.raises(ClientError, match=f"ValidationException.*{why}"):
        aws.client("dynamodb", EAST).update_table(TableName=TABLE, ReplicaUpdates=[update])


def test_listening_and_metering_cost_little(aws: Aws) -> None:
    """Of the time of a request, what hears of a write and what counts it take a small part.

    Processor time of this thread, the least of many, against that of a whole request's handling.
    """
    backend = dynamodb_backends[ACCOUNT][EAST]
    item = {**key("1"), "nonce": {"S": "n"}}

    def least_s(act: Callable[[], object]) -> float:
        spent = []
        for _ in range(200):
            began = time.thread_time()
            act()
            spent.append(time.thread_time() - began)
        return min(spent)

    listener = Heard()
    table_writes.listen(lambda: listener)
    told = least_s(lambda: backend.put_item(TABLE, item, overwrite=True))
    request = least_s(lambda: put(aws, "1"))
    assert told < request / 4
