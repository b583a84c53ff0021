"""The application while its login is rotated: nothing acknowledged is lost, and nobody is locked out."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.infra.app.rotationlab import Rotator, Shop, rotating
from tests.infra.app.shoplab import Backend, Client
from tests.infra.lab.secretlab import until

WRITERS = 3


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Any, Rotator]]:
    """Give what all tests share: a database, a control plane and a rotation function."""
    with rotating(tmp_path_factory.mktemp("traffic")) as made:
        yield made


@pytest.fixture
def shop(running: tuple[Backend, Any, Rotator]) -> Iterator[Shop]:
    """Give secrets of a login that the database does not know yet."""
    stores, plane, rotator = running
    stores.begin()
    made = Shop(stores, plane, rotator)
    yield made
    stores.end()
    made.secrets.delete_secret(SecretId=made.admin_arn, ForceDeleteWithoutRecovery=True)


@dataclass
class Writer:
    """Places orders one after the other, as one process of the application would get them."""

    client: Client
    name: str
    stop: threading.Event
    acknowledged: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)

    def write(self) -> None:
        """Place orders until told to stop."""
        number = 0
        try:
            while not self.stop.is_set():
                token = f"{self.name}-{number:06}"
                status, _ = self.client.order(number, token=token)
                self.statuses.append(status)
                if status in {201, 202}:
                    self.acknowledged.append(token)
                number += 1
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test shows it
            self.problems.append(problem)


def sessions(shop: Shop) -> set[tuple[int, str]]:
    """Return process id and user of every connection of the application."""
    rows = shop.stores.sql("SELECT pid, usename FROM pg_stat_activity WHERE application_name = 'orders'")
    return {(pid, user) for pid, user in rows}


def go_on(writers: list[Writer]) -> None:
    """Wait until every writer has had some more answers."""
    before = [len(writer.statuses) for writer in writers]
    until(
        lambda: all(len(w.statuses) > count + 5 for w, count in zip(writers, before, strict=True)), "traffic"
    )


def in_aurora(client: Client) -> list[str]:
    """Return the tokens of all orders in Aurora."""
    tokens: list[str] = []
    answer: Any = {"next": ""}
    while answer["next"] is not None:
        _, answer = client.get("/orders", customer="c", store="aurora", limit="1000", after=answer["next"])
        tokens += [order["token"] for order in answer["orders"]]
    return tokens


def test_nothing_acknowledged_is_lost(shop: Shop) -> None:
    """Orders are placed all the while; the login does not exist at first and is rotated twice."""
    stop = threading.Event()
    writers = [
        Writer(shop.stores.application(DB_PAUSE_S="0.1"), f"w{number}", stop) for number in range(WRITERS)
    ]
    threads = [threading.Thread(target=writer.write) for writer in writers]
    for thread in threads:
        thread.start()
    users: list[str] = []
    try:
        for _ in range(2):
            go_on(writers)
            shop.rotate()
            # Whoever is connected must log in again, as after a failover; and one process is new.
            shop.stores.loop.run(shop.stores.link.drop())
            writers[0].client = shop.stores.application(DB_PAUSE_S="0.1")
            users.append(shop.held()["username"])
            until(lambda: users[-1] in {user for _, user in sessions(shop)}, f"a login of {users[-1]}")
            go_on(writers)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    client = writers[0].client
    assert [writer.problems for writer in writers] == [[]] * WRITERS
    assert users == [shop.clone, shop.user]
    statuses = {status for writer in writers for status in writer.statuses}
    # Before the first rotation there was no login: those orders waited in the table.
    assert statuses == {201, 202}
    until(lambda: client.post("/orders/reconcile")[1]["left"] == 0, "the reconciliation")
    acknowledged = sorted(token for writer in writers for token in writer.acknowledged)
    assert in_aurora(client) == acknowledged


def test_connections_outlive_rotations(shop: Shop) -> None:
    """A process that is connected stays so through two rotations, with no order pending."""
    shop.rotate()
    client = shop.stores.application()
    assert client.order(0)[0] == 201
    before = sessions(shop)
    for number in (1, 2):
        shop.rotate()
        assert client.order(number)[0] == 201
    assert sessions(shop) == before
    assert len(before) == 1


def test_who_slept_through_two_rotations_logs_in_again(shop: Shop) -> None:
    """Its password is not in force any more: the secret is read once more, and no order is pending."""
    shop.rotate()
    client = shop.stores.application(DB_TIMEOUT_S="10")
    assert client.order(0)[0] == 201
    shop.rotate()
    shop.rotate()
    shop.stores.loop.run(shop.stores.link.drop())
    assert client.order(1)[0] == 201
    until(lambda: {user for _, user in sessions(shop)} == {shop.clone}, "the old session's end")


def test_one_rotation_locks_nobody_out(shop: Shop) -> None:
    """Who still has the login of before can go on with it: it is not read again."""
    shop.rotate()
    client = shop.stores.application(DB_TIMEOUT_S="10")
    assert client.order(0)[0] == 201
    shop.rotate()
    shop.stores.loop.run(shop.stores.link.drop())
    assert client.order(1)[0] == 201
    until(lambda: {user for _, user in sessions(shop)} == {shop.clone}, "the old session's end")


def test_orders_wait_for_the_first_rotation(shop: Shop) -> None:
    """A process that was there before the login leaves orders pending, and takes them along afterwards."""
    client = shop.stores.application(DB_PAUSE_S="0")
    assert client.order(0)[0] == 202
    shop.rotate()
    assert client.order(1)[0] == 201
    assert in_aurora(client) == ["0000000000", "0000000001"]


def test_a_rotation_in_mid_flight_is_not_seen(shop: Shop) -> None:
    """Between the steps the application goes on with what is current."""
    shop.rotate()
    client = shop.stores.application()
    statuses: list[int] = []

    def order(_: str) -> None:
        shop.stores.loop.run(shop.stores.link.drop())
        statuses.append(client.order(len(statuses))[0])
        time.sleep(0.01)

    shop.rotator.before = order
    shop.rotate()
    assert statuses == [201] * 4
