"""Health checks on an alarm: which alarms Route 53 takes, and what it remembers of one.

It watches the data behind the alarm, by the alarm's settings as they were when the check was
made or last updated; the alarm's own state, and later changes of it, mean nothing to it.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html
"""

from collections.abc import Mapping
from typing import Any

from moto.route53.exceptions import InvalidInput
from moto.route53.models import HealthCheck

from infra.lab.control_plane import alarms
from infra.lab.control_plane.alarm_settings import watched
from infra.lab.metric_store import STATISTICS
from infra.lab.watching import MetricAlarm

KIND = "CLOUDWATCH_METRIC"
_STATUSES = frozenset({"Healthy", "Unhealthy", "LastKnownStatus"})
_COPIED = (
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
    "Period",
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
)
_STANDARD_S = 60


def settings_for(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the settings of the alarm that a new check names; None for other kinds of checks.

    Raises:
        InvalidInput: It names none, one that is not there, or one that Route 53 can't watch.

    """
    if config["Type"] != KIND:
        return None
    status = config.get("InsufficientDataHealthStatus", "LastKnownStatus")
    if status not in _STATUSES:
        msg = f"Invalid parameter: InsufficientDataHealthStatus {status}"
        raise InvalidInput(msg)
    return _settings(config.get("AlarmIdentifier"))


def settings_again(check: HealthCheck, identifier: Mapping[str, str] | None) -> Mapping[str, Any] | None:
    """Return the settings that a check has after an update; only one that names the alarm reads it again.

    Raises:
        InvalidInput: As with a new check.

    """
    if check.type_ != KIND or not identifier:
        known: Mapping[str, Any] | None = getattr(check, "alarm_settings", None)
        return known
    return _settings(identifier)


def _settings(identifier: Mapping[str, str] | None) -> Mapping[str, Any]:
    if not identifier:
        msg = "Invalid parameter: AlarmIdentifier is required for CLOUDWATCH_METRIC"
        raise InvalidInput(msg)
    alarm = alarms.find(identifier["Region"], identifier["Name"])
    if alarm is None:
        msg = f"The alarm {identifier['Name']} does not exist in {identifier['Region']}"
        raise InvalidInput(msg)
    why = _unsupported(alarm.settings)
    if why:
        msg = f"The alarm {alarm.name} is not supported by Route 53 health checks: {why}"
        raise InvalidInput(msg)
    return dict(alarm.settings)


def _unsupported(settings: Mapping[str, Any]) -> str:
    if "AlarmRule" in settings:
        return "composite alarms are not supported"
    if "Metrics" in settings:
        return "metric math is not supported"
    if settings.get("Statistic") not in STATISTICS:
        return "extended statistics are not supported"
    if settings["Period"] < _STANDARD_S:
        return "high-resolution metrics are not supported"
    periods = settings["EvaluationPeriods"]
    if settings.get("DatapointsToAlarm", periods) != periods:
        return "M out of N alarms are not supported"
    return ""


def shown(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a check's CloudWatchAlarmConfiguration."""
    if settings is None:
        return None
    return {"Dimensions": [], **{name: settings[name] for name in _COPIED if name in settings}}


def stream(check: HealthCheck) -> MetricAlarm | None:
    """Return what a check watches, as the physics see it."""
    settings = getattr(check, "alarm_settings", None)
    if settings is None:
        return None
    # Whether data are missing is the check's own affair: it has a status for it.
    plain = {name: value for name, value in settings.items() if name != "TreatMissingData"}
    region = check.alarm_identifier["Region"]
    revision = int(check.health_check_version)
    return watched(region, {**plain, "TreatMissingData": "missing"}, revision=revision, state="")
