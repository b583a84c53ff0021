"""PutMetricData, and what is answered to those who ask for the data again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import Metric
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane

MINUTE = timedelta(minutes=1)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def whole_minute(ago: int = 0) -> datetime:
    """Return the beginning of a minute, some minutes ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - ago * MINUTE


def put(lab: Lab, region: str = EAST, **datum: Any) -> None:
    """Publish one datum of a metric."""
    client = lab.client("cloudwatch", region)
    client.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", **datum}])


def statistics(lab: Lab, *names: str, **asked: Any) -> list[dict[str, Any]]:
    """Return a metric's statistics of the last ten minutes, the oldest first."""
    call = {"StartTime": whole_minute(10), "EndTime": whole_minute(-1), "Period": 60, **asked}
    kind = "ExtendedStatistics" if names[0].startswith("p") else "Statistics"
    found = lab.client("cloudwatch").get_metric_statistics(
        Namespace="n", MetricName="m", **{kind: list(names)}, **call
    )["Datapoints"]
    return sorted(found, key=lambda point: point["Timestamp"])


def query(name: str = "m", metric: str = "m", stat: str = "Sum", **more: Any) -> dict[str, Any]:
    """Return a query for one metric."""
    asked = {"Metric": {"Namespace": "n", "MetricName": metric}, "Period": 60, "Stat": stat}
    return {"Id": name, "MetricStat": asked, **more}


def series(lab: Lab, *queries: dict[str, Any], **more: Any) -> dict[str, list[float]]:
    """Return the values of each query, by its id."""
    call = {"StartTime": whole_minute(10), "EndTime": whole_minute(-1), **more}
    found = lab.client("cloudwatch").get_metric_data(MetricDataQueries=list(queries), **call)
    return {one["Id"]: one["Values"] for one in found["MetricDataResults"]}


def refusal(call: Any, **arguments: Any) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(ClientError) as problem:
        call(**arguments)
    return str(problem.value.response["Error"]["Code"])


def test_periods_are_real_minutes(lab: Lab) -> None:
    """Points fall into the minute of their own time stamp, whatever the lab's clock."""
    now = whole_minute()
    for ago, value in ((3, 1.0), (3, 5.0), (1, 2.0)):
        put(lab, Value=value, Timestamp=now - ago * MINUTE + timedelta(seconds=value))
    found = statistics(lab, "Sum", "Average", "SampleCount", "Minimum", "Maximum")
    assert [(point["Timestamp"], point["Sum"], point["SampleCount"]) for point in found] == [
        (now - 3 * MINUTE, 6.0, 2.0),
        (now - MINUTE, 2.0, 1.0),
    ]
    assert (found[0]["Average"], found[0]["Minimum"], found[0]["Maximum"]) == (3.0, 1.0, 5.0)


def test_values_with_counts_and_sets(lab: Lab) -> None:
    """A value may stand for many, and a set of statistics for a whole period."""
    put(lab, Values=[1, 2], Counts=[3, 1], Unit="Count", Timestamp=whole_minute(2))
    assert [point["Sum"] for point in statistics(lab, "Sum")] == [5.0]
    assert statistics(lab, "p75")[0]["ExtendedStatistics"] == {"p75": 1.0}
    sets = {"Sum": 20, "SampleCount": 4, "Minimum": 2, "Maximum": 9}
    put(lab, StatisticValues=sets, Unit="Count", Timestamp=whole_minute(1))
    found = statistics(lab, "Average", "Maximum")
    assert [(point["Average"], point["Maximum"], point["Unit"]) for point in found] == [
        (1.25, 2.0, "Count"),
        (5.0, 9.0, "Count"),
    ]


def test_every_combination_of_dimensions_is_a_metric(lab: Lab) -> None:
    """A question without the dimensions finds nothing, and the regions are apart."""
    dimensions = [{"Name": "a", "Value": "1"}]
    put(lab, Value=1, Dimensions=dimensions, Timestamp=whole_minute(1))
    put(lab, WEST, Value=7, Timestamp=whole_minute(1))
    assert statistics(lab, "Sum") == []
    assert [point["Sum"] for point in statistics(lab, "Sum", Dimensions=dimensions)] == [1.0]
    assert statistics(lab, "Sum", Dimensions=dimensions, Unit="Count") == []


def test_data_of_several_queries(lab: Lab) -> None:
    """Series and expressions are answered together, the newest first unless asked otherwise."""
    for ago in (2, 1):
        put(lab, Value=ago, Timestamp=whole_minute(ago))
    share = {"Id": "e", "Expression": "m * 100", "Label": "percent"}
    assert series(lab, share, query(ReturnData=False)) == {"e": [100.0, 200.0]}
    assert series(lab, query(), ScanBy="TimestampAscending") == {"m": [2.0, 1.0]}
    assert series(lab, query(stat="p50")) == {"m": [1.0, 2.0]}
    assert series(lab, query(metric="nothing")) == {"m": []}


def test_points_without_a_time_are_of_now(lab: Lab) -> None:
    """What is published without a time stamp can be asked for in periods under a minute."""
    put(lab, Value=3, StorageResolution=1)
    asked = query()
    asked["MetricStat"]["Period"] = 1
    now = datetime.now(UTC)
    window = {"StartTime": now - timedelta(seconds=5), "EndTime": now + timedelta(seconds=5)}
    assert series(lab, asked, **window) == {"m": [3.0]}


def test_what_services_publish_is_found_like_all_else(lab: Lab) -> None:
    """Points of the lab's services are points of now, in the region that they name."""
    dimensions = (("FunctionName", "orders"),)
    lab.plane.publish(
        [
            Metric(EAST, "n", "m", dimensions, 1, samples=4),
            Metric(EAST, "n", "m", dimensions, 0, samples=6),
            Metric(WEST, "n", "m", (), 9),
        ]
    )
    named = [{"Name": "FunctionName", "Value": "orders"}]
    (point,) = statistics(lab, "Average", "SampleCount", Dimensions=named)
    assert (point["Average"], point["SampleCount"], point["Unit"]) == (0.4, 10.0, "Count")


def test_metrics_are_listed(lab: Lab) -> None:
    """By namespace, name and dimensions, each combination once."""
    for value in ("1", "2"):
        put(lab, Value=1, Dimensions=[{"Name": "a", "Value": value}, {"Name": "b", "Value": "x"}])
        put(lab, Value=1, Dimensions=[{"Name": "a", "Value": value}, {"Name": "b", "Value": "x"}])
    put(lab, Value=1, Timestamp=datetime.now(UTC) - timedelta(hours=5))
    listed = lab.client("cloudwatch").list_metrics
    assert len(listed(Namespace="n")["Metrics"]) == 3
    assert len(listed(Namespace="n", Dimensions=[{"Name": "a"}])["Metrics"]) == 2
    (one,) = listed(Dimensions=[{"Name": "a", "Value": "2"}])["Metrics"]
    assert one["Dimensions"] == [{"Name": "a", "Value": "2"}, {"Name": "b", "Value": "x"}]
    assert len(listed(RecentlyActive="PT3H")["Metrics"]) == 2
    assert listed(Namespace="another")["Metrics"] == []


def test_long_lists_come_in_pages(lab: Lab) -> None:
    """More than five hundred metrics are told in pages that fit together."""
    lab.plane.publish([Metric(EAST, "n", f"m{number}", (), 1) for number in range(501)])
    pages = lab.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace="n")
    names = [metric["MetricName"] for page in pages for metric in page["Metrics"]]
    assert len(names) == len(set(names)) == 501


def test_what_is_refused(lab: Lab) -> None:
    """Questions and data that CloudWatch does not take are refused with its codes."""
    client = lab.client("cloudwatch")
    datum = {"MetricName": "m", "Value": 1, "Timestamp": datetime.now(UTC) - timedelta(days=15)}
    assert refusal(client.put_metric_data, Namespace="n", MetricData=[datum]) == "InvalidParameterValue"
    both = {"MetricName": "m", "Value": 1, "Values": [1]}
    assert refusal(client.put_metric_data, Namespace="n", MetricData=[both]) == "InvalidParameterValue"
    asked = {"Namespace": "n", "MetricName": "m", "StartTime": whole_minute(2), "EndTime": whole_minute(0)}
    many = {**asked, "StartTime": whole_minute(3000), "Period": 60, "Statistics": ["Sum"]}
    assert refusal(client.get_metric_statistics, **many) == "InvalidParameterCombination"
    turned = {**asked, "StartTime": whole_minute(0), "EndTime": whole_minute(2), "Period": 60}
    assert refusal(client.get_metric_statistics, **turned, Statistics=["Sum"]) == "InvalidParameterValue"
    assert refusal(client.get_metric_statistics, **asked, Period=60) == "InvalidParameterCombination"
    window = {"StartTime": whole_minute(2), "EndTime": whole_minute(0)}
    for wrong in ({"Id": "e", "Expression": "SEARCH('x')"}, {"Id": "e"}, query(stat="tm99")):
        assert refusal(client.get_metric_data, MetricDataQueries=[wrong], **window) == "ValidationError"


def test_publishing_is_no_change(lab: Lab) -> None:
    """Physics are not told of data and messages, which come many times a second."""
    url = lab.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert lab.changes_of(lambda: put(lab, Value=1)) == 0
    assert lab.changes_of(lambda: lab.client("sqs").send_message(QueueUrl=url, MessageBody="x")) == 0
    assert lab.changes_of(lambda: lab.client("sqs").receive_message(QueueUrl=url)) == 0


def test_a_new_control_plane_has_no_data(lab: Lab) -> None:
    """Metrics do not outlive the lab that they were published in."""
    put(lab, Value=1)
    lab.plane.close()
    with control_plane() as other:
        assert other.client("cloudwatch").list_metrics()["Metrics"] == []
