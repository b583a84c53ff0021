"""Catching up: after a pause, how long replication took to bring what it had held back.

Probe: ``replication``, patient enough that its markers outlive the pause. No options.

Measurements, with the direction as their part:

- ``held_back``: markers that were written before the rollback and had not arrived when it began;
- ``catch_up``: from the undo's calls until the last of them had: after the sending of the last read
  that missed one of them, at the latest when the last of them was seen. One that nobody saw arrive
  leaves it without an upper bound.
"""

from collections.abc import Sequence

from drill.measure.attempts import sent_in_order
from drill.measure.bounds import elapsed_at_least_s, elapsed_s
from drill.measure.parts import NOTHING, only
from drill.measure.recovery import Window, undo_window
from drill.model import Between, History, Measured, Measurement, MeasureSpec, Observation
from drill.target import Target

NAME = "catch_up"


def catch_up(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return how much was held back, and how long it took to arrive."""
    window = undo_window(history)
    seen = sent_in_order(history, spec.probe)
    if window is None or not seen:
        return NOTHING
    options = history.probes[spec.probe].options
    way = f"{options.get('source')} to {options.get('destination')}"
    begun_ns = window.begin.earliest_ns
    held = [one for one in seen if _held_back(one, begun_ns)]
    how = f"{len(held)} markers written before the rollback had not arrived when it began."
    count = Measurement("held_back", len(held), len(held), "1", how, f"markers held back, {way}", way)
    if not held:
        return only(count)
    return only(count, _duration(held, window, way))


def _duration(held: Sequence[Observation], window: Window, way: str) -> Measurement:
    missed_ns = max(_instant(one, "miss_sent_ns") or 0 for one in held)
    seen = [_instant(one, "hit_done_ns") for one in held]
    label = f"time to catch up, {way}"
    arrived = [one for one in seen if one is not None]
    if len(arrived) < len(held):
        how = f"{len(held) - len(arrived)} of {len(held)} markers held back were never seen to arrive."
        return Measurement(NAME, elapsed_at_least_s(window.begin, missed_ns), None, "s", how, label, way)
    low, high = elapsed_s(window.begin, Between(min(missed_ns, max(arrived)), max(arrived)))
    how = (
        "From the undo's calls until the last marker held back was there: after the last read that missed "
        f"one, at the latest when the last of {len(held)} was seen."
    )
    return Measurement(NAME, low, high, "s", how, label, way)


def _held_back(seen: Observation, begun_ns: int) -> bool:
    """Say whether a marker was written before an instant and had not arrived by then."""
    written_ns, hit_ns = _instant(seen, "written_done_ns"), _instant(seen, "hit_done_ns")
    missed_ns = _instant(seen, "miss_sent_ns")
    if written_ns is None or written_ns > begun_ns or (missed_ns is None and hit_ns is None):
        return False
    return hit_ns is None or (missed_ns is not None and missed_ns >= begun_ns)


def _instant(seen: Observation, key: str) -> int | None:
    value = seen.detail.get(key)
    return value if isinstance(value, int) else None
