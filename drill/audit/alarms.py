"""Alarms as the checks read them: which metric they watch, and whether they tell anybody."""

from collections.abc import Mapping

from drill.audit.reads import Document
from drill.audit.system import System
from drill.target import Region

CALLS = ("cloudwatch:DescribeAlarms",)


def all_of(system: System, region: Region) -> list[Document]:
    """Return every metric alarm of a region."""
    return system.reads.many(
        "cloudwatch", region.name, "describe_alarms", "MetricAlarms", AlarmTypes=["MetricAlarm"]
    )


def named(system: System, region: Region, name: str) -> Document | None:
    """Return an alarm by its name; None if there is none."""
    return next((one for one in all_of(system, region) if one["AlarmName"] == name), None)


def tells(alarm: Document) -> bool:
    """Say whether somebody is told when it goes off."""
    return bool(alarm["ActionsEnabled"] and alarm["AlarmActions"])


def on(alarm: Document, namespace: str, metrics: set[str], dimensions: Mapping[str, str]) -> bool:
    """Say whether an alarm watches one of some metrics of just this thing."""
    own = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    return alarm.get("Namespace") == namespace and alarm.get("MetricName") in metrics and own == dimensions


def watched(
    system: System, region: Region, namespace: str, metrics: set[str], dimensions: Mapping[str, str]
) -> str:
    """Return what is wrong with the alarms on a metric; empty if one watches it and tells somebody."""
    found = [one for one in all_of(system, region) if on(one, namespace, metrics, dimensions)]
    if not found:
        return "no alarm watches it"
    if not any(tells(one) for one in found):
        return f"its alarm {found[0]['AlarmName']} tells nobody: it has no action, or they are switched off"
    return ""
