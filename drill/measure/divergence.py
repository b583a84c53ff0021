"""Divergence: what the old primary acknowledged after clients had been cut over from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from drill.columns import GOOD
from drill.measure.bounds import seconds
from drill.measure.numbers import counted
from drill.measure.recovery import Recovery, Window
from drill.measure.writes import Writes
from drill.model import Finding, LedgerRead, Severity


@dataclass(frozen=True, slots=True)
class SplitWrite:
    """A write that the old primary acknowledged when it should not have served any more.

    Attributes:
        number: Its number.
        sent_ns: When it was sent.
        done_ns: When it was acknowledged.
        stores: Which of the stores that were read hold it, by its answer.

    """

    number: int
    sent_ns: int
    done_ns: int
    stores: Collection[str]


def split_writes(writes: Writes, seen: Recovery, window: Window, primary: str) -> tuple[SplitWrite, ...]:
    """Return the writes that the old primary acknowledged after the standby's sustained service began.

    Args:
        writes: Every write that was sent.
        seen: The recovery as the writer saw it, good meaning served by the standby.
        window: From injection to rollback; after that the primary serves rightly.
        primary: The region that was declared dead.

    """
    if seen.first_good is None:
        return ()
    since_ns, end_ns = seen.first_good.done_ns, window.end_ns
    by_primary = writes.answered_by(primary)
    return tuple(
        SplitWrite(
            writes.number[place],
            sent_ns,
            writes.done_ns[place],
            [store for store, mask in writes.promised.items() if mask[place]],
        )
        for place, sent_ns in enumerate(writes.sent_ns)
        if by_primary[place]
        and writes.goodness[place] == GOOD
        and sent_ns >= since_ns
        and (end_ns is None or sent_ns < end_ns)
    )


def findings(
    split: Sequence[SplitWrite], reads: Sequence[LedgerRead], window: Window, primary: str
) -> tuple[Finding, ...]:
    """Return divergence write by write: those that are there after all, and those lost for good."""
    if not split:
        return ()
    numbers = {one.number for one in split}
    after = [one for one in reads if one.occasion == "resumed" and one.region is not None and not one.error]
    holds = {read.store: numbers.intersection(row.number for row in read.rows) for read in after}
    begun_ns = {read.store: read.sent_ns for read in after}
    gone = [
        one
        for one in split
        if any(
            store in one.stores and one.number not in there and one.done_ns <= begun_ns[store]
            for store, there in holds.items()
        )
    ]
    lost = {one.number for one in gone}
    kept = [one for one in split if one.number not in lost]
    there = "they are there after the rollback" if after else "whether they survived is not known"
    return (
        *_finding(kept, Severity.WARNING, there, window, primary),
        *_finding(gone, Severity.CRITICAL, "they are lost for good", window, primary),
    )


def _finding(
    split: Sequence[SplitWrite], severity: Severity, fate: str, window: Window, primary: str
) -> tuple[Finding, ...]:
    if not split:
        return ()
    listed = ", ".join(
        f"{one.number} (sent {seconds(one.sent_ns - window.begin.latest_ns):.3f} s after the injection)"
        for one in split
    )
    return (
        Finding(
            "divergence",
            severity,
            f"{counted(len(split), 'write')} acknowledged by {primary} after the cutover; {fate}",
            f"Clients had been moved, and {primary} went on taking writes: numbers {listed}.",
            "Fence the old primary before clients are moved, so that two regions never write at once.",
        ),
    )
