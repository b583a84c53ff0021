"""Change of writer: how long until AWS showed a cluster with another writer, and it available.

Probe: ``resource`` of a ``db-cluster``. Option: ``appears``: the cluster had no writer before (it is the
other one of a global database), so that any is another one.

Measurement: ``writer_change``: between the sending of the last look that did not show it and the end of
the first that did. A look takes a call of AWS's API, so that this is as coarse as the probe's interval;
clients may be served sooner, or later where names are cached.
"""

from collections.abc import Sequence

from drill.measure.attempts import sent_in_order
from drill.measure.bounds import elapsed_at_least_s, elapsed_s
from drill.measure.options import flag
from drill.measure.parts import NOTHING, only
from drill.measure.recovery import Window, fault_window
from drill.model import Between, Goodness, History, Json, Measured, Measurement, MeasureSpec, Observation
from drill.target import Target

NAME, LABEL = "writer_change", "change of the writer"


def writer_change(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return how long it took until another instance was the writer of an available cluster."""
    window = fault_window(history)
    seen = sent_in_order(history, spec.probe)
    if window is None or not seen:
        return NOTHING
    before = None if "appears" in spec.options and flag(spec, "appears") else _writer(seen, window)
    shown = _first(seen, window, before)
    if isinstance(shown, Between):
        low, high = elapsed_s(window.begin, shown)
        how = (
            "From the fault until AWS's API showed the cluster available with another writer, between the "
            "last look that did not show it and the first that did."
        )
        return only(Measurement(NAME, low, high, "s", how, LABEL))
    low = elapsed_at_least_s(window.begin, shown)
    return only(Measurement(NAME, low, None, "s", "It was not shown while anybody looked.", LABEL))


def _writer(seen: Sequence[Observation], window: Window) -> Json:
    """Return who was the writer before the fault."""
    before = [one for one in seen if (one.done_ns or 0) < window.begin.earliest_ns]
    return before[-1].detail.get("writer") if before else None


def _first(seen: Sequence[Observation], window: Window, before: Json) -> Between | int:
    """Return when it was first shown; or until when it had not been."""
    absent_ns = window.begin.earliest_ns
    for one in seen:
        late = window.end_ns is not None and (one.sent_ns or 0) >= window.end_ns
        if one.sent_ns is None or one.done_ns is None or one.done_ns < window.begin.earliest_ns or late:
            continue
        writer = one.detail.get("writer")
        if one.goodness is Goodness.GOOD and writer and writer != before:
            return Between(min(absent_ns, one.done_ns), one.done_ns)
        if one.goodness is not Goodness.UNKNOWN:
            absent_ns = max(absent_ns, one.sent_ns)
    return absent_ns
