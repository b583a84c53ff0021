"""DX03: health checks that follow an alarm which has changed since, or which they can't follow."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, failover_records
from drill.audit.contract import Check, Found, Part
from drill.audit.failover_records import METRIC
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_SAME = (
    "MetricName",
    "Namespace",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
)
_FINEST_S = 60


class ChangedAlarm(Check):
    """Compares each alarm with the copy of it that Route 53 made when the check was made."""

    id: ClassVar = "DX03"
    title: ClassVar = "A health check follows an alarm that is not what it was"
    why: ClassVar = (
        "Route 53 watches the metric as the alarm had it when the check was made or updated. A change of the "
        "alarm changes no failover, and metric math, M out of N and short periods it can't follow at all."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "aws route53 update-health-check --health-check-id ID --alarm-identifier Region=REGION,Name=ALARM "
        "takes the alarm over as it is now"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html",
    )
    calls: ClassVar = (*failover_records.CALLS, *alarms.CALLS)
    explains: ClassVar = ("recovery_time", "phase")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region's check."""
        for region in system.regions:
            yield Part(f"checks of {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    for check_id, found in failover_records.family(system, failover_records.checks_of(system, region)):
        if found is None or found["HealthCheckConfig"]["Type"] != METRIC:
            continue
        watched = found["HealthCheckConfig"]["AlarmIdentifier"]
        of = next((one for one in system.regions if one.name == watched["Region"]), None)
        alarm = alarms.named(system, of, watched["Name"]) if of else None
        if alarm is None:
            continue  # DR05 tells of it
        where = f"health check {check_id} of {region.name}"
        differing = _differing(found.get("CloudWatchAlarmConfiguration", {}), alarm)
        if differing:
            yield Found(where, f"its alarm {watched['Name']} has another {', '.join(differing)} by now")
        why = _unfollowable(alarm)
        if why:
            yield Found(where, f"it can't follow its alarm {watched['Name']}: {why}")


def _differing(copy: Document, alarm: Document) -> list[str]:
    if not copy:
        return []
    names = [name for name in _SAME if copy.get(name) != alarm.get(name)]
    if _dimensions(copy) != _dimensions(alarm):
        names.append("Dimensions")
    return names


def _dimensions(alarm: Document) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}


def _unfollowable(alarm: Document) -> str:
    if alarm.get("Metrics"):
        return "it is metric math"
    if alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) < alarm["EvaluationPeriods"]:
        return "it takes M out of N data points"
    return f"its period is under {_FINEST_S} s" if alarm.get("Period", _FINEST_S) < _FINEST_S else ""
