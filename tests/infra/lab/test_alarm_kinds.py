"""Other kinds of alarms: on maths, on percentiles, on other alarms, and with functions as actions."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.lab.alarmlab import MINUTE_S, AlarmLab, alarm_lab, eventually


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[AlarmLab]:
    """Give a control plane whose alarms are judged."""
    with alarm_lab(tmp_path) as made:
        yield made


def test_metric_maths(lab: AlarmLab) -> None:
    """An alarm on a share of two metrics follows the share."""

    def metric(name: str) -> dict[str, object]:
        return {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {"Metric": {"Namespace": "n", "MetricName": name}, "Period": 60, "Stat": "Sum"},
        }

    share = {"Id": "share", "Expression": "100 * bad / requests"}
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="share",
        EvaluationPeriods=1,
        Threshold=20,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[share, metric("bad"), metric("requests")],
    )

    def publish(bad: float) -> None:
        # In one call: both are of the same minute.
        data = [{"MetricName": "requests", "Value": 10}, {"MetricName": "bad", "Value": bad}]
        lab.client("cloudwatch").put_metric_data(Namespace="n", MetricData=data)

    publish(1)
    assert lab.comes_to("OK", "share")
    # Over the threshold also when the first ones fall into the same minute.
    publish(9)
    assert lab.comes_to("ALARM", "share")


def test_short_periods_are_judged_sooner(lab: AlarmLab) -> None:
    """A period of ten seconds is over six times as often as a minute."""
    lab.alarm("quick", Period=10, TreatMissingData="notBreaching")
    lab.alarm("minute", TreatMissingData="notBreaching")
    assert lab.comes_to("OK", "quick")
    assert lab.comes_to("OK", "minute")
    # At the beginning of a minute.
    time.sleep(MINUTE_S - time.time() % MINUTE_S + MINUTE_S / 60)
    changed: dict[str, int] = {}

    def both() -> bool:
        lab.put(9)
        for event in lab.events("alarm_changed"):
            if event["after"] == "ALARM":
                changed.setdefault(event["alarm"], event["at_ns"])
        return len(changed) == 2

    assert eventually(both)
    assert changed["quick"] < changed["minute"]


def test_a_percentile_of_few_samples(lab: AlarmLab) -> None:
    """Ignoring low samples, a p99 of a handful changes nothing; evaluated it does."""
    extended = {"Statistic": None, "ExtendedStatistic": "p99"}
    lab.alarm("ignoring", EvaluateLowSampleCountPercentile="ignore", **extended)
    lab.alarm("evaluating", EvaluateLowSampleCountPercentile="evaluate", **extended)
    lab.put(9)
    assert lab.comes_to("ALARM", "evaluating")
    assert lab.state("ignoring") == "INSUFFICIENT_DATA"


def test_composite_alarms(lab: AlarmLab) -> None:
    """A rule over other alarms holds and holds no more, and is told like any alarm."""
    topic, url = lab.topic()
    lab.alarm("a", TreatMissingData="notBreaching")
    lab.alarm("b", MetricName="others", TreatMissingData="notBreaching")
    lab.client("cloudwatch").put_composite_alarm(
        AlarmName="both", AlarmRule="ALARM(a) AND NOT ALARM(b)", AlarmActions=[topic]
    )
    assert lab.comes_to("OK", "both")
    lab.put(9)
    assert lab.comes_to("ALARM", "both")
    (document,) = lab.messages(url, 10)
    assert json.loads(document["Message"])["AlarmRule"] == "ALARM(a) AND NOT ALARM(b)"
    assert lab.comes_to("OK", "both")


def test_an_alarm_runs_a_function(lab: AlarmLab) -> None:
    """A function is an action too, if its policy lets CloudWatch invoke it."""
    functions = lab.client("lambda")
    lab.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")
    arn = functions.create_function(
        FunctionName="page",
        Runtime="python3.11",
        Role="arn:aws:iam::123456789012:role/lambda",
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )["FunctionArn"]
    lab.alarm(AlarmActions=[arn])
    alarms = lab.client("cloudwatch")
    alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="refused")

    def failed() -> bool:
        items = alarms.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
        return any("does not let" in item["HistorySummary"] for item in items)

    assert eventually(failed)
    assert lab.physics.invoked == []
    functions.add_permission(
        FunctionName="page",
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceAccount="123456789012",
    )
    assert lab.comes_to("INSUFFICIENT_DATA")
    alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="allowed")
    assert eventually(lambda: bool(lab.physics.invoked))
    event = json.loads(lab.physics.invoked[0][3])
    assert event["alarmData"]["state"] == {"value": "ALARM", "reason": "allowed"}
