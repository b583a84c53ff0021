"""Names: Route 53's records and health checks."""

from dataclasses import dataclass

from infra.lab.watching import MetricAlarm


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A Route 53 health check.

    Attributes:
        type: ``HTTP``, ``HTTPS``, ``TCP``, ``CALCULATED`` or ``CLOUDWATCH_METRIC``.
        host: Name or address to connect to.
        interval_s: 10 or 30, as configured; the lab's profile scales it.
        threshold: Results in a row that change a checker's mind.
        children: Ids of a calculated check's children.
        children_threshold: How many of them must be healthy.
        alarm: Name of the alarm whose data stream a ``CLOUDWATCH_METRIC`` check watches.
        alarm_region: Where that alarm is.
        insufficient: ``Healthy``, ``Unhealthy`` or ``LastKnownStatus`` while there is no data.
        stream: That alarm as it was when the check was made or last updated; None if there was none.

    """

    id: str
    type: str
    host: str = ""
    port: int = 0
    path: str = "/"
    interval_s: float = 30
    threshold: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    children_threshold: int = 0
    version: int = 1
    alarm: str = ""
    alarm_region: str = ""
    insufficient: str = "LastKnownStatus"
    stream: MetricAlarm | None = None


@dataclass(frozen=True, slots=True)
class CheckerReport:
    """What one Route 53 checker last saw."""

    region: str
    address: str
    status: str
    checked_at: float


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record set of a hosted zone.

    Attributes:
        name: With its final dot, in lower case.
        failover: ``PRIMARY``, ``SECONDARY`` or empty.
        alias: DNS name that an alias points at; empty for plain records.
        alias_evaluates_health: EvaluateTargetHealth.

    """

    zone: str
    name: str
    type: str
    ttl: int | None
    values: tuple[str, ...]
    set_identifier: str = ""
    failover: str = ""
    health_check_id: str = ""
    alias: str = ""
    alias_evaluates_health: bool = False
