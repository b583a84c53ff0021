"""Recovery time: from the fault, and from the impact, until the service is back for good.

Probe: ``http`` or ``writer``. Options:

- ``served_by``: region that must answer. An outage that moves DNS alone leaves the primary
  answering; only who answers shows the recovery. Without it any good answer counts.
- ``failures``, ``successes``: the debounce (3 and 3).

Measurements: ``recovery_time`` (from the fault) and its part ``impact``.
"""

from drill.measure.attempts import attempts
from drill.measure.bounds import elapsed_at_least_s, elapsed_s, seconds
from drill.measure.options import optional_text
from drill.measure.parts import NOTHING, only
from drill.measure.recovery import Recovery, Window, fault_window, onset, recovery
from drill.measure.stretches import Rule, rule
from drill.model import Between, History, Measured, Measurement, MeasureSpec
from drill.target import Target

NAME = "recovery_time"
IMPACT = "impact"


def recovery_time(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return how long recovery took, from the fault and from the first harm to a client."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    by = rule(spec, history, target)
    seen = recovery(attempts(history, spec.probe, optional_text(spec, "served_by")), by, window)
    if seen is None:
        return NOTHING
    from_fault = _measurement(seen, window.begin, _how(seen, window, by), "")
    impact = onset(attempts(history, spec.probe), by, window)
    if impact is None:
        return only(from_fault)
    how = (
        "As from the fault, but counted from the onset: between the sending of the last good attempt "
        "before it and the end of the first bad one."
    )
    return only(from_fault, _measurement(seen, impact, how, IMPACT))


def _measurement(seen: Recovery, since: Between, how: str, part: str) -> Measurement:
    low, high = duration_s(seen, since)
    label = "recovery time from impact" if part else "recovery time"
    return Measurement(NAME, low, high, "s", how, label, part)


def duration_s(seen: Recovery, since: Between) -> tuple[float, float | None]:
    """Return the bounds of a recovery's duration; the upper one is None if it was not seen."""
    if seen.back is None:
        return elapsed_at_least_s(since, seen.not_before_ns), None
    return elapsed_s(since, seen.back)


def _how(seen: Recovery, window: Window, by: Rule) -> str:
    """Say in one sentence how the bounds were obtained."""
    settle = f"{seconds(by.settle_ns):g} s"
    if not seen.outage:
        isolated = "No attempt" if seen.last_bad is None else f"Fewer than {by.failures} attempts in a row"
        return f"{isolated} failed after the injection was sent; the upper bound is the next good answer."
    if seen.first_good is None:
        return (
            "From the injection's end to the sending of the last bad attempt; "
            f"no stretch stayed good for {settle} while anybody looked."
        )
    cut = window.end_ns is not None and window.end_ns - seen.first_good.sent_ns < by.enough_ns
    stayed = "until the rollback" if cut else f"for {settle}"
    return (
        "From the injection's end to the sending of the last bad attempt, and from the injection's "
        f"beginning to the end of the first attempt of a stretch that stayed good {stayed}."
    )
