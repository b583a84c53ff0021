"""The writer's books: which numbered writes were acknowledged, refused, or never answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from drill.model import Between, Goodness, History, LedgerRead, LedgerResult, Observation

WRITTEN = "written"
RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Account:
    """What the writer knows of one store.

    An acknowledged write belongs to a store's ledger only if the answer says that it is
    written there: one that is still pending there was not promised.

    Attributes:
        store: ``aurora`` or ``dynamodb``.
        writes: Every write that was sent, by number.
        acknowledged: Numbers that the system said this store holds.
        failed: Numbers refused before anything was done.
        unknown: Numbers whose answer never came.
        undo_ns: When the rollback began: what is sent from then on was never at risk.

    """

    store: str
    writes: Mapping[int, Observation]
    acknowledged: frozenset[int]
    failed: frozenset[int]
    unknown: frozenset[int]
    undo_ns: int | None = None

    def at_risk(self, region: str | None) -> frozenset[int]:
        """Return what a region acknowledged before the rollback began."""
        return frozenset(
            number
            for number in self.acknowledged
            if self.writes[number].answered_by == region
            and (self.undo_ns is None or sent_ns(self.writes[number]) < self.undo_ns)
        )


def sent_writes(history: History, probe: str) -> dict[int, Observation]:
    """Return the writes that were sent, by number; one never sent can be in no store."""
    return {
        seen.number: seen
        for seen in history.observations.get(probe, ())
        if seen.sent_ns is not None and seen.done_ns is not None
    }


def declared(history: History) -> int | None:
    """Return the instant at which a disaster was declared."""
    return None if history.marks.injected is None else history.marks.injected.earliest_ns


def account(
    writes: Mapping[int, Observation],
    read: LedgerRead,
    undo_ns: int | None = None,
    declared_ns: int | None = None,
) -> Account:
    """Return the books of a store as they stood when a reading of it began.

    What was answered later may be missing from that reading without being lost. Once replication
    has resumed, only what was answered before the rollback began is looked for: of what came
    later, some is always still on its way. Where a disaster was only declared (``declared_ns``), what was
    answered later is not looked for at cutover: the disaster would have kept it from being written.
    """
    until_ns = read.sent_ns
    if read.occasion != RESUMED and declared_ns is not None:
        until_ns = min(until_ns, declared_ns)
    if read.occasion == RESUMED and undo_ns is not None:
        until_ns = min(until_ns, undo_ns)
    known = {number: one for number, one in writes.items() if done_ns(one) <= until_ns}
    return Account(
        store=read.store,
        writes=writes,
        acknowledged=frozenset(number for number, one in known.items() if acknowledges(one, read.store)),
        failed=frozenset(number for number, one in known.items() if one.goodness is Goodness.BAD),
        unknown=frozenset(number for number, one in known.items() if one.goodness is Goodness.UNKNOWN),
        undo_ns=undo_ns,
    )


def lost_in(read: LedgerRead, history: History, probe: str) -> tuple[int, ...]:
    """Return the numbers of a writer's acknowledged writes that a reading does not show."""
    undo_ns = None if history.marks.undone is None else history.marks.undone.earliest_ns
    return compare(account(sent_writes(history, probe), read, undo_ns), read).lost


def acknowledges(write: Observation, store: str) -> bool:
    """Say whether a write's answer promises that a store holds it."""
    stores = write.detail.get("stores")
    written = isinstance(stores, Mapping) and stores.get(store) == WRITTEN
    return write.goodness is Goodness.GOOD and written


def sent_ns(write: Observation) -> int:
    """Return when a write that was sent was sent."""
    return cast("int", write.sent_ns)  # sent_writes keeps no other


def done_ns(write: Observation) -> int:
    """Return when a write that was sent was answered or given up."""
    return cast("int", write.done_ns)  # sent_writes keeps no other


def compare(books: Account, read: LedgerRead) -> LedgerResult:
    """Return what a reading of a store says of the writer's books."""
    at = Between(read.sent_ns, read.done_ns)
    if read.region is None or read.error:
        return LedgerResult(read.store, read.occasion, False, 0, 0, 0, 0, (), (), (), (), at, read.error)
    present: set[int] = set()
    duplicated: set[int] = set()
    corrupt: set[int] = set()
    for row in read.rows:
        (duplicated if row.number in present else present).add(row.number)
        write = books.writes.get(row.number)
        if write is not None and write.detail.get("nonce") != row.nonce:
            corrupt.add(row.number)
    lost = books.acknowledged - present
    return LedgerResult(
        store=read.store,
        occasion=read.occasion,
        readable=True,
        acknowledged=len(books.acknowledged),
        failed=len(books.failed),
        unknown=len(books.unknown),
        unknown_present=len(books.unknown & present),
        lost=tuple(sorted(lost)),
        duplicated=tuple(sorted(duplicated)),
        corrupt=tuple(sorted(corrupt)),
        holes=tuple(sorted(_holes(books, lost))),
        read=at,
    )


def _holes(books: Account, lost: frozenset[int]) -> set[int]:
    """Return lost numbers with a later survivor that the same region acknowledged."""
    holes: set[int] = set()
    for region in {books.writes[number].answered_by for number in lost}:
        promised = books.at_risk(region)
        newest = max(promised - lost, default=-1)
        holes |= {number for number in promised & lost if number < newest}
    return holes
