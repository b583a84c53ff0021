"""What alarms and dashboards are described as, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.alarm_rules import IGNORE, MISSING
from tests.infra.lab.planelab import EAST, Lab, control_plane

PLAIN: dict[str, Any] = {
    "AlarmName": "errors",
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
METRIC = {
    "Id": "m",
    "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"},
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def put(lab: Lab, **settings: Any) -> dict[str, Any]:
    """Make an alarm and return it as it is described."""
    call = {name: value for name, value in {**PLAIN, **settings}.items() if value is not None}
    client = lab.client("cloudwatch")
    client.put_metric_alarm(**call)
    (shown,) = client.describe_alarms(AlarmNames=[call["AlarmName"]])["MetricAlarms"]
    return dict(shown)


def test_everything_can_be_read(lab: Lab) -> None:
    """Every member that was given is described as it was given."""
    given = {
        "AlarmDescription": "d",
        "ActionsEnabled": False,
        "AlarmActions": [TOPIC],
        "OKActions": [TOPIC],
        "InsufficientDataActions": [TOPIC],
        "Dimensions": [{"Name": "a", "Value": "1"}],
        "Unit": "Count",
        "DatapointsToAlarm": 2,
        "TreatMissingData": "breaching",
        "Statistic": None,
        "ExtendedStatistic": "p99.9",
        "EvaluateLowSampleCountPercentile": "ignore",
    }
    shown = put(lab, **given)
    expected = {name: value for name, value in {**PLAIN, **given}.items() if value is not None}
    assert {name: shown[name] for name in expected} == expected
    assert shown["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    assert (shown["StateValue"], shown["StateReason"]) == (
        "INSUFFICIENT_DATA",
        "Unchecked: Initial alarm creation",
    )
    assert "Statistic" not in shown


def test_metric_maths_can_be_read(lab: Lab) -> None:
    """The queries of an alarm on an expression are described as they were given."""
    metrics = [
        {"Id": "e", "Expression": "m * 2", "Label": "twice", "ReturnData": True},
        {**METRIC, "ReturnData": False},
    ]
    alone = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    assert put(lab, Metrics=metrics, **alone)["Metrics"] == metrics


def test_alarms_are_found(lab: Lab) -> None:
    """By names, prefix, state and action; composite ones only by those who ask for them."""
    put(lab, AlarmName="errors-a", AlarmActions=[TOPIC])
    put(lab, AlarmName="errors-b")
    put(lab, AlarmName="lag")
    client = lab.client("cloudwatch")
    client.put_composite_alarm(AlarmName="errors-c", AlarmRule="ALARM(lag)")
    client.set_alarm_state(AlarmName="lag", StateValue="ALARM", StateReason="x")

    def names(**asked: Any) -> list[str]:
        found = client.describe_alarms(**asked)
        return [alarm["AlarmName"] for alarm in found["MetricAlarms"] + found["CompositeAlarms"]]

    assert names() == ["errors-a", "errors-b", "lag"]
    assert names(AlarmNamePrefix="errors") == ["errors-a", "errors-b"]
    assert names(AlarmTypes=["CompositeAlarm"]) == ["errors-c"]
    assert names(StateValue="ALARM") == ["lag"]
    assert names(ActionPrefix="arn:aws:sns") == ["errors-a"]
    assert names(AlarmNames=["lag", "nobody"]) == ["lag"]
    pages = client.get_paginator("describe_alarms").paginate(MaxRecords=2)
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 1]
    asked = client.describe_alarms_for_metric(Namespace="n", MetricName="m")["MetricAlarms"]
    assert len(asked) == 3
    other = [{"Name": "a", "Value": "1"}]
    found = client.describe_alarms_for_metric(Namespace="n", MetricName="m", Dimensions=other)
    assert found["MetricAlarms"] == []


def test_tags_stay_those_of_the_creation(lab: Lab) -> None:
    """PutMetricAlarm of an alarm that is there leaves its tags; deleted, it leaves none."""
    client, arn = lab.client("cloudwatch"), put(lab, Tags=[{"Key": "a", "Value": "1"}])["AlarmArn"]
    put(lab, Tags=[{"Key": "b", "Value": "2"}])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    client.delete_alarms(AlarmNames=["errors", "nobody"])
    put(lab)
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Period": 61}, "ValidationError"),
    ({"Period": 15}, "ValidationError"),
    ({"EvaluationPeriods": 1441}, "ValidationError"),
    ({"DatapointsToAlarm": 4}, "ValidationError"),
    ({"TreatMissingData": "maybe"}, "ValidationError"),
    ({"Threshold": None}, "ValidationError"),
    ({"ComparisonOperator": None}, "ValidationError"),
    ({"ComparisonOperator": "Above"}, "ValidationError"),
    ({"EvaluationPeriods": None}, "ValidationError"),
    ({"Statistic": "Median"}, "InvalidParameterValue"),
    ({"ExtendedStatistic": "p99"}, "InvalidParameterCombination"),
    ({"Statistic": None}, "InvalidParameterCombination"),
    ({"Statistic": None, "ExtendedStatistic": "99"}, "InvalidParameterValue"),
    ({"Metrics": [METRIC]}, "InvalidParameterCombination"),
    ({"AlarmActions": [TOPIC] * 6}, "ValidationError"),
    ({"AlarmActions": ["alerts"]}, "ValidationError"),
    ({"EvaluateLowSampleCountPercentile": "maybe"}, "ValidationError"),
]


def test_what_is_refused(lab: Lab) -> None:
    """An alarm that CloudWatch does not take is refused with its code, and none is made."""
    codes = []
    for wrong, _ in REFUSED:
        with pytest.raises(ClientError) as problem:
            put(lab, **wrong)
        codes.append(problem.value.response["Error"]["Code"])
    assert codes == [code for _, code in REFUSED]
    assert lab.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_refusals_of_the_rest(lab: Lab) -> None:
    """States, rules and names that are none are refused."""
    put(lab)
    client = lab.client("cloudwatch")

    def code(call: Any, **arguments: Any) -> str:
        with pytest.raises(ClientError) as problem:
            call(**arguments)
        return str(problem.value.response["Error"]["Code"])

    state = {"StateValue": "ALARM", "StateReason": "x"}
    assert code(client.set_alarm_state, AlarmName="nobody", **state).startswith("ResourceNotFound")
    bad = {**state, "StateReasonData": "{"}
    assert code(client.set_alarm_state, AlarmName="errors", **bad).startswith("InvalidFormat")
    assert (
        code(client.set_alarm_state, AlarmName="errors", **{**state, "StateValue": "BAD"})
        == "ValidationError"
    )
    assert code(client.put_composite_alarm, AlarmName="c", AlarmRule="ALARM(") == "ValidationError"


def test_physics_see_the_alarms(lab: Lab) -> None:
    """The snapshot has each alarm's metric, rule and state; what the lab can't judge has no rule."""
    put(lab, Dimensions=[{"Name": "a", "Value": "1"}], TreatMissingData="ignore", DatapointsToAlarm=2)
    put(lab, AlarmName="z-odd", ComparisonOperator="GreaterThanUpperThreshold")
    (seen, odd) = lab.now.alarms
    (query,) = seen.queries
    assert (seen.region, seen.name, seen.period_s, seen.state) == (EAST, "errors", 60, "INSUFFICIENT_DATA")
    assert query.metric is not None
    assert query.metric.dimensions == (("a", "1"),)
    assert seen.rule is not None
    assert (seen.rule.periods, seen.rule.to_alarm, seen.rule.missing) == (3, 2, IGNORE)
    assert odd.rule is None
    put(lab, AlarmName="errors")
    changed = next(alarm for alarm in lab.now.alarms if alarm.name == "errors")
    assert changed.revision > seen.revision
    assert changed.rule is not None
    assert changed.rule.missing == MISSING


def test_dashboards(lab: Lab) -> None:
    """A dashboard is kept as it was written; one that the console could not draw is refused."""
    client = lab.client("cloudwatch")
    body = json.dumps({"widgets": [{"type": "metric", "properties": {"region": EAST, "metrics": []}}]})
    client.put_dashboard(DashboardName="board", DashboardBody=body)
    shown = client.get_dashboard(DashboardName="board")
    assert (shown["DashboardBody"], shown["DashboardName"]) == (body, "board")
    assert shown["DashboardArn"] == "arn:aws:cloudwatch::123456789012:dashboard/board"
    for wrong in (
        "{",
        "[]",
        '{"widgets": [{"type": "pie"}]}',
        '{"widgets": [{"type": "metric", "properties": {}}]}',
    ):
        with pytest.raises(ClientError) as problem:
            client.put_dashboard(DashboardName="board", DashboardBody=wrong)
        assert problem.value.response["Error"]["Code"] in {
            "InvalidParameterInput",
            "DashboardInvalidInputError",
        }
    assert client.get_dashboard(DashboardName="board")["DashboardBody"] == body
