"""DX01: the standby's own health now; with both unhealthy Route 53 answers with the primary."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import failover_records
from drill.audit.contract import Check, Found, Part
from drill.audit.failover_records import CALCULATED, METRIC
from drill.audit.reads import NotAnswered
from drill.audit.system import System
from drill.model import Severity
from drill.probes import health_check


class BothUnhealthy(Check):
    """Asks whether the standby's check is healthy at this moment."""

    id: ClassVar = "DX01"
    title: ClassVar = "The standby counts as unhealthy, so a failover goes nowhere"
    why: ClassVar = (
        "When neither record is healthy Route 53 answers with the primary's: clients are sent to the region "
        "that failed, although a standby is there."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "Have the standby answer its health path, and its alarm rest: drill target ask, and "
        "aws route53 get-health-check-last-failure-reason --health-check-id ID"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html",
    )
    calls: ClassVar = (
        *failover_records.CALLS,
        "cloudwatch:DescribeAlarms",
        "route53:GetHealthCheckStatus",
    )
    caused_by: ClassVar = ("DR05", "DR10", "DR14", "DR17")
    explains: ClassVar = ("recovery_time", "client_outage", "availability")

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the standby's check."""
        yield Part("health check of the standby", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    standby = system.target.standby
    check_id = failover_records.checks_of(system, standby)
    if failover_records.check(system, check_id) is None:
        return
    if not _is_healthy(system, check_id):
        yield Found(f"health check {check_id} of {standby.name}", "it is unhealthy now")


def _is_healthy(system: System, check_id: str) -> bool:
    """Judge as :func:`drill.probes.health_check.is_healthy` does, each call by way of the audit's reads."""
    found = failover_records.check(system, check_id)
    if found is None:
        msg = f"health check {check_id}, of which the standby's is calculated, is not there"
        raise NotAnswered(msg)
    config = found["HealthCheckConfig"]
    if config["Type"] == CALCULATED:
        children = [_is_healthy(system, child) for child in config.get("ChildHealthChecks", ())]
        return health_check.calculated_healthy(config, children)
    if config["Type"] == METRIC:
        alarm = config["AlarmIdentifier"]
        described = system.reads.one(
            "cloudwatch", alarm["Region"], "describe_alarms", AlarmNames=[alarm["Name"]]
        )
        return health_check.metric_healthy(config, health_check.alarm_state(described))
    seen = system.reads.one("route53", "global", "get_health_check_status", HealthCheckId=check_id)
    statuses = [one["StatusReport"]["Status"] for one in seen["HealthCheckObservations"]]
    return health_check.endpoint_healthy(config, statuses)
