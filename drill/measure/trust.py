"""What a history tells of itself: whether all of it is there, and whether the wall clock stood still.

Neither changes a measurement: the one says that they are of a part only, the other that times of
day in this record can't be compared with those of elsewhere.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from drill.measure.bounds import nanoseconds, seconds
from drill.measure.numbers import counted
from drill.model import ClockReading, Finding, History, Severity

DAMAGED = "observations_damaged"
# A busy machine may take this long between looking at the one clock and at the other.
STEP_S = 0.5
# A clock that is slewed goes at most this much faster or slower:
# https://man7.org/linux/man-pages/man3/adjtime.3.html
SLEW = 0.0005
_MOST_NAMED = 5


def trust(history: History) -> tuple[Finding, ...]:
    """Return what a reader must know of the observations before reading what was made of them."""
    return (*_damage(history), *_steps(history))


def damaged(why: str) -> Finding:
    """Return the finding that what the probes saw is not all there."""
    return Finding(
        DAMAGED,
        Severity.CRITICAL,
        "Not all that the probes saw can be read",
        f"{why}. What is told is of the part that was read before.",
        "Look after the disk that the run is on, and run the drill again.",
    )


def _damage(history: History) -> Iterator[Finding]:
    if history.damage:
        yield damaged(history.damage)


def _steps(history: History) -> Iterator[Finding]:
    """Tell of a wall clock that was set, or of a machine that slept, while the probes ran."""
    ordered = sorted(history.clocks, key=lambda one: one.monotonic_ns)
    stepped = [(after, by_ns) for before, after in pairwise(ordered) if (by_ns := _step_ns(before, after))]
    if not stepped:
        return
    zero_ns = history.marks.probes_started_ns
    named = "; ".join(
        f"by {seconds(by_ns):+.3f} s, seen {seconds(at.monotonic_ns - zero_ns):.1f} s after the probes began"
        for at, by_ns in stepped[:_MOST_NAMED]
    )
    more = f"; and {len(stepped) - _MOST_NAMED} more" if len(stepped) > _MOST_NAMED else ""
    yield Finding(
        "wall_clock_stepped",
        Severity.NOTE,
        f"The wall clock was set {counted(len(stepped), 'time')} while the probes ran",
        f"It moved against the clock that everything is measured by: {named}{more}. No measurement uses it; "
        "times of day in this record can't be compared with logs from elsewhere.",
        "Have the machine's clock kept by NTP, which slews it, before the next drill.",
    )


def _step_ns(before: ClockReading, after: ClockReading) -> int:
    """Return by how much the wall clock moved against the other one; 0 if it can't be told from drift."""
    elapsed_ns = after.monotonic_ns - before.monotonic_ns
    wall = datetime.fromisoformat(after.wall) - datetime.fromisoformat(before.wall)
    by_ns = (wall.days * 86_400 + wall.seconds) * 1_000_000_000 + wall.microseconds * 1000 - elapsed_ns
    return by_ns if abs(by_ns) > nanoseconds(STEP_S) + elapsed_ns * SLEW else 0
