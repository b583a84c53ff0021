"""From a load balancer's event to an answer.

The event's form: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
(path and query come as the client sent them, not decoded).
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, unquote_plus

from infra.app.database import Database
from infra.app.health import check
from infra.app.order import BadRequest, Order, StoreUnavailable, checked_customer, checked_token, order_from
from infra.app.orders import Orders, Placed
from infra.app.table import Table

_LIMIT = 100
_LIMIT_MOST = 1000


class Store(Protocol):
    """A store that can list orders."""

    def page(self, customer: str, after: str, limit: int) -> tuple[list[Order], str | None]:
        """Return a customer's orders after a token, and the token to go on after, if any."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what the JSON body says."""

    status: int
    body: Mapping[str, object]


class Routes:
    """The service's paths."""

    def __init__(self, region: str, table: Table, database: Database, orders: Orders) -> None:
        """Take this region's name and what the paths lead to."""
        self._region = region
        self._table = table
        self._database = database
        self._orders = orders

    def answer(self, event: Mapping[str, Any]) -> Answer:
        """Answer one event; what nobody foresaw is raised."""
        try:
            return self._route(event)
        except BadRequest as problem:
            return Answer(400, {"error": str(problem), "done": False})
        except StoreUnavailable as problem:
            return Answer(_refused(problem), {"error": str(problem)})

    def _route(self, event: Mapping[str, Any]) -> Answer:
        path = tuple(unquote(part) for part in event["path"].strip("/").split("/"))
        match event["httpMethod"], path:
            case "GET", ("health", "regional"):
                return self._health({"table": self._table.ping})
            case "GET", ("health",):
                return self._health({"table": self._table.ping, "database": self._database.ping})
            case "POST", ("orders",):
                return self._place(event)
            case "POST", ("orders", "reconcile"):
                written, left = self._orders.reconcile()
                return Answer(200, {"reconciled": written, "left": left})
            case "POST", ("orders", "refill"):
                return self._refill(_query(event))
            case "GET", ("orders",):
                return self._page(_query(event))
            case "GET", ("orders", order_id):
                return self._one(order_id)
            case _:
                return Answer(404, {"error": "no such path"})

    def _health(self, things: Mapping[str, Callable[[], None]]) -> Answer:
        well, said = check(things)
        return Answer(200 if well else 503, {"checks": said})

    def _place(self, event: Mapping[str, Any]) -> Answer:
        order = order_from(_document(event), self._region)
        try:
            placed = self._orders.place(order)
        except StoreUnavailable as problem:
            if problem.lost:
                return Answer(504, {"error": str(problem), "done": None})
            throttled = {"throttled": problem.throttled} if problem.throttled else {}
            return Answer(_refused(problem), {"error": str(problem), "done": False, **throttled})
        throttled = {"throttled": placed.throttled} if placed.throttled else {}
        return Answer(_status(placed), {**_shown(placed.order), "replayed": placed.replayed, **throttled})

    def _page(self, query: Mapping[str, str]) -> Answer:
        stores: Mapping[str, Store] = {"dynamodb": self._table, "aurora": self._database}
        store = query.get("store", "dynamodb")
        if store not in stores:
            msg = f"store must be one of {', '.join(stores)}"
            raise BadRequest(msg)
        after = checked_token(query["after"]) if query.get("after") else ""
        customer = checked_customer(query.get("customer"))
        orders, following = stores[store].page(customer, after, _limit(query))
        rows = [{"token": each.token, "number": each.number, "nonce": each.nonce} for each in orders]
        return Answer(200, {"store": store, "orders": rows, "next": following})

    def _refill(self, query: Mapping[str, str]) -> Answer:
        after = query.get("after")
        written, following = self._orders.refill(None if not after else _place_of(after))
        return Answer(200, {"written": written, "next": following})

    def _one(self, order_id: str) -> Answer:
        customer, _, token = order_id.partition(".")
        order = self._table.get(checked_customer(customer), checked_token(token))
        return Answer(404, {"error": "no such order"}) if order is None else Answer(200, _shown(order))


def _place_of(order_id: str) -> Order:
    """Return an order that stands for its place in the table; the rest of it means nothing.

    A page may end on an item that is no order, whose key no order could have.
    """
    customer, _, token = order_id.partition(".")
    if not customer or not token:
        msg = "after must be what the page before gave as next"
        raise BadRequest(msg)
    return Order(customer, token, 0, "", "", pending=False)


def _refused(problem: StoreUnavailable) -> int:
    """Return the status for a store that did not do it.

    A throttled table is no reason to fail over, since both replicas share its write capacity: it is
    answered with 429, which no health check counts.
    """
    return 429 if problem.throttled else 503


def _status(placed: Placed) -> int:
    if placed.replayed:
        return 200
    return 202 if placed.order.pending else 201


def _shown(order: Order) -> Mapping[str, object]:
    return {
        "id": order.id,
        "customer": order.customer,
        "token": order.token,
        "number": order.number,
        "nonce": order.nonce,
        "accepted_in": order.region,
        "stores": {"dynamodb": "written", "aurora": "pending" if order.pending else "written"},
    }


def _document(event: Mapping[str, Any]) -> Mapping[str, object]:
    try:
        raw = event.get("body") or ""
        text = base64.b64decode(raw, validate=True) if event.get("isBase64Encoded") else raw
        document = json.loads(text)
    except (binascii.Error, ValueError) as problem:
        msg = "the body must be JSON"
        raise BadRequest(msg) from problem
    if not isinstance(document, dict):
        msg = "the body must be a JSON object"
        raise BadRequest(msg)
    return document


def _query(event: Mapping[str, Any]) -> Mapping[str, str]:
    sent = event.get("queryStringParameters") or {}
    return {unquote_plus(name): unquote_plus(value) for name, value in sent.items()}


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= _LIMIT_MOST:
        msg = f"limit must be from 1 to {_LIMIT_MOST}"
        raise BadRequest(msg)
    return int(text)
