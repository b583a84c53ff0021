"""Recovery point: how much of what was acknowledged is not there, as time and as writes.

With ``a`` the last write that the lost side acknowledged, ``l`` the oldest lost write and ``s``
the newest survivor before it, the recovery point lies in ``[max(0, a.sent - l.done), a.done -
s.sent]``. Nothing lost: ``[0, max(0, a.done - s.sent)]`` with ``s`` the newest survivor. All
of them are writes that the lost side acknowledged: what the other side took proves nothing.
"""

from itertools import compress

from drill.measure.accounts import Account, Comparison
from drill.measure.bounds import seconds
from drill.measure.shares import rule_of_three, wilson
from drill.model import LedgerResult, Measurement

POINT = "recovery_point"
WRITES = "recovery_point_writes"
SHARE = "lost_share"


def measurements(books: Account, compared: Comparison, lost_side: str) -> tuple[Measurement, ...]:
    """Return the recovery point of one store on one occasion.

    Args:
        books: The writer's books of that store.
        compared: What the reading showed.
        lost_side: The region that the fault takes away.

    Returns:
        Nothing if the store could not be read or nothing was acknowledged.

    """
    result = compared.ledger
    if not result.readable or not result.acknowledged:
        return ()
    part = f"{result.store}/{result.occasion}"
    listed = [*_point(books, compared, lost_side, part)]
    lost, of = len(result.lost), result.acknowledged
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


def _point(books: Account, compared: Comparison, lost_side: str, part: str) -> tuple[Measurement, ...]:
    """Return the recovery point as time; nothing if the lost side acknowledged nothing that could tell."""
    writes, result = books.writes, compared.ledger
    sent_ns, done_ns = writes.sent_ns, writes.done_ns
    # In the order of sending, and of numbers where two were sent at once: places are in that order.
    promised = sorted(compress(range(len(writes)), books.at_risk(lost_side)), key=sent_ns.__getitem__)
    lost = [place for place in promised if compared.lost[place]]
    if not promised or (result.lost and not lost):
        return ()
    last_sent_ns = sent_ns[promised[-1]]
    last_done_ns = max(done_ns[place] for place in promised)
    kept = [place for place in promised if not compared.lost[place]]
    if lost:
        first_done_ns = min(done_ns[place] for place in lost)
        kept = [place for place in kept if sent_ns[place] < sent_ns[lost[0]]]
        low = seconds(max(0, last_sent_ns - first_done_ns))
        oldest = writes.number[lost[0]]
        how = f"From the oldest lost write ({oldest}) to the last that {lost_side} acknowledged"
    else:
        low = 0.0
        how = f"Nothing lost: from the newest survivor to the last write that {lost_side} acknowledged"
    high = seconds(max(0, last_done_ns - sent_ns[kept[-1]])) if kept else None
    how += "; at most from the survivor before." if kept and lost else "."
    if not kept:
        how = f"Every write that {lost_side} acknowledged is lost: nothing bounds it from above."
    return (Measurement(POINT, low, high, "s", how, f"recovery point, {_label(result)}", part),)
