"""The ledger: which acknowledged writes each store had, at cutover and afterwards; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drill.model import LedgerResult
from reports.series import Table
from reports.wording import count, numbers

_OCCASIONS = {"cutover": "at cutover", "resumed": "after replication resumed"}
_STORES = {"dynamodb": "DynamoDB", "aurora": "Aurora"}
_CONFIDENCE = 3.0


@dataclass(frozen=True, slots=True)
class StoreView:
    """One store's story.

    Attributes:
        store: Its name.
        tone: How bad it is.
        sentence: What happened to the acknowledged writes.
        details: Which writes, by number, each with its label.

    """

    store: str
    tone: Literal["good", "attention", "bad", "unknown"]
    sentence: str
    details: tuple[tuple[str, str], ...]


def occasion(name: str) -> str:
    """Return when a ledger was read, in words."""
    return _OCCASIONS.get(name, name)


def store_name(name: str) -> str:
    """Return how a store is written."""
    return _STORES.get(name, name)


def table(ledgers: Sequence[LedgerResult]) -> Table:
    """Return every reading with its counts."""
    head = (
        "Store",
        "Read",
        "Acknowledged",
        "Missing",
        "Unknown",
        "of them there",
        "Refused",
        "Twice",
        "Corrupt",
    )
    caption = "Writes by store and by when the store was read"
    return Table(caption, head, tuple(_row(ledger) for ledger in ledgers), frozenset(range(2, 9)))


def stores(ledgers: Sequence[LedgerResult]) -> tuple[StoreView, ...]:
    """Return what became of the writes, store by store."""
    names = dict.fromkeys(ledger.store for ledger in ledgers)
    return tuple(_store([ledger for ledger in ledgers if ledger.store == name]) for name in names)


def _row(ledger: LedgerResult) -> tuple[str, ...]:
    if not ledger.readable:
        read = f"{occasion(ledger.occasion)}, not readable: {ledger.error or 'no answer'}"
        return (store_name(ledger.store), read, *["\u2013"] * 7)
    numbers_of = (
        ledger.acknowledged,
        len(ledger.lost),
        ledger.unknown,
        ledger.unknown_present,
        ledger.failed,
        len(ledger.duplicated),
        len(ledger.corrupt),
    )
    return (store_name(ledger.store), occasion(ledger.occasion), *(f"{number:,}" for number in numbers_of))


def _store(readings: Sequence[LedgerResult]) -> StoreView:
    first, last = readings[0], readings[-1]
    readable = [reading for reading in readings if reading.readable]
    name, details = store_name(first.store), _details(readings)
    if not readable:
        return StoreView(name, "unknown", "It could not be read, so nothing is known of its writes.", details)
    corrupt = any(reading.corrupt or reading.duplicated for reading in readable)
    if not first.readable or not last.readable:
        unread = first if not first.readable else last
        words = f"It could not be read {occasion(unread.occasion)}. {_missing(readable[0])}"
        return StoreView(name, "bad" if corrupt else "unknown", words, details)
    words = _missing(first) + (_afterwards(first, last) if len(readings) > 1 and first.lost else "")
    if corrupt:
        return StoreView(name, "bad", f"{words} Some writes are there twice or changed.", details)
    for_good = bool(last.lost) and len(readings) > 1
    return StoreView(name, "bad" if for_good else "attention" if first.lost else "good", words, details)


def _missing(reading: LedgerResult) -> str:
    acknowledged = count(reading.acknowledged, reading.acknowledged, "acknowledged writes")
    if reading.lost:
        verb = "was" if len(reading.lost) == 1 else "were"
        return f"{len(reading.lost):,} of {acknowledged} {verb} missing {occasion(reading.occasion)}."
    if not reading.acknowledged:
        return "No write was acknowledged, so nothing could be lost."
    share = min(1.0, _CONFIDENCE / reading.acknowledged)
    return (
        f"None of {acknowledged} was missing {occasion(reading.occasion)}: "
        f"at 95 % confidence the share lost is below {share * 100:.2g} %."
    )


def _afterwards(first: LedgerResult, last: LedgerResult) -> str:
    recovered = len(set(first.lost) - set(last.lost))
    if not last.lost:
        return f" All {recovered:,} came back {occasion(last.occasion)}: none is lost for good."
    return f" {recovered:,} came back {occasion(last.occasion)}; {len(last.lost):,} lost for good."


def _details(readings: Sequence[LedgerResult]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for reading in readings:
        when = occasion(reading.occasion)
        listed = (
            (f"missing {when}", reading.lost),
            (f"holes {when} (a later write is there)", reading.holes),
            (f"twice {when}", reading.duplicated),
            (f"corrupt {when}", reading.corrupt),
        )
        found += [(label, numbers(values)) for label, values in listed if values]
    first, last = readings[0], readings[-1]
    if (
        len(readings) > 1
        and first.readable
        and last.readable
        and (back := sorted(set(first.lost) - set(last.lost)))
    ):
        found.append(("came back", numbers(back)))
    return tuple(found)
