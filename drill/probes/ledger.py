"""Reading the ledger: all that one store of the drilled system holds, through the service itself."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from drill import clock
from drill.model import Json, LedgerRead, LedgerRow
from drill.probes.client import Client
from drill.probes.contract import Context

PAGE_ROWS = 500
PAUSE_S = 0.2


class Rows(Protocol):
    """Where the rows of a reading go, page by page: so that a million of them need no memory."""

    def add(self, rows: Sequence[LedgerRow]) -> None:
        """Take the next ones."""

    def clear(self) -> None:
        """Forget all of them: reading begins again, or is given up."""

    def rows(self) -> Collection[LedgerRow]:
        """Return all of them."""


class InMemory(Rows):
    """Keeps the rows of a small ledger."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[LedgerRow] = []

    def add(self, rows: Sequence[LedgerRow]) -> None:
        """Keep them."""
        self._rows.extend(rows)

    def clear(self) -> None:
        """Drop them."""
        self._rows.clear()

    def rows(self) -> Collection[LedgerRow]:
        """Return them as they are now."""
        return tuple(self._rows)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read.

    Attributes:
        store: ``aurora`` or ``dynamodb``.
        customer: Whose orders; see :func:`drill.probes.writer.customer_of`.
        occasion: ``cutover`` or ``resumed``.
        timeout_s: When the reading is given up as a whole.

    """

    store: str
    customer: str
    occasion: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Page:
    region: str | None
    rows: tuple[LedgerRow, ...]
    after: str | None


class _Unreadable(Exception):
    """A page could not be read; the text says why."""


def read_ledger(context: Context, store: str, customer: str, occasion: str, timeout_s: float) -> LedgerRead:
    """Read a ledger as :func:`stream_ledger` does, into memory."""
    return stream_ledger(context, Reading(store, customer, occasion, timeout_s), InMemory())


def stream_ledger(context: Context, reading: Reading, rows: Rows) -> LedgerRead:
    """Read every order of a customer from one store, page by page.

    A page that fails is asked for again until the time is up. If another region answers in
    the middle, reading begins again: half of each store would be a ledger of neither. To read
    one region's store directly, give a context whose ``host`` is its load balancer.

    Args:
        context: Where the service is.
        reading: What is read.
        rows: Where the rows go; none is there yet.

    Returns:
        The rows, or why the store could not be read.

    Raises:
        DrillError: The rows could not be kept.

    """
    return asyncio.run(_Reader(context, reading, rows).read())


class _Reader:
    def __init__(self, context: Context, reading: Reading, rows: Rows) -> None:
        self._context = context
        self._query: dict[str, str] = {
            "customer": reading.customer, "store": reading.store, "limit": str(PAGE_ROWS),
        }  # fmt: skip
        self._store, self._occasion = reading.store, reading.occasion
        self._rows = rows
        self._give_up_ns = clock.monotonic_ns() + round(reading.timeout_s * 1e9)

    async def read(self) -> LedgerRead:
        """Read all pages from one region."""
        begun_ns = clock.monotonic_ns()
        client = await Client.of(self._context)
        try:
            while True:
                sent_ns = clock.monotonic_ns()
                region = await self._all_pages(client)
                if region is not None:
                    done_ns, rows = clock.monotonic_ns(), self._rows.rows()
                    return LedgerRead(self._store, self._occasion, sent_ns, done_ns, region, rows)
                self._rows.clear()
        except _Unreadable as problem:
            self._rows.clear()
            why = str(problem)
            return LedgerRead(self._store, self._occasion, begun_ns, clock.monotonic_ns(), None, error=why)
        finally:
            client.close()

    async def _all_pages(self, client: Client) -> str | None:
        """Keep every row and return the region; none if another one answered in the middle."""
        page = await self._page(client, "")
        region, after = page.region, ""
        self._rows.add(page.rows)
        while page.after is not None:
            if page.after <= after:
                msg = f"the pages of {self._store} do not advance past {page.after!r}"
                raise _Unreadable(msg)
            after = page.after
            page = await self._page(client, after)
            if page.region != region:
                return None
            self._rows.add(page.rows)
        return region

    async def _page(self, client: Client, after: str) -> _Page:
        query = self._query | ({"after": after} if after else {})
        problem = "no time was left"
        while (left_s := (self._give_up_ns - clock.monotonic_ns()) / 1e9) > 0:
            response, detail = await client.ask(f"{self._context.orders_path}?{urlencode(query)}", left_s)
            if response.status == 200 and not response.error:
                return _page(response.document, self._store)
            problem = str(response.document.get("error") or detail.get("dns_error") or detail.get("error"))
            await asyncio.sleep(min(PAUSE_S, left_s))
        msg = f"{self._store} could not be read: {problem}"
        raise _Unreadable(msg)


def _page(document: object, store: str) -> _Page:
    match document:
        case {"region": str(region), "orders": list(orders), "next": str() | None as after}:
            return _Page(region, tuple(_row(order, store) for order in orders), after)
        case _:
            msg = f"the answer for {store} is not a page of orders"
            raise _Unreadable(msg)


def _row(order: Json, store: str) -> LedgerRow:
    match order:
        case {"number": int(number), "nonce": str(nonce)}:
            return LedgerRow(number, nonce)
        case _:
            msg = f"an order of {store} has no number or nonce: {order!r}"
            raise _Unreadable(msg)
