"""Durations between moments that are known only as bounds."""

from drill.model import Between

NS_PER_S = 1_000_000_000


def seconds(duration_ns: int) -> float:
    """Return nanoseconds as seconds."""
    return duration_ns / NS_PER_S


def nanoseconds(duration_s: float) -> int:
    """Return seconds as whole nanoseconds."""
    return round(duration_s * NS_PER_S)


def elapsed_s(begin: Between, end: Between) -> tuple[float, float]:
    """Return the least and the greatest time from one moment to a later one, never below 0."""
    low_ns = max(0, end.earliest_ns - begin.latest_ns)
    high_ns = max(0, end.latest_ns - begin.earliest_ns)
    return seconds(low_ns), seconds(high_ns)


def elapsed_at_least_s(begin: Between, not_before_ns: int) -> float:
    """Return the least time from a moment to one that never came while anybody looked."""
    return seconds(max(0, not_before_ns - begin.latest_ns))


def hull(first: Between, second: Between) -> Between:
    """Return the shortest stretch that holds both."""
    return Between(
        min(first.earliest_ns, second.earliest_ns),
        max(first.latest_ns, second.latest_ns),
    )
