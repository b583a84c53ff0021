"""DR11: one page with all that a drill touches."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class Dashboard(Check):
    """Looks for every drilled resource in the dashboard's body."""

    id: ClassVar = "DR11"
    title: ClassVar = "No dashboard shows the whole system"
    why: ClassVar = (
        "Whoever is called at night looks for the region that fails one console page after the other."
    )
    severity: ClassVar = Severity.NOTE
    mend: ClassVar = "A dashboard over both regions (dashboard.yaml): drill infra deploy"
    source: ClassVar = (
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards.html",
    )
    calls: ClassVar = ("cloudwatch:GetDashboard",)
    seed: ClassVar = (11,)

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the dashboard."""
        yield Part(f"dashboard {system.target.dashboard}", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    name, place = system.target.dashboard, system.target.primary.name
    where = f"dashboard {name} in {place}"
    if name is None:
        yield Found("CloudWatch", "the target names no dashboard (dashboard)")
        return
    try:
        body = system.reads.one("cloudwatch", place, "get_dashboard", DashboardName=name)["DashboardBody"]
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such dashboard")
        return
    missing = [what for what, mark in _drilled(system) if mark not in body]
    if missing:
        yield Found(where, f"it does not show {', '.join(missing)}")


def _drilled(system: System) -> Iterator[tuple[str, str]]:
    """Yield what is drilled, and how a dashboard names it."""
    yield "the table", f'"{system.target.table.name}"'
    for region in system.regions:
        yield from ((f"the {system.role(region)}'s {what}", f'"{mark}"') for what, mark in _of(region))


def _of(region: Region) -> Iterator[tuple[str, str]]:
    yield "load balancer", region.load_balancer_arn.partition(":loadbalancer/")[2]
    yield "function", region.function_name
    yield "health check", region.health_check_id
    if region.cluster_id:
        yield "cluster", region.cluster_id
