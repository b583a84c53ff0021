"""Time to alert: from the fault until a person on call would read of it.

Probe: ``queue``, which says which alarms count. Option: ``alarm_probe``, a probe of kind ``alarm`` on
the alarm itself (may be left out).

Measurements: ``time_to_alert``; its part ``alarm`` (until the alarm itself had gone off), and its
part ``all-clear`` (from the undo until its end was told, if that was waited for).

A long poll that brought nothing proves that there was none while it waited; one sent after the poll
that brought the alert proves nothing, since what one has taken another does not see. So the alert was
there between the end of the last earlier poll's waiting (or the sending of the one that brought it,
if that came before) and the end of the one that brought it. None by the end: the time is censored.

An alarm looks at whole periods of its metric, so that the time depends on where in a period the fault
falls: another drill may be up to one period slower or faster. That is told and not added: the
interval is what this drill took.
"""

from collections.abc import Callable, Mapping, Sequence

from drill.measure.attempts import sent_in_order
from drill.measure.bounds import elapsed_at_least_s, elapsed_s, nanoseconds
from drill.measure.options import optional_text
from drill.measure.parts import NOTHING, found, only, together
from drill.measure.recovery import Window, fault_window, undo_window
from drill.model import (
    LONG_POLL_S,
    Between,
    Finding,
    Goodness,
    History,
    Measured,
    Measurement,
    MeasureSpec,
    Observation,
    Severity,
)
from drill.target import Target

NAME = "time_to_alert"
ALARM = "alarm"
ALL_CLEAR = "all-clear"
_LABEL = "time to alert"

Shows = Callable[[Observation], bool]


def time_to_alert(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return how long it took until the alarm had gone off and its alert could be read."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    seen = sent_in_order(history, spec.probe)
    looks = sent_in_order(history, optional_text(spec, "alarm_probe") or "")
    firing = _firing(looks, window.begin.earliest_ns)
    if firing:
        return found(firing)
    period = _period(looks)
    told = _first(seen, window, _is_bad, nanoseconds(LONG_POLL_S))
    parts = [_measurement(told, window.begin, "", _LABEL, _how(told, period))] if seen else []
    if looks:
        went_off = _first(looks, window, _is_bad)
        how = "From the fault until CloudWatch's own API first showed the alarm in the state ALARM" + period
        parts.append(_measurement(went_off, window.begin, ALARM, f"{_LABEL}: the alarm went off", how))
    return together((only(*parts), _cleared(seen, history)))


def _is_bad(seen: Observation) -> bool:
    return seen.goodness is Goodness.BAD


def _is_clear(seen: Observation) -> bool:
    alerts = seen.detail.get("alerts")
    listed = alerts if isinstance(alerts, list | tuple) else ()
    return any(isinstance(one, Mapping) and one.get("state") == "OK" for one in listed)


def _cleared(seen: Sequence[Observation], history: History) -> Measured:
    window = undo_window(history)
    told = None if window is None else _first(seen, window, _is_clear, nanoseconds(LONG_POLL_S))
    if window is None or not isinstance(told, Between):
        return NOTHING
    how = "From the undo's calls until the word that the alarm is over could be read from the queue."
    return only(_measurement(told, window.begin, ALL_CLEAR, f"{_LABEL}: all clear", how))


def _first(
    seen: Sequence[Observation], window: Window, shows: Shows, waits_ns: int = 0
) -> Between | int | None:
    """Return when something was first shown after a window began.

    Args:
        seen: Observations in the order of sending.
        window: From when on.
        shows: What is looked for.
        waits_ns: So long after its sending, at most, an observation without it has looked.

    Returns:
        Bounds; or until when it had certainly not been shown, where it never was; None if nobody looked.

    """
    absent_ns = window.begin.earliest_ns
    looked = False
    for one in seen:
        assert one.sent_ns is not None  # noqa: S101 (sent_in_order has none that was not sent)
        assert one.done_ns is not None  # noqa: S101
        if one.done_ns < window.begin.earliest_ns:
            continue
        looked = True
        if shows(one):
            before_ns = max(window.begin.earliest_ns, one.sent_ns)
            return Between(min(absent_ns, before_ns), one.done_ns)
        if one.goodness is not Goodness.UNKNOWN:
            absent_ns = max(absent_ns, min(one.sent_ns + waits_ns, one.done_ns))
    return absent_ns if looked else None


def _measurement(shown: Between | int | None, begin: Between, part: str, label: str, how: str) -> Measurement:
    if isinstance(shown, Between):
        low, high = elapsed_s(begin, shown)
        return Measurement(NAME, low, high, "s", how, label, part)
    low = 0.0 if shown is None else elapsed_at_least_s(begin, shown)
    return Measurement(NAME, low, None, "s", "Nothing came while anybody looked.", label, part)


def _how(told: Between | int | None, period: str) -> str:
    if not isinstance(told, Between):
        return ""
    return (
        "From the fault until its alert could be read from a queue on the topic of those on call: after "
        f"the last poll that brought none, at the latest when the first brought it{period}"
    )


def _period(looks: Sequence[Observation]) -> str:
    """Return the detector's granularity as the end of a sentence."""
    periods = {one.detail.get("period_s") for one in looks} - {None}
    if not periods:
        return "."
    period = min(map(str, periods))
    return f"; the alarm looks at whole periods of {period} s, so another drill may differ by one."


def _firing(looks: Sequence[Observation], begin_ns: int) -> Finding | None:
    """Return a finding where the alarm was in alarm already when the fault began."""
    before = [one for one in looks if (one.done_ns or 0) < begin_ns and one.goodness is not Goodness.UNKNOWN]
    if not before or before[-1].goodness is Goodness.GOOD:
        return None
    return Finding(
        "alarm_was_on",
        Severity.WARNING,
        "The alarm was on before the fault, so the time to alert is not known",
        "An alarm that is on already tells nobody of anything new.",
        "Find out why it was on, then drill again.",
    )
