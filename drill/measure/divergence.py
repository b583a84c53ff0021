"""Divergence: what the old primary acknowledged after clients had been cut over from it."""

from collections.abc import Mapping, Sequence

from drill.measure.accounts import acknowledges, done_ns, sent_ns
from drill.measure.bounds import seconds
from drill.measure.numbers import counted
from drill.measure.recovery import Recovery, Window
from drill.model import Finding, Goodness, LedgerRead, Observation, Severity


def split_writes(
    writes: Mapping[int, Observation], seen: Recovery, window: Window, primary: str
) -> tuple[Observation, ...]:
    """Return the writes that the old primary acknowledged after the standby's sustained service began.

    Args:
        writes: Every write that was sent.
        seen: The recovery as the writer saw it, good meaning served by the standby.
        window: From injection to rollback; after that the primary serves rightly.
        primary: The region that was declared dead.

    """
    if seen.first_good is None:
        return ()
    since_ns = seen.first_good.done_ns
    found = [
        one
        for one in writes.values()
        if one.goodness is Goodness.GOOD
        and one.answered_by == primary
        and sent_ns(one) >= since_ns
        and (window.end_ns is None or sent_ns(one) < window.end_ns)
    ]
    return tuple(sorted(found, key=lambda one: one.number))


def findings(
    split: Sequence[Observation], reads: Sequence[LedgerRead], window: Window, primary: str
) -> tuple[Finding, ...]:
    """Return divergence write by write: those that are there after all, and those lost for good."""
    after = [one for one in reads if one.occasion == "resumed" and one.region is not None and not one.error]
    holds = {read.store: {row.number for row in read.rows} for read in after}
    begun_ns = {read.store: read.sent_ns for read in after}
    gone = [
        one
        for one in split
        if any(
            acknowledges(one, store) and one.number not in numbers and done_ns(one) <= begun_ns[store]
            for store, numbers in holds.items()
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
    split: Sequence[Observation], severity: Severity, fate: str, window: Window, primary: str
) -> tuple[Finding, ...]:
    if not split:
        return ()
    listed = ", ".join(
        f"{one.number} (sent {seconds(sent_ns(one) - window.begin.latest_ns):.3f} s after the injection)"
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
