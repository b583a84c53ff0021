"""Route 53's health checks on an alarm: they follow the data behind it, and nothing else."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.alarmlab import AlarmLab, alarm_lab, eventually


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[AlarmLab]:
    """Give a control plane whose alarms are judged and whose checks are looked at."""
    with alarm_lab(tmp_path) as made:
        yield made


def shown(lab: AlarmLab, check_id: str) -> dict[str, Any]:
    """Return a check as it is described."""
    return dict(lab.client("route53").get_health_check(HealthCheckId=check_id)["HealthCheck"])


def test_a_check_follows_the_data(lab: AlarmLab) -> None:
    """Too many errors make it unhealthy, few make it healthy, whatever the alarm was set to."""
    lab.alarm(TreatMissingData="notBreaching")
    check = lab.check(InsufficientDataHealthStatus="Healthy")
    assert lab.is_healthy(check)
    lab.put(9)
    assert lab.is_healthy(check, healthy=False)
    assert lab.is_healthy(check)

    def told() -> list[object]:
        events = lab.events("health_changed")
        return [event["healthy"] for event in events if event["health_check_id"] == check]

    assert eventually(lambda: len(told()) == 2)
    assert told() == [False, True]


def test_a_state_set_by_hand_moves_nothing(lab: AlarmLab) -> None:
    """SetAlarmState changes the alarm and never the check."""
    lab.alarm(TreatMissingData="ignore")  # what is set by hand stays
    check = lab.check(InsufficientDataHealthStatus="Healthy")
    for _ in range(3):
        lab.client("cloudwatch").set_alarm_state(
            AlarmName="errors", StateValue="ALARM", StateReason="by hand"
        )
        assert lab.state() == "ALARM"
        lab.next_minute()
    assert [event for event in lab.events("health_changed") if event["health_check_id"] == check] == []


def test_what_holds_without_data(lab: AlarmLab) -> None:
    """Without data a check is healthy, unhealthy, or what it last was; a new one is healthy."""
    lab.alarm()
    checks = {
        status: lab.check(InsufficientDataHealthStatus=status)
        for status in ("Healthy", "Unhealthy", "LastKnownStatus")
    }
    assert lab.is_healthy(checks["Unhealthy"], healthy=False)
    assert lab.health.healthy(checks["Healthy"])
    assert lab.health.healthy(checks["LastKnownStatus"])
    lab.put(9)
    assert lab.is_healthy(checks["Healthy"], healthy=False)
    assert lab.is_healthy(checks["Healthy"])
    lab.next_minute()
    assert not lab.health.healthy(checks["Unhealthy"])
    assert not lab.health.healthy(checks["LastKnownStatus"])


def test_missing_data_are_the_checks_own_affair(lab: AlarmLab) -> None:
    """An alarm that treats what is missing as breaching does not make its check unhealthy."""
    lab.alarm(TreatMissingData="breaching")
    check = lab.check(InsufficientDataHealthStatus="Healthy")
    assert lab.comes_to("ALARM")
    lab.next_minute(2)
    assert lab.health.healthy(check)


def test_inverted_and_disabled(lab: AlarmLab) -> None:
    """An inverted check says the opposite; a disabled one counts as healthy."""
    lab.alarm()
    lab.put(0)
    inverted = lab.check(Inverted=True)
    assert lab.is_healthy(inverted, healthy=False)
    lab.client("route53").update_health_check(HealthCheckId=inverted, Disabled=True, Inverted=False)
    assert lab.is_healthy(inverted)


def test_a_child_of_a_calculated_check(lab: AlarmLab) -> None:
    """A calculated check that needs all its children goes with the one on an alarm."""
    lab.alarm()
    child = lab.check(InsufficientDataHealthStatus="Healthy")
    made = lab.client("route53").create_health_check(
        CallerReference=uuid.uuid4().hex,
        HealthCheckConfig={"Type": "CALCULATED", "ChildHealthChecks": [child], "HealthThreshold": 1},
    )
    parent = made["HealthCheck"]["Id"]
    lab.put(9)
    assert lab.is_healthy(parent, healthy=False)
    assert lab.is_healthy(parent)


def test_the_alarm_is_remembered_as_it_was(lab: AlarmLab) -> None:
    """A check goes by the alarm's old settings until it is updated itself, as documented."""
    lab.alarm()
    check = lab.check(InsufficientDataHealthStatus="Healthy")
    copied = {
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Period": 60,
        "MetricName": "errors",
        "Namespace": "n",
        "Statistic": "Sum",
        "Dimensions": [],
    }
    assert shown(lab, check)["CloudWatchAlarmConfiguration"] == copied
    lab.alarm(Threshold=100)
    lab.put(9)
    assert lab.is_healthy(check, healthy=False)
    route53 = lab.client("route53")
    route53.update_health_check(HealthCheckId=check, InsufficientDataHealthStatus="Healthy")
    assert shown(lab, check)["CloudWatchAlarmConfiguration"]["Threshold"] == 5.0
    alarm = {"Name": "errors", "Region": "us-east-1"}
    route53.update_health_check(HealthCheckId=check, AlarmIdentifier=alarm)
    assert shown(lab, check)["CloudWatchAlarmConfiguration"]["Threshold"] == 100.0
    assert shown(lab, check)["HealthCheckVersion"] == 3
    assert lab.is_healthy(check)


def test_a_deleted_alarm_leaves_its_check(lab: AlarmLab) -> None:
    """The data go on, and so does the check that watches them."""
    lab.alarm()
    check = lab.check(InsufficientDataHealthStatus="Healthy")
    lab.client("cloudwatch").delete_alarms(AlarmNames=["errors"])
    lab.put(9)
    assert lab.is_healthy(check, healthy=False)


def test_alarms_that_route_53_can_not_watch(lab: AlarmLab) -> None:
    """Maths, M out of N, percentiles, short periods and composites are refused, and so is none."""
    lab.alarm()
    lab.alarm("m-of-n", EvaluationPeriods=3, DatapointsToAlarm=2)
    lab.alarm("n-of-n", EvaluationPeriods=3, DatapointsToAlarm=3)
    lab.alarm("percentile", Statistic=None, ExtendedStatistic="p99")
    lab.alarm("short", Period=30)
    metric = {"Metric": {"Namespace": "n", "MetricName": "errors"}, "Period": 60, "Stat": "Sum"}
    alone = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    lab.alarm("maths", Metrics=[{"Id": "m", "MetricStat": metric}], **alone)
    lab.client("cloudwatch").put_composite_alarm(AlarmName="composite", AlarmRule="ALARM(errors)")
    for name in ("m-of-n", "percentile", "short", "maths", "composite", "nobody"):
        with pytest.raises(ClientError) as problem:
            lab.check(name)
        assert problem.value.response["Error"]["Code"] == "InvalidInput"
    with pytest.raises(ClientError):
        lab.check(InsufficientDataHealthStatus="Maybe")
    check = lab.check("n-of-n")
    with pytest.raises(ClientError):
        lab.client("route53").update_health_check(
            HealthCheckId=check, AlarmIdentifier={"Name": "short", "Region": "us-east-1"}
        )
    assert shown(lab, check)["HealthCheckConfig"]["AlarmIdentifier"]["Name"] == "n-of-n"


def test_route_53_publishes_what_it_sees(lab: AlarmLab) -> None:
    """Every check that is not disabled has its state as a metric, a calculated one its children too."""
    lab.alarm()
    child = lab.check(InsufficientDataHealthStatus="Unhealthy")
    off = lab.check(Disabled=True)
    made = lab.client("route53").create_health_check(
        CallerReference=uuid.uuid4().hex,
        HealthCheckConfig={"Type": "CALCULATED", "ChildHealthChecks": [child, off], "HealthThreshold": 2},
    )
    parent = made["HealthCheck"]["Id"]
    assert lab.is_healthy(child, healthy=False)
    assert lab.is_healthy(parent, healthy=False)
    said = {(metric.name, metric.dimensions[0][1]): metric.value for metric in lab.health.metrics()}
    assert said == {
        ("HealthCheckStatus", child): 0,
        ("HealthCheckStatus", parent): 0,
        ("ChildHealthCheckHealthyCount", parent): 1,
    }
    assert {metric.region for metric in lab.health.metrics()} == {"us-east-1"}
    lab.put(0)
    assert lab.is_healthy(parent)
    assert eventually(lambda: lab.alarms.stream(child) == "OK")
