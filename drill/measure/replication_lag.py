"""Replication lag: how long after its write a marker was seen in the other region.

Probe: ``replication``. Reads each marker's ``written_sent_ns``, ``written_done_ns``,
``miss_sent_ns`` and ``hit_done_ns``. No options.

A marker acknowledged in ``[written_sent, written_done]``, missing at ``miss_sent`` and seen at
``hit_done`` has a lag in ``[max(0, miss_sent - written_done), hit_done - written_sent]``. One
that was never seen has no upper bound; it is kept.

Measurements: ``replication_lag``, its parts ``before/`` and ``during/`` the fault, each
``p50 p95 p99 max``. Before: written and settled before the injection was sent. During: under
way at any time between the injection and the rollback.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.measure.bounds import seconds
from drill.measure.parts import NOTHING, only
from drill.measure.quantiles import bounded_quantile
from drill.measure.recovery import fault_window
from drill.model import History, Measured, Measurement, MeasureSpec, Observation
from drill.target import Target

NAME = "replication_lag"
QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


@dataclass(frozen=True, slots=True)
class _Marker:
    """One marker: when it was written and known to be missing or there."""

    sent_ns: int
    done_ns: int
    miss_ns: int | None
    hit_ns: int | None

    @property
    def lag_s(self) -> tuple[float, float | None]:
        """Return its lag's bounds; the upper one is None if it was never seen."""
        low = 0.0 if self.miss_ns is None else seconds(max(0, self.miss_ns - self.done_ns))
        return low, None if self.hit_ns is None else seconds(self.hit_ns - self.sent_ns)

    @property
    def known_ns(self) -> int:
        """Return when the last thing was known of it."""
        return max(self.done_ns, self.miss_ns or 0) if self.hit_ns is None else self.hit_ns


def replication_lag(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return quantiles of the lag before the fault and during it."""
    markers = [found for seen in history.observations.get(spec.probe, ()) if (found := _marker(seen))]
    window = fault_window(history)
    if window is None:
        return _quantiles(markers, "before")
    begin_ns, end_ns = window.begin.earliest_ns, window.end_ns
    before = [one for one in markers if one.known_ns < begin_ns]
    during = [one for one in markers if one.known_ns >= begin_ns and (end_ns is None or one.sent_ns < end_ns)]
    parts = (_quantiles(before, "before"), _quantiles(during, "during"))
    return only(*(one for part in parts for one in part.measurements))


def _marker(seen: Observation) -> _Marker | None:
    """Return the marker of an attempt; None if it was not certainly written, or never looked for."""
    sent_ns, done_ns = _instant(seen, "written_sent_ns"), _instant(seen, "written_done_ns")
    miss_ns, hit_ns = _instant(seen, "miss_sent_ns"), _instant(seen, "hit_done_ns")
    if sent_ns is None or done_ns is None or (miss_ns is None and hit_ns is None):
        return None
    return _Marker(sent_ns, done_ns, miss_ns, hit_ns)


def _instant(seen: Observation, key: str) -> int | None:
    value = seen.detail.get(key)
    return value if isinstance(value, int) else None


def _quantiles(markers: Sequence[_Marker], when: str) -> Measured:
    if not markers:
        return NOTHING
    bounds = [one.lag_s for one in markers]
    never = sum(1 for _, high in bounds if high is None)
    how = f"{len(markers)} markers {when} the fault, written in one region and awaited in the other"
    how += f"; {never} of them never came while anybody looked." if never else "."
    listed = []
    for name, share in QUANTILES:
        low, high = bounded_quantile(bounds, share)
        label = f"replication lag {when} the fault, {name}"
        listed.append(Measurement(NAME, low, high, "s", how, label, f"{when}/{name}"))
    return only(*listed)
