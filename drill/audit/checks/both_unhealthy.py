"""DX01: the standby's own health now; with both unhealthy Route 53 answers with the primary."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import failover_records
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document, NotAnswered
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
    def config_of(asked_id: str) -> Document:
        found = failover_records.check(system, asked_id)
        if found is None:
            msg = f"health check {asked_id}, of which the standby's is calculated, is not there"
            raise NotAnswered(msg)
        config: Document = found["HealthCheckConfig"]
        return config

    return health_check.considered_healthy(check_id, config_of, system.reads.one)
