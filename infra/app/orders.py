"""Accepting orders into both stores, of which Aurora may be away."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.app.database import Database
from infra.app.order import Order, StoreUnavailable
from infra.app.table import Table

# One page of the index, and what one statement writes.
_MOST = 1000
_BATCH = 25
# A page of the whole table: what is written well within a function's time.
_PAGE = 250
# What a process keeps in mind of its own pending orders, and how many of them a request takes
# along. Others' are left to reconcile(): if every process wrote all of them, each would be
# written many times over, just when the system comes back.
_KEPT = 100
_ALONG = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of an order.

    Attributes:
        order: As it is stored.
        replayed: Its token was used before.
        throttled: How often the table refused it, for want of capacity, before it took it.

    """

    order: Order
    replayed: bool
    throttled: int = 0


class Orders:
    """The order service."""

    def __init__(
        self, table: Table, database: Database, pause_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take both stores and how long Aurora is left alone after it failed, in seconds."""
        self._table = table
        self._database = database
        self._pause_s = pause_s
        self._clock = clock
        self._paused_until = float("-inf")
        self._left: dict[str, Order] = {}

    def place(self, order: Order) -> Placed:
        """Accept an order; Aurora being away leaves it pending.

        Raises:
            StoreUnavailable: The table did not take it (or nobody knows); nothing else was done.

        """
        stored = self._table.put(order)
        kept = stored.before or order
        if kept.pending and self._write([kept]):
            kept = settled(kept)
            if self._left:
                self._write(list(self._left.values())[:_ALONG])
        return Placed(kept, stored.before is not None, stored.throttled)

    def reconcile(self) -> tuple[int, int]:
        """Write pending orders to Aurora now; return how many were written and how many are left.

        Raises:
            StoreUnavailable: The table could not say which are pending.

        """
        self._paused_until = float("-inf")
        pending = self._table.pending(_MOST)
        written = 0
        for start in range(0, len(pending), _BATCH):
            batch = pending[start : start + _BATCH]
            if not self._write(batch):
                break
            written += len(batch)
        return written, len(pending) - written

    def refill(self, after: Order | None) -> tuple[int, str | None]:
        """Write a page of all orders to Aurora, also those that it was known to have.

        A database that was restored from a backup lacks what came after it; the table has it.

        Returns:
            How many orders Aurora now has for certain, and the id to go on after, if any.

        Raises:
            StoreUnavailable: A store could not be reached; nothing is lost by asking again.

        """
        orders, following = self._table.every(after, _PAGE)
        for start in range(0, len(orders), _BATCH):
            batch = orders[start : start + _BATCH]
            self._database.insert(batch)
            for order in batch:
                if order.pending:
                    self._table.settle(order)
        self._paused_until = float("-inf")
        return len(orders), following

    def _write(self, orders: Sequence[Order]) -> bool:
        """Write orders to Aurora and note it in the table; say whether Aurora has them."""
        if self._clock() < self._paused_until:
            self._leave(orders)
            return False
        try:
            self._database.insert(orders)
        except StoreUnavailable as problem:
            print(f"aurora is left alone for {self._pause_s} s: {problem}")
            self._paused_until = self._clock() + self._pause_s
            self._leave(orders)
            return False
        for number, order in enumerate(orders):
            try:
                self._table.settle(order)
            except StoreUnavailable as problem:  # they stay pending; writing them again does no harm
                print(f"{len(orders) - number} orders stay pending: {problem}")
                self._leave(orders[number:])
                break
            self._left.pop(order.id, None)
        return True

    def _leave(self, orders: Sequence[Order]) -> None:
        for order in orders:
            if len(self._left) < _KEPT:
                self._left[order.id] = order


def settled(order: Order) -> Order:
    """Return an order as it is once Aurora has it."""
    return Order(order.customer, order.token, order.number, order.nonce, order.region, pending=False)
