"""Data points, statistics over windows of them, and how much is kept."""

import threading

import pytest

from infra.lab import metric_store
from infra.lab.metric_store import MetricName, MetricStore, Point, dimensions_of, is_statistic, statistic

EAST, WEST = "us-east-1", "us-west-2"
ERRORS = MetricName("n", "errors", (("a", "1"),))


def value(at_s: float, measured: float, samples: float = 1) -> Point:
    """Return a point that is one value."""
    return Point(at_s, measured, measured, measured * samples, samples)


def filled(*points: Point, metric: MetricName = ERRORS, unit: str = "Count") -> MetricStore:
    """Return a store with points of one metric."""
    store = MetricStore()
    store.put(EAST, [(metric, unit, point) for point in points])
    return store


@pytest.mark.parametrize(
    ("name", "expected"),
    [("SampleCount", 5), ("Sum", 15), ("Average", 3), ("Minimum", 2), ("Maximum", 6), ("p50", 2), ("p99", 6)],
)
def test_statistics(name: str, expected: float) -> None:
    """A value counts as often as it occurred."""
    assert statistic([value(1, 2, 3), value(2, 6), value(3, 3)], name) == expected


def test_a_set_of_statistics_has_no_percentile() -> None:
    """Percentiles need the values: a set of several says nothing about them, one of equals does."""
    assert statistic([Point(1, 1, 9, 20, 4)], "p90") is None
    assert statistic([Point(1, 5, 5, 20, 4)], "p90") == 5
    assert statistic([Point(1, 1, 9, 20, 4)], "Average") == 5


def test_nothing_has_no_statistic() -> None:
    """No points are no zero."""
    assert [statistic([], name) for name in metric_store.STATISTICS] == [None] * 5


def test_names_of_statistics() -> None:
    """Percentiles from 0 to 100 are known, other extended statistics are not."""
    assert [is_statistic(name) for name in ("p99", "p99.9", "p0", "p100")] == [True] * 4
    assert [is_statistic(name) for name in ("tm99", "p101", "sum", "IQM", "p")] == [False] * 5


def test_a_window_has_its_start_and_not_its_end() -> None:
    """Neighbouring windows share no point and lose none."""
    store = filled(*(value(at, at) for at in range(10)))
    assert sorted(point.at_s for point in store.points(EAST, ERRORS, (2, 5))) == [2, 3, 4]
    assert sorted(point.at_s for point in store.points(EAST, ERRORS, (5, 8))) == [5, 6, 7]


def test_points_that_come_late_are_found() -> None:
    """The order of publishing does not matter."""
    store = filled(value(5, 1), value(3, 2), value(4, 3))
    assert sorted(point.low for point in store.points(EAST, ERRORS, (3, 4.5))) == [2, 3]


def test_regions_dimensions_and_units_are_apart() -> None:
    """Every combination is a metric of its own; a unit is asked for or all are meant."""
    store = filled(value(1, 1))
    store.put(EAST, [(ERRORS, "Percent", value(2, 7))])
    assert store.points(WEST, ERRORS, (0, 9)) == []
    assert store.points(EAST, ERRORS._replace(dimensions=()), (0, 9)) == []
    assert [point.low for point in store.points(EAST, ERRORS, (0, 9), "Percent")] == [7]
    assert len(store.points(EAST, ERRORS, (0, 9))) == 2
    assert dimensions_of([("b", "2"), ("a", "1")]) == (("a", "1"), ("b", "2"))


def test_memory_is_bounded_and_sums_are_kept() -> None:
    """Old points are gathered by value: fewer points, the same sum and number."""
    store = MetricStore()
    number = 5 * metric_store.POINTS_MAX
    for at in range(number):
        store.put(EAST, [(ERRORS, "Count", value(at / 100, at % 2))])
    kept = store.points(EAST, ERRORS, (0, number))
    assert len(kept) <= metric_store.POINTS_MAX
    assert statistic(kept, "SampleCount") == number
    assert statistic(kept, "Sum") == number // 2
    assert statistic(kept, "p75") == 1


def test_the_oldest_go_when_no_two_are_alike() -> None:
    """Values that can't be gathered are dropped in the end, the newest never."""
    store = MetricStore()
    for at in range(3 * metric_store.POINTS_MAX):
        store.put(EAST, [(ERRORS, "Count", value(at * 100, at))])
    kept = store.points(EAST, ERRORS, (0, 1e9))
    assert len(kept) <= metric_store.POINTS_MAX
    assert kept[0].low == 3 * metric_store.POINTS_MAX - 1


def test_metrics_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that invents dimensions can't fill the memory."""
    monkeypatch.setattr(metric_store, "METRICS_MAX", 3)
    store = MetricStore()
    for number in range(9):
        store.put(EAST, [(MetricName("n", str(number), ()), "None", value(1, 1))])
    assert [metric.name for metric in store.metrics(EAST)] == ["6", "7", "8"]


def test_many_threads_lose_nothing() -> None:
    """Every point that was put is there."""
    store = MetricStore()

    def put() -> None:
        for at in range(500):
            store.put(EAST, [(ERRORS, "Count", value(at, 1))])

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistic(store.points(EAST, ERRORS, (0, 1000)), "SampleCount") == 2000
