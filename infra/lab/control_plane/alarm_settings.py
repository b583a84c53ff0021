"""What PutMetricAlarm and PutCompositeAlarm take, and what they refuse.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Mapping
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError

from infra.lab.alarm_rules import BREACHING, IGNORE, MISSING, NOT_BREACHING, OPERATORS, Rule
from infra.lab.composite_rules import BadRule, parsed
from infra.lab.control_plane.metrics import metric_name, query_of
from infra.lab.metric_store import STATISTICS, is_statistic
from infra.lab.watching import MetricAlarm, Query

_SHORT_PERIODS = {10, 20, 30}
_DAY_S, _WEEK_S, _HOUR_S = 86_400, 604_800, 3_600
_ACTIONS_MAX = 5
_MISSING = {MISSING, IGNORE, BREACHING, NOT_BREACHING}
# Of anomaly detection, which the lab keeps and does not judge.
_OF_A_BAND = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
# Alarms on these ignore what is missing unless they say otherwise:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
_SILENT_NAMESPACE = "AWS/DynamoDB"


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return a metric alarm's settings if CloudWatch takes them.

    Raises:
        ValidationError: A value is missing or out of range.
        InvalidParameterCombination: Two values exclude one another.
        InvalidParameterValue: A value is none of those that are known.

    """
    settings = {name: value for name, value in given.items() if value is not None}
    _require(settings, "EvaluationPeriods", "ComparisonOperator")
    if settings["ComparisonOperator"] not in {*OPERATORS, *_OF_A_BAND}:
        msg = f"The value {settings['ComparisonOperator']} for parameter ComparisonOperator is not supported."
        raise ValidationError(msg)
    _check_actions(settings)
    missing = settings.get("TreatMissingData", MISSING)
    if missing not in _MISSING:
        msg = (
            f"Option {missing} is not supported. Supported options for parameter TreatMissingData are"
            " breaching, notBreaching, ignore and missing."
        )
        raise ValidationError(msg)
    low = settings.get("EvaluateLowSampleCountPercentile")
    if low not in {None, "evaluate", "ignore"}:
        msg = (
            f"Option {low} is not supported. Supported options for parameter"
            " EvaluateLowSampleCountPercentile are evaluate and ignore."
        )
        raise ValidationError(msg)
    if "Metrics" in settings:
        _check_queries(settings)
    else:
        _check_metric(settings)
    _check_periods(settings)
    return settings


def _require(settings: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name not in settings:
            msg = f"The parameter {name} is required."
            raise ValidationError(msg)


def _check_actions(settings: Mapping[str, Any]) -> None:
    for name in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        actions = settings.get(name, ())
        if len(actions) > _ACTIONS_MAX:
            msg = f"The collection {name} must not have a size greater than {_ACTIONS_MAX}."
            raise ValidationError(msg)
        bad = [action for action in actions if not str(action).startswith("arn:")]
        if bad:
            msg = f"Invalid arn syntax: {bad[0]}"
            raise ValidationError(msg)


def _check_metric(settings: Mapping[str, Any]) -> None:
    _require(settings, "MetricName", "Namespace", "Period", "Threshold")
    both = [name for name in ("Statistic", "ExtendedStatistic") if name in settings]
    if len(both) != 1:
        msg = "Exactly one of the parameters Statistic and ExtendedStatistic must be specified."
        raise InvalidParameterCombination(msg)
    statistic = settings[both[0]]
    if (statistic in STATISTICS) != (both[0] == "Statistic") or not is_statistic(statistic):
        msg = f"The value {statistic} for parameter {both[0]} is not supported."
        raise InvalidParameterValue(msg)


def _check_queries(settings: Mapping[str, Any]) -> None:
    named = [name for name in ("MetricName", "Namespace", "Statistic", "Period") if name in settings]
    if named:
        msg = f"The parameters {named[0]} and Metrics are mutually exclusive and you have specified both."
        raise InvalidParameterCombination(msg)
    returned = [item["Id"] for item in settings["Metrics"] if item.get("ReturnData", True)]
    if len(returned) != 1:
        msg = "Exactly one element of the metrics list should return data."
        raise ValidationError(msg)
    for item in settings["Metrics"]:
        query_of(item)


def _check_periods(settings: Mapping[str, Any]) -> None:
    periods, to_alarm = settings["EvaluationPeriods"], settings.get("DatapointsToAlarm")
    period_s = period_of(settings)
    if period_s not in _SHORT_PERIODS and (period_s % 60 or period_s < 60):
        msg = f"Invalid value {period_s} for parameter Period: it is 10, 20, 30 or any multiple of 60."
        raise ValidationError(msg)
    most_s = _WEEK_S if period_s >= _HOUR_S else _DAY_S
    if periods < 1 or periods * period_s > most_s:
        msg = (
            "Metrics cannot be checked across more than a day"
            f" (EvaluationPeriods * Period must be <= {most_s})."
        )
        raise ValidationError(msg)
    if to_alarm is not None and not 1 <= to_alarm <= periods:
        msg = "DatapointsToAlarm must be at least 1 and no more than EvaluationPeriods."
        raise ValidationError(msg)


def checked_composite(given: dict[str, Any], region: str) -> dict[str, Any]:
    """Return a composite alarm's settings if CloudWatch takes them.

    Raises:
        ValidationError: Its rule can't be read, or an action is none.

    """
    settings = {name: value for name, value in given.items() if value is not None}
    _check_actions(settings)
    try:
        parsed(settings["AlarmRule"])
    except BadRule as problem:
        msg = f"AlarmRule in {region} must not contain: {problem}"
        raise ValidationError(msg) from problem
    return settings


def period_of(settings: Mapping[str, Any]) -> int:
    """Return an alarm's period in seconds; that of its first metric where it watches maths."""
    if "Period" in settings:
        return int(settings["Period"])
    periods = [item["MetricStat"]["Period"] for item in settings["Metrics"] if "MetricStat" in item]
    return int(periods[0] if periods else settings["Metrics"][0].get("Period", 60))


def watched(region: str, settings: Mapping[str, Any], *, revision: int, state: str) -> MetricAlarm:
    """Return an alarm as the physics see it."""
    name = settings["AlarmName"]
    if "AlarmRule" in settings:
        rule = settings["AlarmRule"]
        return MetricAlarm(region, name, (), None, 60, revision, state, composite=rule)
    queries = _queries(settings)
    return MetricAlarm(
        region=region,
        name=name,
        queries=queries,
        rule=_rule(settings, queries),
        period_s=period_of(settings),
        revision=revision,
        state=state,
        ignore_few=settings.get("EvaluateLowSampleCountPercentile") == "ignore",
    )


def _queries(settings: Mapping[str, Any]) -> tuple[Query, ...]:
    if "Metrics" in settings:
        return tuple(query_of(item) for item in settings["Metrics"])
    return (
        Query(
            id="m1",
            metric=metric_name(dict(settings)),
            statistic=settings.get("Statistic") or settings["ExtendedStatistic"],
            period_s=settings["Period"],
            unit=settings.get("Unit"),
        ),
    )


def _rule(settings: Mapping[str, Any], queries: tuple[Query, ...]) -> Rule | None:
    if settings["ComparisonOperator"] not in OPERATORS or "Threshold" not in settings:
        return None
    silent = all(query.metric is None or query.metric.namespace == _SILENT_NAMESPACE for query in queries)
    return Rule(
        comparison=settings["ComparisonOperator"],
        threshold=float(settings["Threshold"]),
        periods=settings["EvaluationPeriods"],
        to_alarm=settings.get("DatapointsToAlarm") or settings["EvaluationPeriods"],
        missing=settings.get("TreatMissingData") or (IGNORE if silent else MISSING),
    )
