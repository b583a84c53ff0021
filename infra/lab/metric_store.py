"""CloudWatch's memory: data points by metric, and statistics over windows of them.

Points keep their own instant (real time, in seconds since the epoch). Memory is bounded: when
a metric has many points its oldest are gathered on marks of ten seconds, and the oldest of all
are dropped in the end, as CloudWatch keeps short periods for hours only:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import math
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

Dimensions = tuple[tuple[str, str], ...]

POINTS_MAX = 8192
GATHERED_S = 10
METRICS_MAX = 5000
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


class Point(NamedTuple):
    """One data point: a value that occurred so many times, or a set of statistics.

    Attributes:
        at_s: Its instant, seconds since the epoch.
        low: The least value in it.
        high: The greatest.
        total: The sum.
        samples: How many it stands for.

    """

    at_s: float
    low: float
    high: float
    total: float
    samples: float


class MetricName(NamedTuple):
    """What identifies a metric within a region; dimensions are sorted by name."""

    namespace: str
    name: str
    dimensions: Dimensions


def dimensions_of(pairs: Iterable[tuple[str, str]]) -> Dimensions:
    """Return dimensions in the order in which the store has them."""
    return tuple(sorted(pairs))


def two_digits(value: float) -> float:
    """Return a value to two significant digits: it is off by a twentieth at most."""
    return float(f"{value:.2g}")


def is_statistic(name: str) -> bool:
    """Say whether the store can work a statistic out: the five plain ones, and percentiles."""
    return name in STATISTICS or _PERCENTILE.fullmatch(name) is not None


def statistic(points: Sequence[Point], name: str) -> float | None:
    """Return a statistic of points, or None where there are none.

    Percentiles are those of the values; a set of statistics with several values in it has none,
    as CloudWatch documents it:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    count = sum(point.samples for point in points)
    if not count:
        return None
    if name == "SampleCount":
        return count
    if name == "Minimum":
        return min(point.low for point in points)
    if name == "Maximum":
        return max(point.high for point in points)
    total = math.fsum(point.total for point in points)
    if name == "Sum":
        return total
    return total / count if name == "Average" else _percentile(points, float(name[1:]))


def _percentile(points: Sequence[Point], wanted: float) -> float | None:
    if any(point.low != point.high for point in points):
        return None
    ordered = sorted(points, key=lambda point: point.low)
    rank = wanted / 100 * sum(point.samples for point in points)
    passed = 0.0
    for point in ordered:
        passed += point.samples
        if passed >= rank:
            return point.low
    return ordered[-1].low


class MetricStore:
    """All metrics of all regions; safe from any thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._regions: dict[str, dict[MetricName, dict[str, list[Point]]]] = {}

    def put(self, region: str, points: Iterable[tuple[MetricName, str, Point]]) -> None:
        """Take points, each with its metric and unit."""
        with self._lock:
            metrics = self._regions.setdefault(region, {})
            for metric, unit, point in points:
                kept = metrics.setdefault(metric, {}).setdefault(unit, [])
                kept.append(point)
                if len(kept) > 1 and kept[-2].at_s > point.at_s:
                    kept.sort(key=lambda one: one.at_s)
                if len(kept) > POINTS_MAX:
                    kept[:] = _fewer(kept)
            while len(metrics) > METRICS_MAX:
                del metrics[next(iter(metrics))]

    def points(
        self, region: str, metric: MetricName, window: tuple[float, float], unit: str | None = None
    ) -> list[Point]:
        """Return the points of a metric from the window's start up to, but without, its end."""
        start_s, end_s = window
        with self._lock:
            by_unit = self._regions.get(region, {}).get(metric, {})
            chosen = list(by_unit.values()) if unit is None else [by_unit.get(unit, [])]
            return [point for kept in chosen for point in _within(kept, start_s, end_s)]

    def metrics(self, region: str) -> list[MetricName]:
        """Return the names of a region's metrics, in the order in which they were first seen."""
        with self._lock:
            return list(self._regions.get(region, {}))

    def last_at_s(self, region: str, metric: MetricName) -> float:
        """Return when a metric last had a point; 0 if never."""
        with self._lock:
            by_unit: Mapping[str, list[Point]] = self._regions.get(region, {}).get(metric, {})
            return max((kept[-1].at_s for kept in by_unit.values() if kept), default=0.0)

    def unit(self, region: str, metric: MetricName) -> str:
        """Return the unit in which a metric was first published; ``None`` if it never was."""
        with self._lock:
            return next(iter(self._regions.get(region, {}).get(metric, {})), "None")


def _within(kept: Sequence[Point], start_s: float, end_s: float) -> Iterator[Point]:
    # Nearly all questions are about the newest points, and they are in order.
    for point in reversed(kept):
        if point.at_s < start_s:
            return
        if point.at_s < end_s:
            yield point


def _fewer(kept: Sequence[Point]) -> list[Point]:
    """Gather the oldest quarter by like values; drop the very oldest if that did not help."""
    quarter = len(kept) // 4
    gathered: dict[tuple[float, float, float], Point] = {}
    for point in kept[:quarter]:
        mark_s = point.at_s // GATHERED_S * GATHERED_S
        key = (mark_s, two_digits(point.low), two_digits(point.high))
        before = gathered.get(key, Point(mark_s, point.low, point.high, 0, 0))
        total, samples = before.total + point.total, before.samples + point.samples
        low, high = min(before.low, point.low), max(before.high, point.high)
        if point.low == point.high:
            # Values that are nearly the same become their mean, so that percentiles stay possible.
            low = high = total / samples if samples else point.low
        gathered[key] = Point(mark_s, low, high, total, samples)
    old = sorted(gathered.values())
    room = POINTS_MAX // 8
    return [*old[-room:], *kept[quarter:]]
