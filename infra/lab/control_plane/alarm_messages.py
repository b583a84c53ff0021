"""What CloudWatch writes about an alarm: reasons, and the message that goes to a topic.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session

from infra.lab.alarm_rules import BREACHING, INSUFFICIENT, Rule
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.watching import Judgement

_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_NOT = {True: "was", False: "was not"}


def reason(rule: Rule, judgement: Judgement, before: str) -> str:
    """Return why an alarm's state is what it is, in CloudWatch's words."""
    there = [(start_s, value) for start_s, value in judgement.points if value is not None]
    judged = there[: rule.periods]
    if judgement.state == INSUFFICIENT:
        unknown = rule.periods - len(judged)
        return f"Insufficient Data: {_many(unknown, 'datapoint')} {_were(unknown)} unknown."
    if not judged:
        filled = "Breaching" if rule.missing == BREACHING else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_many(rule.periods, 'period')} and"
            f" {_many(rule.periods, 'missing datapoint')} {_were(rule.periods)} treated as [{filled}]."
        )
    alarm = judgement.state == "ALARM"
    counted = [point for point in judged if rule.breaches(point[1]) == alarm] or judged
    shown = ", ".join(f"{value} ({_day(start_s)})" for start_s, value in counted)
    least = rule.to_alarm if alarm else rule.periods - rule.to_alarm + 1
    return (
        f"Threshold Crossed: {len(counted)} out of the last {rule.periods} datapoints [{shown}]"
        f" {_NOT[alarm]} {_WORDS[rule.comparison]} the threshold ({rule.threshold})"
        f" (minimum {_many(least, 'datapoint')} for {before} -> {judgement.state} transition)."
    )


def reason_document(settings: Mapping[str, Any], judgement: Judgement, at: datetime) -> str:
    """Return the same for programs, as JSON."""
    there = [(start_s, value) for start_s, value in judgement.points if value is not None]
    document: dict[str, Any] = {"version": "1.0", "queryDate": stamp(at)}
    if there:
        document["startDate"] = stamp(datetime.fromtimestamp(there[-1][0], UTC))
    statistic = settings.get("Statistic") or settings.get("ExtendedStatistic")
    document |= {"statistic": statistic} if statistic else {}
    document |= {"period": settings["Period"]} if "Period" in settings else {}
    document |= {
        "recentDatapoints": [value for _, value in reversed(there)],
        "threshold": settings.get("Threshold"),
        "evaluatedDatapoints": [
            {"timestamp": stamp(datetime.fromtimestamp(start_s, UTC)), "value": value}
            for start_s, value in there
        ],
    }
    return json.dumps(document)


def subject(name: str, state: str, region: str) -> str:
    """Return the subject of the message about a change."""
    return f'{state}: "{name}" in {region_name(region)}'[:100]


def message(shown: Mapping[str, Any], before: str, region: str) -> str:
    """Return the message about an alarm that has just changed, as JSON.

    Args:
        shown: The alarm as DescribeAlarms shows it now.
        before: The state that it had.
        region: Its region.

    """
    document = {
        "AlarmName": shown["AlarmName"],
        "AlarmDescription": shown.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": stamp(shown["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": shown["StateValue"],
        "NewStateReason": shown["StateReason"],
        "StateChangeTime": stamp(shown["StateUpdatedTimestamp"]),
        "Region": region_name(region),
        "AlarmArn": shown["AlarmArn"],
        "OldStateValue": before,
        "OKActions": shown.get("OKActions", []),
        "AlarmActions": shown.get("AlarmActions", []),
        "InsufficientDataActions": shown.get("InsufficientDataActions", []),
    }
    if "AlarmRule" in shown:
        document["AlarmRule"] = shown["AlarmRule"]
    else:
        document["Trigger"] = _trigger(shown)
    return json.dumps(document)


def _trigger(shown: Mapping[str, Any]) -> dict[str, Any]:
    judged = {
        "Period": shown.get("Period"),
        "EvaluationPeriods": shown.get("EvaluationPeriods"),
        "DatapointsToAlarm": shown.get("DatapointsToAlarm"),
        "ComparisonOperator": shown.get("ComparisonOperator"),
        "Threshold": shown.get("Threshold"),
        "TreatMissingData": shown.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": shown.get("EvaluateLowSampleCountPercentile", ""),
    }
    if shown.get("Metrics"):
        return {**judged, "Metrics": shown["Metrics"]}
    extended = shown.get("ExtendedStatistic")
    return {
        "MetricName": shown.get("MetricName"),
        "Namespace": shown.get("Namespace"),
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "ExtendedStatistic" if extended else "Statistic": extended or str(shown.get("Statistic")).upper(),
        "Unit": shown.get("Unit"),
        "Dimensions": [{"value": one["Value"], "name": one["Name"]} for one in shown.get("Dimensions", ())],
        **judged,
    }


@functools.cache
def _regions() -> dict[str, Any]:
    loader = botocore.session.get_session().get_component("data_loader")
    found: dict[str, Any] = loader.load_data("endpoints")["partitions"][0]["regions"]
    return found


def region_name(region: str) -> str:
    """Return a region's long name, for example ``US East (N. Virginia)``."""
    return str(_regions().get(region, {}).get("description", region))


def stamp(at: datetime) -> str:
    """Return an instant as CloudWatch writes it within documents."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def _day(start_s: float) -> str:
    return datetime.fromtimestamp(start_s, UTC).strftime("%d/%m/%y %H:%M:%S")


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
