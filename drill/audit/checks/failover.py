"""DR05: failover records, their health checks, and all that these are calculated from."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, failover_records
from drill.audit.contract import Check, Found, Part
from drill.audit.failover_records import CALCULATED, METRIC
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_ROLES = {"primary": "PRIMARY", "standby": "SECONDARY"}


class Failover(Check):
    """Reads both records of the name and follows their health checks down to the endpoints and alarms."""

    id: ClassVar = "DR05"
    title: ClassVar = "DNS does not fail over"
    why: ClassVar = (
        "Route 53 answers with the standby only while the primary's check is unhealthy and the standby's is "
        "not. A check that can't change, or that looks at nothing, leaves clients at the dead region."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "Failover records with a calculated check over an HTTP check and a metric check (dns.yaml: Primary, "
        "PrimaryHttp, PrimaryErrors, and the standby's): drill infra deploy"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html",
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html",
    )
    calls: ClassVar = (*failover_records.CALLS, *alarms.CALLS)
    seed: ClassVar = (5,)
    explains: ClassVar = ("recovery_time", "client_outage", "phase", "availability", "failback")
    drill: ClassVar = "drill run region-outage --blackout"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region's record with its check."""
        for region in system.regions:
            yield Part(f"{_ROLES[system.role(region)]} record", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    role = _ROLES[system.role(region)]
    where = f"{role} record of {system.target.dns.record_name}"
    record = failover_records.records(system).get(role)
    if record is None:
        yield Found(where, "there is no such failover record")
        return
    check_id = record.get("HealthCheckId")
    if check_id is None:
        # Without a check a record counts as healthy; an alias may have its target looked at instead.
        watched = record.get("AliasTarget", {}).get("EvaluateTargetHealth", False)
        if role == "PRIMARY" and not watched:
            yield Found(where, "it carries no health check, so that it always counts as healthy")
        return
    if check_id != region.health_check_id:
        yield Found(where, f"it carries health check {check_id}, the target names {region.health_check_id}")
    for one, found in failover_records.family(system, check_id):
        yield from _check(system, region, one, found)


def _check(system: System, region: Region, check_id: str, found: Document | None) -> Iterator[Found]:
    where = f"health check {check_id} of {region.name}"
    if found is None:
        yield Found(where, "there is no such health check")
        return
    config = found["HealthCheckConfig"]
    if config.get("Inverted") or config.get("Disabled"):
        state = "inverted" if config.get("Inverted") else "disabled"
        yield Found(
            where,
            f"it is {state}: it says nothing of the region",
            f"aws route53 update-health-check --health-check-id {check_id} --no-inverted --no-disabled; "
            "if a drill left it: drill recover",
        )
    if config["Type"] == CALCULATED:
        yield from _calculated(where, check_id, config)
    elif config["Type"] == METRIC:
        yield from _metric(system, where, config)
    else:
        yield from _endpoint(system, region, where, config)


def _calculated(where: str, check_id: str, config: Document) -> Iterator[Found]:
    children, threshold = config.get("ChildHealthChecks", []), int(config.get("HealthThreshold", 0))
    mend = (
        f"aws route53 update-health-check --health-check-id {check_id} --child-health-checks ID ID "
        "--health-threshold 2; in the templates: ChildHealthChecks of dns.yaml"
    )
    if not children:
        yield Found(where, "it is calculated from no other check: it has no children", mend)
    elif threshold == 0:
        yield Found(where, "its threshold is 0: it is always healthy", mend)
    elif threshold > len(children):
        yield Found(
            where, f"its threshold {threshold} is more than its {len(children)} children: never healthy", mend
        )


def _metric(system: System, where: str, config: Document) -> Iterator[Found]:
    watched = config["AlarmIdentifier"]
    region = next((one for one in system.regions if one.name == watched["Region"]), None)
    if region is None:
        yield Found(where, f"it watches an alarm in {watched['Region']}, which is no region of the system")
    elif alarms.named(system, region, watched["Name"]) is None:
        yield Found(where, f"the alarm {watched['Name']} that it watches is not in {watched['Region']}")
    if config.get("InsufficientDataHealthStatus") == "Unhealthy":
        yield Found(where, "it is unhealthy whenever there is no data, which is so whenever nobody asks")


def _endpoint(system: System, region: Region, where: str, config: Document) -> Iterator[Found]:
    asked = config.get("FullyQualifiedDomainName", "").lower().rstrip(".")
    others = {one.load_balancer.lower() for one in system.regions if one.name != region.name}
    if asked in others:
        yield Found(where, f"it asks {asked}, which is the other region's")
    if asked == system.target.service.host.lower().rstrip("."):
        yield Found(
            where, f"it asks {asked}, the name that fails over: after a failover it asks the other region"
        )
