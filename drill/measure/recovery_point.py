"""Recovery point: how much of what was acknowledged is not there, as time and as writes.

With ``a`` the last write that the lost side acknowledged, ``l`` the oldest lost write and ``s``
the newest survivor before it, the recovery point lies in ``[max(0, a.sent - l.done), a.done -
s.sent]``. Nothing lost: ``[0, max(0, a.done - s.sent)]`` with ``s`` the newest survivor. All
of them are writes that the lost side acknowledged: what the other side took proves nothing.
"""

from collections.abc import Iterable, Sequence

from drill.measure.accounts import Account, done_ns, sent_ns
from drill.measure.bounds import seconds
from drill.measure.shares import rule_of_three, wilson
from drill.model import LedgerResult, Measurement, Observation

POINT = "recovery_point"
WRITES = "recovery_point_writes"
SHARE = "lost_share"


def measurements(books: Account, result: LedgerResult, lost_side: str) -> tuple[Measurement, ...]:
    """Return the recovery point of one store on one occasion.

    Args:
        books: The writer's books of that store.
        result: What the reading showed.
        lost_side: The region that the fault takes away.

    Returns:
        Nothing if the store could not be read or nothing was acknowledged.

    """
    if not result.readable or not books.acknowledged:
        return ()
    part = f"{result.store}/{result.occasion}"
    listed = [*_point(books, result, lost_side, part)]
    lost, of = len(result.lost), len(books.acknowledged)
    how = f"{lost} of {of} acknowledged writes are not there, counted one by one"
    how += f"; {result.unknown} more were never answered, {result.unknown_present} of them are there."
    listed.append(Measurement(WRITES, lost, lost, "writes", how, f"writes lost, {_label(result)}", part))
    listed.append(_share(lost, of, result, part))
    return tuple(listed)


def _label(result: LedgerResult) -> str:
    return f"{result.store} at {result.occasion}"


def _share(lost: int, of: int, result: LedgerResult, part: str) -> Measurement:
    if lost:
        low, high = wilson(lost, of)
        how = f"{lost} of {of} acknowledged writes lost; 95 % Wilson interval."
    else:
        low, high = 0.0, rule_of_three(of)
        how = f"Nothing lost among {of} acknowledged writes: the share lost is below 3/{of} at 95 %."
    return Measurement(SHARE, low, high, "share", how, f"share of writes lost, {_label(result)}", part)


def _point(books: Account, result: LedgerResult, lost_side: str, part: str) -> tuple[Measurement, ...]:
    """Return the recovery point as time; nothing if the lost side acknowledged nothing that could tell."""
    promised = _by_sending(books, books.at_risk(lost_side))
    missing = set(result.lost)
    lost = [one for one in promised if one.number in missing]
    if not promised or (missing and not lost):
        return ()
    last_sent_ns = sent_ns(promised[-1])
    last_done_ns = max(done_ns(one) for one in promised)
    kept = [one for one in promised if one.number not in missing]
    if lost:
        first_done_ns = min(done_ns(one) for one in lost)
        kept = [one for one in kept if sent_ns(one) < sent_ns(lost[0])]
        low = seconds(max(0, last_sent_ns - first_done_ns))
        how = f"From the oldest lost write ({lost[0].number}) to the last that {lost_side} acknowledged"
    else:
        low = 0.0
        how = f"Nothing lost: from the newest survivor to the last write that {lost_side} acknowledged"
    high = seconds(max(0, last_done_ns - sent_ns(kept[-1]))) if kept else None
    how += "; at most from the survivor before." if kept and lost else "."
    if not kept:
        how = f"Every write that {lost_side} acknowledged is lost: nothing bounds it from above."
    return (Measurement(POINT, low, high, "s", how, f"recovery point, {_label(result)}", part),)


def _by_sending(books: Account, numbers: Iterable[int]) -> Sequence[Observation]:
    return sorted((books.writes[number] for number in numbers), key=lambda one: (sent_ns(one), one.number))
