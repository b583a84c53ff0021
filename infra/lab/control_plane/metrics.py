"""CloudWatch's metrics: PutMetricData and what asks for the data again.

Every combination of dimensions is a metric of its own, as on AWS; a question with other
dimensions finds nothing. Points are kept at their own instant, so that periods shorter than a
minute can be asked for whatever the resolution, which AWS gives for high resolution only.
"""

import math
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from infra.lab import world
from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.wiring import WIRING
from infra.lab.metric_maths import Series, UnknownExpression, evaluated, marks_of, series_of
from infra.lab.metric_store import MetricName, Point, dimensions_of, is_statistic, statistic
from infra.lab.watching import Query

# The most data points of one GetMetricStatistics and of one GetMetricData call:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
_STATISTICS_MAX, _POINTS_MAX = 1440, 100_800
_PAGE = 500
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
_OLDEST_S, _NEWEST_S = 14 * 86_400, 2 * 3_600
_RECENT_S = 3 * 3_600


def install() -> None:
    """Mend moto's metrics."""
    replace(CloudWatchBackend, "put_metric_data", _put_points)
    replace(CloudWatchResponse, "get_metric_data", lambda _: _get_series)
    replace(CloudWatchResponse, "get_metric_statistics", lambda _: _get_metric_statistics)
    replace(CloudWatchResponse, "list_metrics", lambda _: _list_metrics)


def publish(metrics: Sequence[world.Metric]) -> None:
    """Take data points of now from the services themselves."""
    now_s = time.time()
    by_region: dict[str, list[tuple[MetricName, str, Point]]] = {}
    for one in metrics:
        name = MetricName(one.namespace, one.name, dimensions_of(one.dimensions))
        point = Point(now_s, one.value, one.value, one.value * one.samples, one.samples)
        by_region.setdefault(one.region, []).append((name, one.unit, point))
    for region, points in by_region.items():
        WIRING.metrics.put(region, points)


def _put_points(_original: Function) -> Function:
    def put(backend: CloudWatchBackend, namespace: str, published: list[dict[str, Any]]) -> None:
        for number, datum in enumerate(published, 1):
            backend._validate_parameters_put_metric_data(datum, number)
            _refuse_far_away(datum, number)
        WIRING.metrics.put(
            backend.region_name,
            [
                (_name(namespace, datum), datum.get("Unit", "None"), point)
                for datum in published
                for point in _points(datum)
            ],
        )

    return put


def _refuse_far_away(datum: dict[str, Any], number: int) -> None:
    age_s = time.time() - _at_s(datum)
    if not -_NEWEST_S <= age_s <= _OLDEST_S:
        msg = (
            f"The parameter MetricData.member.{number}.Timestamp must specify a time within the past two"
            " weeks and no more than two hours in the future."
        )
        raise InvalidParameterValue(msg)


def _at_s(datum: dict[str, Any]) -> float:
    given = datum.get("Timestamp")
    return time.time() if given is None else _seconds(given)


def _seconds(given: datetime) -> float:
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def _points(datum: dict[str, Any]) -> Iterator[Point]:
    at_s = _at_s(datum)
    if datum.get("StatisticValues"):
        sets = {key: float(value) for key, value in datum["StatisticValues"].items()}
        yield Point(at_s, sets["Minimum"], sets["Maximum"], sets["Sum"], sets["SampleCount"])
    elif datum.get("Values"):
        values = [float(value) for value in datum["Values"]]
        counts = [float(count) for count in datum.get("Counts") or [1] * len(values)]
        for value, samples in zip(values, counts, strict=True):
            yield Point(at_s, value, value, value * samples, samples)
    else:
        value = float(datum.get("Value", 0))
        yield Point(at_s, value, value, value, 1)


def _name(namespace: str, described: dict[str, Any]) -> MetricName:
    return metric_name({"Namespace": namespace, **described})


def metric_name(described: dict[str, Any]) -> MetricName:
    """Return a metric from ``Namespace``, ``MetricName`` and ``Dimensions``, as calls name it."""
    pairs = [(item["Name"], item["Value"]) for item in described.get("Dimensions") or ()]
    return MetricName(described["Namespace"], described["MetricName"], dimensions_of(pairs))


def query_of(described: dict[str, Any]) -> Query:
    """Return a MetricDataQuery as the lab has it.

    Raises:
        ValidationError: It is neither a metric nor an expression, or its statistic is unknown.

    """
    known = {"id": described["Id"], "returned": described.get("ReturnData", True)}
    if described.get("Expression"):
        return Query(
            metric=None, expression=described["Expression"], period_s=described.get("Period") or 60, **known
        )
    stat = described.get("MetricStat")
    if not stat:
        msg = "The parameter MetricDataQueries.member.1.MetricStat is required.\n"
        raise ValidationError(msg)
    if not is_statistic(stat["Stat"]):
        msg = f"The value {stat['Stat']} for parameter MetricStat.Stat is not supported."
        raise ValidationError(msg)
    return Query(
        metric=metric_name(stat["Metric"]),
        statistic=stat["Stat"],
        period_s=stat["Period"],
        unit=stat.get("Unit"),
        **known,
    )


def _marks(start: datetime, end: datetime, period_s: float, at_most: int) -> list[float]:
    start_s, end_s = _seconds(start), _seconds(end)
    if start_s >= end_s:
        msg = "The parameter StartTime must be less than the parameter EndTime."
        raise InvalidParameterValue(msg)
    first_s = start_s // period_s * period_s
    number = math.ceil((end_s - first_s) / period_s)
    if number > at_most:
        msg = (
            f"You have requested up to {number:,} datapoints, which exceeds the limit of {at_most:,}. You may"
            " reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise InvalidParameterCombination(msg)
    return marks_of(first_s, period_s, number)


def _get_series(response: CloudWatchResponse) -> ActionResult:
    asked = response._get_param("MetricDataQueries", [])
    queries = [query_of(item) for item in asked]
    window = response._get_param("StartTime"), response._get_param("EndTime")
    # An expression has the instants of what it is made of; all of a call's metrics with one period.
    shortest_s = min((query.period_s for query in queries), default=60)

    def fetch(query: Query) -> Series:
        marks = _marks(*window, query.period_s, _POINTS_MAX)
        return series_of(WIRING.metrics, response.region, query, marks, query.period_s)

    try:
        found = evaluated(queries, fetch, _marks(*window, shortest_s, _POINTS_MAX) if queries else [])
    except UnknownExpression as problem:
        msg = f"Error in expression: {problem}"
        raise ValidationError(msg) from problem
    downwards = response._get_param("ScanBy") != "TimestampAscending"
    return ActionResult(
        {
            "MetricDataResults": [
                _shown(item, query, found[query.id], downwards=downwards)
                for item, query in zip(asked, queries, strict=True)
                if query.returned
            ]
        }
    )


def _shown(asked: dict[str, Any], query: Query, series: Series, *, downwards: bool) -> dict[str, Any]:
    order = sorted(series, reverse=downwards)
    return {
        "Id": query.id,
        "Label": asked.get("Label") or (query.metric.name if query.metric else query.id),
        "Timestamps": [datetime.fromtimestamp(mark, UTC) for mark in order],
        "Values": [series[mark] for mark in order],
        "StatusCode": "Complete",
    }


def _get_metric_statistics(response: CloudWatchResponse) -> ActionResult:
    asked = response._get_params()
    wanted = [*asked.get("Statistics", ()), *asked.get("ExtendedStatistics", ())]
    if not wanted:
        msg = "Must specify either Statistics or ExtendedStatistics"
        raise InvalidParameterCombination(msg)
    if not all(map(is_statistic, wanted)):
        msg = f"The value {', '.join(wanted)} for parameter ExtendedStatistics is not supported."
        raise InvalidParameterValue(msg)
    period_s, metric = asked["Period"], metric_name(asked)
    marks = _marks(asked["StartTime"], asked["EndTime"], period_s, _STATISTICS_MAX)
    points: dict[float, list[Point]] = {}
    for point in WIRING.metrics.points(
        response.region, metric, (marks[0], marks[-1] + period_s), asked.get("Unit")
    ):
        points.setdefault(point.at_s // period_s * period_s, []).append(point)
    unit = asked.get("Unit") or WIRING.metrics.unit(response.region, metric)
    shown = [_datapoint(mark, points[mark], wanted, unit) for mark in sorted(points)]
    return ActionResult({"Label": metric.name, "Datapoints": shown})


def _datapoint(mark: float, points: Sequence[Point], wanted: Sequence[str], unit: str) -> dict[str, Any]:
    found = {name: statistic(points, name) for name in wanted}
    extended = {name: value for name, value in found.items() if name.startswith("p") and value is not None}
    plain = {name: value for name, value in found.items() if not name.startswith("p")}
    shown = {"Timestamp": datetime.fromtimestamp(mark, UTC), "Unit": unit, **plain}
    return {**shown, "ExtendedStatistics": extended} if extended else shown


def _list_metrics(response: CloudWatchResponse) -> ActionResult:
    asked = response._get_params()
    found = [metric for metric in WIRING.metrics.metrics(response.region) if _is_asked(metric, asked)]
    if asked.get("RecentlyActive") == "PT3H":
        since_s = time.time() - _RECENT_S
        found = [one for one in found if WIRING.metrics.last_at_s(response.region, one) >= since_s]
    token = asked.get("NextToken") or "0"
    if not token.isdecimal():
        msg = "Request parameter NextToken is invalid"
        raise InvalidParameterValue(msg)
    first = int(token)
    shown: dict[str, Any] = {"Metrics": [_described(metric) for metric in found[first : first + _PAGE]]}
    if len(found) > first + _PAGE:
        shown["NextToken"] = str(first + _PAGE)
    return ActionResult(shown)


def _is_asked(metric: MetricName, asked: dict[str, Any]) -> bool:
    if asked.get("Namespace", metric.namespace) != metric.namespace:
        return False
    if asked.get("MetricName", metric.name) != metric.name:
        return False
    known = dict(metric.dimensions)
    return all(
        item["Name"] in known and item.get("Value", known[item["Name"]]) == known[item["Name"]]
        for item in asked.get("Dimensions") or ()
    )


def _described(metric: MetricName) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
