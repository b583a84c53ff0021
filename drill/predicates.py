"""What scenarios ask of a history: the parts that their predicates have in common. Pure.

Attempts are looked at by when they were due and sent, never by when they ended: one that hangs is
missing from the history, and must not make a window look better than it is.
"""

from collections.abc import Callable, Mapping

from drill.model import Goodness, History, Observation

Holds = Callable[[Observation], bool]


def every_one(history: History, probe: str, since_ns: int, window_s: float, holds: Holds) -> bool:
    """Say whether something held for every attempt that was due since then, and for enough of them.

    Attempts still under way are missing from the history; those after the first missing number
    do not count, since a missing one may be hanging.
    """
    spec = history.probes[probe]
    seen = sorted(history.due_since(probe, since_ns), key=lambda one: one.number)
    first = len(history.observations.get(probe, ())) - len(seen)
    unbroken = sum(1 for place, one in enumerate(seen) if one.number == first + place)
    return all(map(holds, seen)) and unbroken >= max(2, 0.8 * window_s / spec.interval_s - 2)


def served_by(region: str) -> Holds:
    """Return what holds for an attempt that a region answered well."""
    return lambda one: one.goodness is Goodness.GOOD and one.answered_by == region


def accepted(write: Observation, store: str) -> str:
    """Return what the answer to a write says of a store: ``written``, ``pending``, or nothing."""
    stores = write.detail.get("stores") if write.goodness is Goodness.GOOD else None
    return str(stores.get(store, "")) if isinstance(stores, Mapping) else ""
