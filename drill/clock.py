"""One clock: monotonic nanoseconds for measuring, wall time for people.

``CLOCK_MONOTONIC`` is one clock for all processes of a machine, so instants of the
runner, of the probes and of the watchdog can be compared. A stepped wall clock moves no
measurement; :func:`now` pairs both so that a step can be seen afterwards.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        monotonic_ns: Nanoseconds of ``CLOCK_MONOTONIC``; only differences mean anything.
        wall: The same moment as RFC 3339 in UTC, to the microsecond.

    """

    monotonic_ns: int
    wall: str


def monotonic_ns() -> int:
    """Return nanoseconds on the clock that every measurement uses."""
    return time.monotonic_ns()


def since_boot_ns() -> int:
    """Return nanoseconds on the clock that also runs while the machine is suspended.

    For what ends by itself elsewhere meanwhile, as a lease does; never for measuring.
    https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def now() -> Instant:
    """Return this moment on both clocks."""
    return Instant(time.monotonic_ns(), datetime.now(UTC).isoformat(timespec="microseconds"))


def wall_in(seconds: float) -> datetime:
    """Return the wall time so many seconds from now, in UTC; for what another machine does then."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def sleep(seconds: float) -> None:
    """Sleep; negative durations return at once."""
    if seconds > 0:
        time.sleep(seconds)
