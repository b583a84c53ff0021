"""The drilled application of many small systems, in the lab's own process.

The orders are the deployed application's own code (routes, orders, table) on the lab's real API
of DynamoDB. Two things are not: there is no Aurora, so that every order stays pending there; and
the clients' health path answers by itself, since a hundred reads of the table a second for each
of many systems would measure moto.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest import mock

from infra.app.order import AURORA, Order, StoreUnavailable
from infra.app.orders import Orders
from infra.app.routes import Routes
from infra.app.table import Table
from infra.lab.truth import TruthLog
from infra.lab.world import Invocation

DIVERT_PATH = "/truth/divert"
_FOR_EVER_S = 1e9


class Away:
    """A database that is never there."""

    def ping(self) -> NoReturn:
        """Say that it is not there."""
        raise StoreUnavailable(AURORA, "there is none here", lost=False)

    def insert(self, orders: Sequence[Order]) -> NoReturn:
        """Say that it is not there."""
        del orders
        self.ping()

    def page(self, customer: str, after: str, limit: int) -> NoReturn:
        """Say that it is not there."""
        del customer, after, limit
        self.ping()


class Service:
    """Runs the functions of all systems; a function has its system's name, and so has its table."""

    def __init__(self, endpoint_url: str, primary: str, truth: TruthLog) -> None:
        """Take where AWS answers, the region that serves at first, and who hears of what is acknowledged."""
        self._endpoint_url = endpoint_url
        self._primary = primary
        self._truth = truth
        self._routes: dict[tuple[str, str], Routes] = {}
        self._diverted: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, region: str, system: str) -> None:
        """Start a system's application in a region."""
        with _environment(AWS_ENDPOINT_URL=self._endpoint_url, AWS_DEFAULT_REGION=region):
            table = Table(system, 5)
        away: Any = Away()
        self._routes[region, system] = Routes(region, table, away, Orders(table, away, _FOR_EVER_S))

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Answer one event of a load balancer."""
        del qualifier
        event = json.loads(payload)
        if event["httpMethod"] == "GET" and event["path"].startswith("/health"):
            return _answer(200, {"region": region})
        if event["path"] == DIVERT_PATH:
            with self._lock:
                self._diverted[function] = int(event["queryStringParameters"]["writes"])
            return _answer(200, {"region": region})
        if event["httpMethod"] != "POST":
            answer = self._routes[region, function].answer(event)
            return _answer(answer.status, {"region": region, **answer.body})
        return self._take(self._taker(region, function), function, event)

    def _taker(self, region: str, system: str) -> str:
        """Return which region takes an order; what is diverted goes to the primary, wherever it came in."""
        with self._lock:
            left = self._diverted.get(system, 0)
            if region != self._primary and left:
                self._diverted[system] = left - 1
                return self._primary
        return region

    def _take(self, region: str, system: str, event: Mapping[str, Any]) -> Invocation:
        answer = self._routes[region, system].answer(event)
        number = json.loads(event["body"])["number"]
        self._truth.log("order_answered", region=region, table=system, number=number, status=answer.status)
        return _answer(answer.status, {"region": region, **answer.body})


def _answer(status: int, body: Mapping[str, object]) -> Invocation:
    return Invocation(json.dumps({"statusCode": status, "body": json.dumps(body)}).encode())


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    with mock.patch.dict(os.environ, values):
        yield
