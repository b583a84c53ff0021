"""What scenarios ask of a history: whether something was served, or held, for a whole window. Pure."""

from collections.abc import Callable
from typing import TypeAlias

from drill.model import Goodness, History, Observation

Holds: TypeAlias = Callable[[Observation], bool]


def all_served(history: History, probe: str, since_ns: int, region: str, window_s: float) -> bool:
    """Say whether one region served every attempt that was due since then, and enough of them."""

    def served(one: Observation) -> bool:
        return one.goodness is Goodness.GOOD and one.answered_by == region

    return all_hold(history, probe, since_ns, window_s, served)


def all_hold(history: History, probe: str, since_ns: int, window_s: float, holds: Holds) -> bool:
    """Say whether something held for every attempt that was due since then, and for enough of them.

    Attempts still under way are missing from the history; those after the first missing number
    do not count, since a missing one may be hanging.
    """
    spec = history.probes[probe]
    seen = sorted(history.due_since(probe, since_ns), key=lambda one: one.number)
    first = len(history.observations.get(probe, ())) - len(seen)
    unbroken = sum(1 for place, one in enumerate(seen) if one.number == first + place)
    return all(map(holds, seen)) and unbroken >= max(2, 0.8 * window_s / spec.interval_s - 2)


def newest_held(history: History, probe: str, window_s: float, after_ns: int, holds: Holds) -> bool:
    """Say whether something held for the last whole window of a probe, which begins after an instant."""
    since_ns = history.last_due_ns(probe) - round(window_s * 1e9)
    return since_ns > after_ns and all_hold(history, probe, since_ns, window_s, holds)
