"""The writer's books: which numbered writes were acknowledged, refused, or never answered.

All of them are masks over the writes in the order of their numbers, 1 for each that is meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from operator import and_

from drill.columns import BAD, UNKNOWN
from drill.measure.attempts import sent_in_order
from drill.measure.writes import Writes, sent_writes
from drill.model import Between, History, LedgerRead, LedgerResult
from drill.predicates import accepted

RESUMED = "resumed"
PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Account:
    """What the writer knows of one store.

    An acknowledged write belongs to a store's ledger only if the answer says that it is
    written there: one that is still pending there was not promised.

    Attributes:
        store: ``aurora`` or ``dynamodb``.
        writes: Every write that was sent.
        acknowledged: What the system said this store holds.
        failed: What was refused before anything was done.
        unknown: What was never answered.
        undo_ns: When the rollback began: what is sent from then on was never at risk.

    """

    store: str
    writes: Writes
    acknowledged: bytes
    failed: bytes
    unknown: bytes
    undo_ns: int | None = None

    def at_risk(self, region: str | None) -> bytes:
        """Return what a region acknowledged before the rollback began."""
        promised = both(self.acknowledged, self.writes.answered_by(region))
        if self.undo_ns is None:
            return promised
        return both(promised, bytes(sent_ns < self.undo_ns for sent_ns in self.writes.sent_ns))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A reading of a store against the writer's books.

    Attributes:
        ledger: What it comes to.
        lost: Acknowledged writes that are not there.
        refused: Numbers that were refused and are there, ascending.
        unexplained: Numbers that are there and nobody wrote, ascending; one beyond the newest write
            was still under way at the end.

    """

    ledger: LedgerResult
    lost: bytes
    refused: tuple[int, ...] = ()
    unexplained: tuple[int, ...] = ()


def account(writes: Writes, read: LedgerRead, undo_ns: int | None = None) -> Account:
    """Return the books of a store as they stood when a reading of it began.

    What was answered later may be missing from that reading without being lost. Once replication
    has resumed, only what was answered before the rollback began is looked for: of what came
    later, some is always still on its way.
    """
    until_ns = read.sent_ns
    if read.occasion == RESUMED and undo_ns is not None:
        until_ns = min(until_ns, undo_ns)
    known = bytes(done_ns <= until_ns for done_ns in writes.done_ns)
    return Account(
        store=read.store,
        writes=writes,
        acknowledged=both(known, writes.promised[read.store]),
        failed=both(known, bytes(code == BAD for code in writes.goodness)),
        unknown=both(known, bytes(code == UNKNOWN for code in writes.goodness)),
        undo_ns=undo_ns,
    )


def lost_in(read: LedgerRead, history: History, probe: str) -> tuple[int, ...]:
    """Return the numbers of a writer's acknowledged writes that a reading does not show."""
    undo_ns = None if history.marks.undone is None else history.marks.undone.earliest_ns
    writes = sent_writes(history, probe, (read.store,))
    return compare(account(writes, read, undo_ns), read).ledger.lost


def unreconciled_in(read: LedgerRead, history: History, probe: str) -> tuple[int, ...]:
    """Return the numbers of writes accepted as pending in a store that a reading of it does not show.

    Only those whose answer came before the rollback began, and before the reading.
    """
    undo_ns = None if history.marks.undone is None else history.marks.undone.earliest_ns
    until_ns = read.sent_ns if undo_ns is None else min(read.sent_ns, undo_ns)
    promised = {
        one.number
        for one in sent_in_order(history, probe)
        if one.done_ns is not None and one.done_ns <= until_ns and accepted(one, read.store) == PENDING
    }
    return tuple(sorted(promised - {row.number for row in read.rows}))


def both(one: bytes, other: bytes) -> bytes:
    """Return 1 where two masks are."""
    return bytes(map(and_, one, other))


def compare(books: Account, read: LedgerRead) -> Comparison:
    """Return what a reading of a store says of the writer's books; its rows are gone over once."""
    at = Between(read.sent_ns, read.done_ns)
    writes = books.writes
    if read.region is None or read.error:
        unread = LedgerResult(read.store, read.occasion, False, 0, 0, 0, 0, (), (), (), (), at, read.error)
        return Comparison(unread, bytes(len(writes)))
    there = _There.of(writes, read)
    lost = both(books.acknowledged, there.absent())
    result = LedgerResult(
        store=read.store,
        occasion=read.occasion,
        readable=True,
        acknowledged=sum(books.acknowledged),
        failed=sum(books.failed),
        unknown=sum(books.unknown),
        unknown_present=sum(both(books.unknown, there.present)),
        lost=writes.numbers_of(lost),
        duplicated=tuple(sorted(there.duplicated)),
        corrupt=tuple(sorted(there.corrupt)),
        holes=tuple(sorted(_holes(books, lost))),
        read=at,
    )
    newest = writes.number[-1] if len(writes) else -1
    return Comparison(
        ledger=result,
        lost=lost,
        refused=writes.numbers_of(both(books.failed, there.present)),
        unexplained=tuple(sorted(number for number in there.others if number <= newest)),
    )


@dataclass(frozen=True, slots=True)
class _There:
    """What a reading shows.

    Attributes:
        present: 1 for each write that is there.
        others: Numbers that are there and of which no write was sent.
        duplicated: Numbers that are there more than once.
        corrupt: Numbers that are there with another nonce.

    """

    present: bytes
    others: set[int]
    duplicated: set[int]
    corrupt: set[int]

    @classmethod
    def of(cls, writes: Writes, read: LedgerRead) -> "_There":
        present = bytearray(len(writes))
        others: set[int] = set()
        duplicated: set[int] = set()
        corrupt: set[int] = set()
        for row in read.rows:
            place = writes.place(row.number)
            if place is None:
                (duplicated if row.number in others else others).add(row.number)
                continue
            if present[place]:
                duplicated.add(row.number)
            present[place] = 1
            if not writes.has_nonce(place, row.nonce):
                corrupt.add(row.number)
        return cls(bytes(present), others, duplicated, corrupt)

    def absent(self) -> bytes:
        """Return 1 for each write that is not there."""
        return self.present.translate(_OTHER_WAY_ROUND)


_OTHER_WAY_ROUND = bytes(not code for code in range(256))


def _holes(books: Account, lost: bytes) -> Iterator[int]:
    """Yield lost numbers with a later survivor that the same region acknowledged."""
    writes = books.writes
    for code in {*compress(writes.region, lost)}:
        promised = books.at_risk(writes.regions.get(code))
        newest = both(promised, lost.translate(_OTHER_WAY_ROUND)).rfind(1)
        yield from writes.numbers_of(both(promised, lost)[: max(newest, 0)])
