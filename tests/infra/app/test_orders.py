import json
import threading
import time
from typing import Any

import pytest

from infra.app.database import Database
from infra.app.secret import Secret
from infra.app.settings import settings_from
from tests.infra.app.shoplab import Backend


def test_an_order_is_in_both_stores(shop: Backend) -> None:
    """A new order is an item that is not pending and a row, and the answer says where it is."""
    status, answer = shop.application().order(12)
    assert status == 201
    assert answer["id"] == "c.0000000012"
    assert answer["region"] == "us-east-1"
    assert answer["stores"] == {"dynamodb": "written", "aurora": "written"}
    assert shop.rows() == [["0000000012", 12, "n12"]]
    item = shop.item("0000000012")
    assert item["number"] == {"N": "12"}
    assert item["region"] == {"S": "us-east-1"}
    assert "pending" not in item


def test_a_token_sent_again_changes_nothing(shop: Backend) -> None:
    """The second answer is 200 with what the first one stored, its nonce too."""
    client = shop.application()
    client.order(12)
    status, answer = client.order(12, nonce="other", number=13)
    assert (status, answer["replayed"]) == (200, True)
    assert (answer["nonce"], answer["number"]) == ("n12", 12)
    assert shop.rows() == [["0000000012", 12, "n12"]]


def test_without_aurora_an_order_is_pending(shop: Backend) -> None:
    """While Aurora is silent an order is accepted with 202 into DynamoDB alone."""
    client = shop.application()
    shop.link.state = "dark"
    status, answer = client.order(1)
    assert status == 202
    assert answer["stores"] == {"dynamodb": "written", "aurora": "pending"}
    assert "pending" in shop.item("0000000001")


def test_after_a_failure_aurora_is_left_alone(shop: Backend) -> None:
    """Only the first request waits for a silent database; the next ones are much faster."""
    client = shop.application(DB_PAUSE_S="60", DB_TIMEOUT_S="4")
    shop.link.state = "dark"
    began = time.monotonic()
    client.order(1)
    first_s = time.monotonic() - began
    began = time.monotonic()
    status, _ = client.order(2)
    assert status == 202
    assert time.monotonic() - began < first_s / 2


def test_pending_orders_are_written_afterwards(shop: Backend) -> None:
    """Reconciling writes every pending order to Aurora, and says how many."""
    client = shop.application()
    shop.link.state = "dark"
    for number in range(60):
        assert client.order(number)[0] == 202
    shop.link.state = "open"
    status, answer = client.post("/orders/reconcile")
    assert (status, answer["reconciled"], answer["left"]) == (200, 60, 0)
    assert [row[1] for row in shop.rows()] == list(range(60))
    assert client.post("/orders/reconcile")[1]["reconciled"] == 0


def test_reconciling_without_aurora_leaves_them(shop: Backend) -> None:
    """While Aurora is away nothing is reconciled and nothing is lost."""
    client = shop.application()
    shop.link.state = "dark"
    client.order(1)
    status, answer = client.post("/orders/reconcile")
    assert (status, answer["reconciled"], answer["left"]) == (200, 0, 1)


def test_a_later_order_takes_pending_ones_along(shop: Backend) -> None:
    """The first order that reaches Aurora again writes those left pending as well."""
    client = shop.application(DB_PAUSE_S="0")
    shop.link.state = "dark"
    client.order(1)
    shop.link.state = "open"
    assert client.order(2)[0] == 201
    assert [row[1] for row in shop.rows()] == [1, 2]
    assert "pending" not in shop.item("0000000001")


def test_a_pending_order_sent_again_is_written(shop: Backend) -> None:
    """A replay of a pending order writes it to Aurora and says so."""
    client = shop.application(DB_PAUSE_S="0")
    shop.link.state = "dark"
    client.order(1)
    shop.link.state = "open"
    status, answer = client.order(1)
    assert (status, answer["stores"]["aurora"]) == (200, "written")
    assert shop.rows() == [["0000000001", 1, "n1"]]


def test_a_connection_that_died_costs_no_failure(shop: Backend) -> None:
    """After every connection was closed the next order is written to both stores all the same."""
    client = shop.application()
    client.order(1)
    shop.loop.run(shop.link.drop())
    assert client.order(2)[0] == 201


def test_a_changed_password_is_read_again(shop: Backend) -> None:
    """After a rotation the process reads the secret once more and goes on."""
    client = shop.application()
    client.order(1)
    shop.password("second")
    text = '{"username": "keeper", "password": "second"}'
    shop.secrets.put_secret_value(SecretId=shop.secret_arn, SecretString=text)
    assert client.order(2)[0] == 201


def test_a_wrong_secret_leaves_orders_pending(shop: Backend) -> None:
    """While neither the secret nor what it was before is in force, orders are accepted as pending."""
    for password in ("wrong", "wrong too"):
        text = json.dumps({"username": "keeper", "password": password})
        shop.secrets.put_secret_value(SecretId=shop.secret_arn, SecretString=text)
    assert shop.application().order(1)[0] == 202


def test_a_database_from_before_the_last_rotation(shop: Backend) -> None:
    """A restored database may know the former login alone: that one is used, and no order is pending."""
    text = json.dumps({"username": "keeper", "password": "of after the backup"})
    shop.secrets.put_secret_value(SecretId=shop.secret_arn, SecretString=text)
    assert shop.application().order(1)[0] == 201


def test_first_processes_make_the_table_together(shop: Backend) -> None:
    """Many processes that meet an empty database at once all find the table made."""
    settings = settings_from(shop.environment(DB_TIMEOUT_S="5"))
    secret = Secret(settings.db_secret, 5)
    secret.credentials()
    databases = [Database(settings, secret) for _ in range(8)]
    together = threading.Barrier(len(databases))
    failures = []

    def begin(database: Database) -> None:
        together.wait()
        try:
            database.ping()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(problem)
        database.close()

    threads = [threading.Thread(target=begin, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    secret.close()
    assert failures == []
    assert shop.rows() == []


@pytest.mark.parametrize("store", ["dynamodb", "aurora"])
def test_pages_are_in_order_and_complete(store: str, shop: Backend) -> None:
    """Following ``next`` gives every order of one customer once, sorted by its token, in both stores."""
    client = shop.application()
    tokens = ["b", "B", "a-1", "a_1", "A", "0000000002", "0000000010"]
    for number, token in enumerate(tokens):
        client.order(number, token=token)
        client.order(number, token=token, customer="other")
    found: list[str] = []
    answer: Any = {"next": ""}
    while answer["next"] is not None:
        status, answer = client.get("/orders", customer="c", store=store, limit="3", after=answer["next"])
        assert (status, answer["store"]) == (200, store)
        assert len(answer["orders"]) <= 3
        found += [order["token"] for order in answer["orders"]]
    assert found == sorted(tokens)


def test_rows_carry_number_and_nonce(shop: Backend) -> None:
    """A page has token, number and nonce of each order, and no more."""
    client = shop.application()
    client.order(7)
    for store in ("dynamodb", "aurora"):
        _, answer = client.get("/orders", customer="c", store=store)
        assert answer["orders"] == [{"token": "0000000007", "number": 7, "nonce": "n7"}]
        assert answer["next"] is None


def test_one_order_by_its_id(shop: Backend) -> None:
    """An order is found by its id, and an unknown one is not."""
    client = shop.application()
    client.order(7)
    status, answer = client.get("/orders/c.0000000007")
    assert (status, answer["number"], answer["accepted_in"]) == (200, 7, "us-east-1")
    assert client.get("/orders/c.0000000008")[0] == 404


def test_a_silent_store_can_not_be_listed(shop: Backend) -> None:
    """Listing from Aurora while it is silent is 503; DynamoDB is still listed."""
    client = shop.application()
    client.order(1)
    shop.link.state = "dark"
    assert client.get("/orders", customer="c", store="aurora")[0] == 503
    assert client.get("/orders", customer="c", store="dynamodb")[0] == 200


def test_a_restored_database_is_filled_from_the_table(shop: Backend) -> None:
    """Orders that Aurora had and lost are written again, page by page, and pending ones with them."""
    client = shop.application()
    for number in range(300):
        client.order(number)
    shop.sql("DELETE FROM orders WHERE number >= 100")
    shop.link.state = "dark"
    client.order(300)
    shop.link.state = "open"

    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["next"]:
        status, answer = client.post("/orders/refill", after=pages[-1]["next"] if pages else "")
        assert status == 200, answer
        pages.append(answer)

    assert sum(page["written"] for page in pages) == 301
    assert len(pages) > 1
    assert [row[1] for row in shop.rows()] == list(range(301))
    assert "pending" not in shop.item("0000000300")


def test_what_is_no_order_is_not_filled_in(shop: Backend) -> None:
    """Other items in the table (markers of a probe) are passed over, also where a page ends on one."""
    client = shop.application()
    client.order(1)
    for token in range(300):
        key = {"customer": {"S": "drill-marker#20260101t000000-x"}, "token": {"S": str(token)}}
        shop.dynamodb.put_item(TableName="orders", Item=key)

    written, pages = 0, 0
    following: str | None = ""
    while following is not None:
        status, answer = client.post("/orders/refill", after=following)
        assert status == 200, answer
        written, following, pages = written + answer["written"], answer["next"], pages + 1

    assert (written, pages > 1) == (1, True)


def test_refilling_without_aurora_says_so(shop: Backend) -> None:
    """While Aurora is away a refill is refused with 503, so that nobody takes it for done."""
    client = shop.application()
    client.order(1)
    shop.link.state = "dark"

    assert client.post("/orders/refill")[0] == 503
    assert client.post("/orders/refill", after="nonsense")[0] == 400
