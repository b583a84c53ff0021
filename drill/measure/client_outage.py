"""Client outage: for how long clients were not served, and how many attempts went bad.

Probe: ``http``. Options: ``failures``, ``successes``. Looks at the time from the injection to
the rollback, whoever answers.

Measurements:

- ``client_outage``: downtime in seconds, by hard bounds; its part ``estimate`` dates the
  onset by the slowest healthy round trip and is no bound;
- ``bad_attempts``, ``bad_share``, ``availability``: over the attempts that were *due*. One
  that was never sent, or was sent more than an interval late, shows nothing of its moment:
  it is counted as possibly bad and possibly good.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.columns import GOOD, NEVER, columns
from drill.measure.attempts import Attempts, attempts
from drill.measure.bounds import elapsed_at_least_s, elapsed_s, nanoseconds, seconds
from drill.measure.parts import NOTHING, only, together
from drill.measure.recovery import Episode, Window, episodes, fault_window
from drill.measure.shares import wilson
from drill.measure.stretches import Rule, rule
from drill.model import Between, History, Measured, Measurement, MeasureSpec
from drill.target import Target

LABEL = "client outage"


def client_outage(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return downtime, bad attempts and availability as clients saw them."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    by = rule(spec, history, target)
    every = attempts(history, spec.probe).before(window.end_ns)
    return together((_downtime(every, by, window), _shares(_tally(spec, history, window))))


def _downtime(every: Attempts, by: Rule, window: Window) -> Measured:
    if every.place_since(window.begin.earliest_ns) == len(every):
        return NOTHING
    gone = episodes(every, by, window)
    if not gone:
        return only(_undisturbed(every, by, window))
    low = sum(_length_s(one)[0] for one in gone)
    highs = [_length_s(one)[1] for one in gone]
    high = None if None in highs else sum(one for one in highs if one is not None)
    how = (
        "Low: from the end of the first bad attempt to the sending of the last; high: from the sending "
        "of the last good attempt before to the end of the first of a stretch that stayed good"
    )
    how += f"; summed over {len(gone)} outages." if len(gone) > 1 else "."
    hard = Measurement("client_outage", low, high, "s", how, LABEL)
    return together((only(hard), _estimate(every, gone, window)))


def _length_s(one: Episode) -> tuple[float, float | None]:
    if one.began is None:
        return 0.0, None
    if one.recovery.back is None:
        return elapsed_at_least_s(one.began, one.recovery.not_before_ns), None
    return elapsed_s(one.began, one.recovery.back)


def _undisturbed(every: Attempts, by: Rule, window: Window) -> Measurement:
    """Return 0, and the longest outage that could have hidden between two good answers."""
    goods = every.only_good()
    inside = [
        done_ns - before_ns
        for before_ns, done_ns in zip(goods.sent_ns, goods.done_ns[1:], strict=False)
        if done_ns >= window.begin.earliest_ns
    ]
    how = (
        f"There was no outage: never {by.failures} bad attempts together; the upper bound is the longest "
        "that could hide between two good answers."
    )
    return Measurement("client_outage", 0.0, seconds(max(inside)) if inside else None, "s", how, LABEL)


def _estimate(every: Attempts, gone: Sequence[Episode], window: Window) -> Measured:
    """Return the downtime if a bad attempt met the fault within a healthy round trip of being sent."""
    healthy = every.healthy_ns(window.begin.earliest_ns)
    if not healthy or len(gone) != 1 or gone[0].began is None or gone[0].recovery.back is None:
        return NOTHING
    before_ns = gone[0].began.earliest_ns
    bad_ns = next(ns for ns in map(every.sent_ns.__getitem__, every.bad_places()) if ns > before_ns)
    latest_ns = min(gone[0].began.latest_ns, bad_ns + max(healthy))
    low, high = elapsed_s(Between(before_ns, latest_ns), gone[0].recovery.back)
    how = (
        "An estimate, not a bound: as above, but the first bad attempt is taken to have met the fault "
        f"within the slowest healthy round trip ({seconds(max(healthy)):.3f} s) of being sent."
    )
    return only(Measurement("client_outage", low, high, "s", how, f"{LABEL} (estimate)", "estimate"))


@dataclass(frozen=True, slots=True)
class _Tally:
    """Attempts that were due in the window."""

    due: int
    bad: int
    unknown: int


def _tally(spec: MeasureSpec, history: History, window: Window) -> _Tally:
    late_ns = nanoseconds(history.probes[spec.probe].interval_s)
    begin_ns, end_ns = window.begin.earliest_ns, window.end_ns
    seen = columns(history, spec.probe)
    due = bad = unknown = 0
    for due_ns, sent_ns, goodness in zip(seen.due_ns, seen.sent_ns, seen.goodness, strict=True):
        if due_ns < begin_ns or (end_ns is not None and due_ns >= end_ns):
            continue
        due += 1
        if sent_ns == NEVER or (goodness == GOOD and sent_ns - due_ns > late_ns):
            unknown += 1
        elif goodness != GOOD:
            bad += 1
    return _Tally(due, bad, unknown)


def _shares(tally: _Tally) -> Measured:
    if not tally.due:
        return NOTHING
    most = tally.bad + tally.unknown
    low, high = wilson(tally.bad, tally.due)[0], wilson(most, tally.due)[1]
    counted = f"{tally.bad} of {tally.due} attempts that were due went bad"
    if tally.unknown:
        counted += f" and {tally.unknown} were sent late or never, which may have been either"
    how = f"{counted}; 95 % Wilson interval."
    return only(
        Measurement("bad_attempts", tally.bad, most, "1", f"{counted}.", "bad attempts"),
        Measurement("bad_share", low, high, "share", how, "share of bad attempts"),
        Measurement("availability", 1 - high, 1 - low, "share", how, "availability"),
    )
