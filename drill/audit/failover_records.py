"""The failover records and the health checks behind them, as the checks of DNS read them."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from drill.audit.reads import Document, absent
from drill.audit.system import System
from drill.target import Region

CALLS = ("route53:ListHealthChecks", "route53:ListResourceRecordSets")
CALCULATED = "CALCULATED"
METRIC = "CLOUDWATCH_METRIC"


def records(system: System) -> dict[str, Document]:
    """Return the records of the service's name by their failover role; none of a zone that is not there."""
    name = system.target.dns.record_name.rstrip(".") + "."
    try:
        rows = system.reads.many(
            "route53",
            "global",
            "list_resource_record_sets",
            "ResourceRecordSets",
            HostedZoneId=system.target.dns.hosted_zone_id,
        )
    except ClientError as problem:
        if not absent(problem):
            raise
        rows = []
    return {row["Failover"]: row for row in rows if row["Name"].lower() == name.lower() and "Failover" in row}


def check(system: System, check_id: str) -> Document | None:
    """Return a health check; None if there is none.

    All are asked for at once: Route 53 takes few calls a second, and a region has half a dozen checks.
    """
    rows: list[Document] = system.reads.many("route53", "global", "list_health_checks", "HealthChecks")
    return next((row for row in rows if row["Id"] == check_id), None)


def family(system: System, check_id: str) -> Iterator[tuple[str, Document | None]]:
    """Yield a health check and all that it is calculated from, each with its id."""
    found = check(system, check_id)
    yield check_id, found
    if found is not None:
        for child in found["HealthCheckConfig"].get("ChildHealthChecks", []):
            yield from family(system, child)


def checks_of(system: System, region: Region) -> str:
    """Return the id of the check that a region's record carries; the target's own if there is no record."""
    role = "PRIMARY" if system.role(region) == "primary" else "SECONDARY"
    return str(records(system).get(role, {}).get("HealthCheckId") or region.health_check_id)
