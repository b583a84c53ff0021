"""Rotation on the whole system: the deployed function, the deployed schedule, orders all the while."""

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from drill.aws import Aws
from tests.e2e.conftest import Ended, Lab

pytestmark = pytest.mark.slow


def until(holds: Callable[[], object], what: str, limit_s: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} never came to hold")
        time.sleep(0.05)


class Shop:
    """The deployed application, as each region's load balancer answers, and its secrets."""

    def __init__(self, lab: Lab) -> None:
        """Find everything through the lab's resolver and AWS's API."""
        self.target = lab.target
        address, _, port = str(lab.target.service.resolver).rpartition(":")
        self._names = dns.resolver.Resolver(configure=False)
        self._names.nameservers, self._names.port = [address], int(port)
        aws = Aws.of(lab.target, as_operator=True)
        self._secrets = aws.client("secretsmanager", lab.target.primary.name)
        self._replicas = aws.client("secretsmanager", lab.target.standby.name)
        listed = self._secrets.list_secrets()["SecretList"]
        (self.login,) = [one["ARN"] for one in listed if not one.get("OwningService")]
        (self.master,) = [one["ARN"] for one in listed if one.get("OwningService") == "rds"]
        self.customer = f"rotation-{time.monotonic_ns()}"
        self.statuses: list[int] = []

    def ask(self, name: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body; a POST if there is a body."""
        place = f"http://{self._names.resolve(name)[0]}:{self.target.service.port}{path}"
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(place, data=sent, headers={"Host": name})
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (it is http)
            return answer.status, json.loads(answer.read())

    def write_until(self, stop: threading.Event) -> None:
        """Place orders in the primary, one after the other."""
        while not stop.is_set():
            number = len(self.statuses)
            order = {"customer": self.customer, "token": f"{number:06}", "number": number, "nonce": "n"}
            self.statuses.append(self.ask(self.target.primary.load_balancer, "/orders", order)[0])

    def go_on(self) -> None:
        """Wait for some more orders."""
        before = len(self.statuses)
        until(lambda: len(self.statuses) > before + 3, "more orders")

    def rotate(self, arn: str) -> str:
        """Rotate a secret; returns the user that the application logs in as afterwards."""
        version = self._secrets.rotate_secret(SecretId=arn)["VersionId"]

        def current() -> bool:
            stages = self._secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            return "AWSCURRENT" in stages.get(version, ())

        until(current, f"the rotation of {arn}")
        return user_in(self._secrets, self.login)

    def user_in_standby(self) -> str:
        """Return the user in the replica."""
        return user_in(self._replicas, self.login.replace(self.target.primary.name, self.target.standby.name))

    def in_aurora(self) -> list[int]:
        """Return the numbers of the orders in Aurora, as the standby reads them, once all are there."""

        def left() -> int:
            answer = self.ask(self.target.primary.load_balancer, "/orders/reconcile", {})[1]
            return int(answer["left"])

        until(lambda: left() == 0, "the reconciliation")
        page = f"/orders?customer={self.customer}&store=aurora&limit=1000"
        found = self.ask(self.target.standby.load_balancer, page)[1]["orders"]
        return [order["number"] for order in found]


def user_in(secrets: Any, arn: str) -> str:
    """Return the user that a secret holds."""
    return str(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["username"])


def test_rotating_logins_loses_no_order(lab: Lab) -> None:
    """Both logins of the application and the master's are rotated; every acknowledged order is in Aurora."""
    shop, stop = Shop(lab), threading.Event()
    writing = threading.Thread(target=shop.write_until, args=(stop,))
    writing.start()
    users = []
    try:
        for arn in (shop.login, shop.master, shop.login):
            shop.go_on()
            users.append(shop.rotate(arn))
        shop.go_on()
    finally:
        stop.set()
        writing.join()
    assert set(users) == {"orders", "orders_clone"}
    assert users[0] == users[1] != users[2]
    assert set(shop.statuses) <= {201, 202}
    assert shop.in_aurora() == list(range(len(shop.statuses)))
    until(lambda: shop.user_in_standby() == users[-1], "the replica's value")


@pytest.mark.skipif(os.environ.get("DRILL_EVERY_DEFECT") != "1", reason="a whole drill: make defects")
def test_a_rotation_in_mid_drill_loses_no_order(
    lab: Lab, drill_run: Callable[..., Ended], tmp_path: Path
) -> None:
    """The standby has taken over when the login changes, and goes on with what is replicated to it."""
    shop = Shop(lab)
    before = user_in(shop._secrets, shop.login)

    def injected() -> bool:
        journals = (tmp_path / "runs").glob("*/journal.jsonl")
        return any('"injected"' in path.read_text(encoding="utf-8") for path in journals)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(drill_run, "region-outage", "--rpo-writes", "0")
        until(lambda: injected() or running.done(), "the injection", 150)
        after = shop.rotate(shop.login)
        ended = running.result()

    assert after != before
    assert ended.code == 0, ended.printed
    assert [one.lost for one in ended.record.measured.ledgers if one.occasion == "resumed"] == [(), ()]
    until(lambda: shop.user_in_standby() == after, "the replica's value")
