"""Kind ``health_check``: whether Route 53 considers a health check healthy.

An endpoint is healthy if more than 18 % of the checkers say so; a disabled check counts as
healthy; an inverted one is the opposite of what it was
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
and https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html).
Route 53 tells no checkers for a calculated check: its children are looked at instead. Nor for one
that watches a metric: the state of the alarm of that metric is looked at. Route 53 watches the data
and not the state (a state that somebody sets moves no check), but nothing nearer to it is told:
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html
Good is healthy, bad is unhealthy; unknown if AWS did not tell.

Options:
    health_check_id: Which one.
    children: Ids of the checks to look at for a calculated check (default: all its children).

Detail: ``inverted disabled version checkers checkers_healthy error``, and for a calculated
check ``children``, a mapping of id to whether it is healthy; its checkers are the sums.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from drill import clock
from drill.aws import Aws
from drill.faults.contract import Call
from drill.model import Goodness, Json, ProbeSpec
from drill.probes import options
from drill.probes.calls import call, clients
from drill.probes.contract import Context, Probe, Seen, told

HEALTHY_SHARE = 0.18
CALCULATED = "CALCULATED"
METRIC = "CLOUDWATCH_METRIC"


class _Untold(Exception):
    """AWS did not tell; the text is the error's short word."""


@dataclass(frozen=True, slots=True)
class _Look:
    healthy: bool
    checkers: int
    checkers_healthy: int
    config: Mapping[str, Any]
    version: int | None = None
    children: Mapping[str, bool] | None = None


class HealthCheckProbe(Probe):
    """Calls GetHealthCheck and GetHealthCheckStatus on each attempt."""

    kind: ClassVar[str] = "health_check"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._id = options.text(spec, "health_check_id")
        self._children = options.texts(spec, "children")
        self._client: Any = None
        self._aws: Aws

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:  # noqa: ARG003 (others read it)
        """Return reads of any check and alarm: what one is calculated from is known only when it is asked."""
        return reads()

    async def open(self) -> None:
        """Make the client."""
        self._aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        self._client = self._aws.client("route53", "global")

    async def attempt(self, number: int) -> Seen:
        """Read the check's configuration and what its checkers say."""
        give_up_ns = clock.monotonic_ns() + round(self.spec.timeout_s * 1e9)
        try:
            look = await self._look(self._id, give_up_ns)
        except _Untold as problem:
            return Seen(Goodness.UNKNOWN, None, {"error": str(problem)})
        detail: dict[str, Json] = told(
            inverted=bool(look.config.get("Inverted")),
            disabled=bool(look.config.get("Disabled")),
            version=look.version,
            checkers=look.checkers,
            checkers_healthy=look.checkers_healthy,
            children=None if look.children is None else dict(look.children),
        )
        return Seen(Goodness.GOOD if look.healthy else Goodness.BAD, None, detail)

    async def _look(self, health_check_id: str, give_up_ns: int) -> _Look:
        reply = await self._ask(self._client.get_health_check, give_up_ns, HealthCheckId=health_check_id)
        config = reply["HealthCheck"]["HealthCheckConfig"]
        version = reply["HealthCheck"].get("HealthCheckVersion")
        if config["Type"] == METRIC:
            return _Look(metric_healthy(config, await self._alarm(config, give_up_ns)), 0, 0, config, version)
        if config["Type"] != CALCULATED:
            status = await self._ask(
                self._client.get_health_check_status, give_up_ns, HealthCheckId=health_check_id
            )
            statuses = [each["StatusReport"]["Status"] for each in status["HealthCheckObservations"]]
            if not statuses:
                nobody = "no_checkers"
                raise _Untold(nobody)
            healthy = sum(1 for each in statuses if each.startswith("Success"))
            return _Look(endpoint_healthy(config, statuses), len(statuses), healthy, config, version)
        ids = self._children or tuple(config.get("ChildHealthChecks", ()))
        looks = {child: await self._look(child, give_up_ns) for child in ids}
        children = {child: look.healthy for child, look in looks.items()}
        return _Look(
            calculated_healthy(config, tuple(children.values())),
            sum(look.checkers for look in looks.values()),
            sum(look.checkers_healthy for look in looks.values()),
            config,
            version,
            children,
        )

    async def _alarm(self, config: Mapping[str, Any], give_up_ns: int) -> str:
        alarm = config["AlarmIdentifier"]
        # Made once for each region, which takes a while.
        watching = await asyncio.to_thread(self._aws.client, "cloudwatch", alarm["Region"])
        return _state(await self._ask(watching.describe_alarms, give_up_ns, AlarmNames=[alarm["Name"]]))

    async def _ask(self, method: Callable[..., Any], give_up_ns: int, **asked: object) -> dict[str, Any]:
        left_s = max(0.0, (give_up_ns - clock.monotonic_ns()) / 1e9)
        reply = await call(method, left_s, **asked)
        if reply.error:
            raise _Untold(reply.error)
        return reply.document


def reads() -> tuple[Call, ...]:
    """Return the calls by which a health check is read, with all that it may be calculated from.

    Composite alarms are only described to who may describe all:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    checks = ("arn:{partition}:route53:::healthcheck/*",)
    return (
        Call("capture", "route53", "GetHealthCheck", checks),
        Call("capture", "route53", "GetHealthCheckStatus", checks),
        Call("capture", "cloudwatch", "DescribeAlarms"),
    )


def endpoint_healthy(config: Mapping[str, Any], statuses: Sequence[str]) -> bool:
    """Say whether an endpoint's check is considered healthy, from its checkers' status lines."""
    succeeded = sum(1 for each in statuses if each.startswith("Success"))
    return _switched(config, succeeded > HEALTHY_SHARE * len(statuses))


def calculated_healthy(config: Mapping[str, Any], children: Sequence[bool]) -> bool:
    """Say whether a calculated check is considered healthy, from its children."""
    return _switched(config, sum(children) >= int(config.get("HealthThreshold", 1)))


def metric_healthy(config: Mapping[str, Any], state: str) -> bool:
    """Say whether a check of a metric is considered healthy, from its alarm's state.

    While there is no data the check is what its configuration says; one that keeps its last status
    is taken for healthy, since nobody tells which that was.
    """
    if state == "INSUFFICIENT_DATA":
        return _switched(config, config.get("InsufficientDataHealthStatus") != "Unhealthy")
    return _switched(config, state == "OK")


def _state(described: Mapping[str, Any]) -> str:
    """Return an alarm's state from what DescribeAlarms answers; one that is not there has no data."""
    alarms = described["MetricAlarms"]
    return str(alarms[0]["StateValue"]) if alarms else "INSUFFICIENT_DATA"


def _switched(config: Mapping[str, Any], healthy: bool) -> bool:
    return (healthy or bool(config.get("Disabled"))) is not bool(config.get("Inverted"))


def is_healthy(aws: Aws, check_id: str) -> bool:
    """Ask once whether a health check is considered healthy.

    Raises:
        ClientError: AWS refused to tell.

    """

    def ask(service: str, region: str, operation: str, **request: object) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = getattr(aws.client(service, region), operation)(**request)
        return answer

    def config_of(asked_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = ask("route53", "global", "get_health_check", HealthCheckId=asked_id)
        return dict(found["HealthCheck"]["HealthCheckConfig"])

    return considered_healthy(check_id, config_of, ask)


def considered_healthy(
    check_id: str, config_of: Callable[[str], Mapping[str, Any]], ask: Callable[..., Mapping[str, Any]]
) -> bool:
    """Say whether a health check is considered healthy, by somebody's way of asking AWS.

    Args:
        check_id: Which.
        config_of: Gives a check's configuration by its id.
        ask: Calls AWS: service, region and operation by boto3's names, then the request's members.

    """
    config = config_of(check_id)
    if config["Type"] == CALCULATED:
        children = config.get("ChildHealthChecks", ())
        return calculated_healthy(config, [considered_healthy(child, config_of, ask) for child in children])
    if config["Type"] == METRIC:
        alarm = config["AlarmIdentifier"]
        described = ask("cloudwatch", alarm["Region"], "describe_alarms", AlarmNames=[alarm["Name"]])
        return metric_healthy(config, _state(described))
    seen = ask("route53", "global", "get_health_check_status", HealthCheckId=check_id)
    return endpoint_healthy(
        config, [one["StatusReport"]["Status"] for one in seen["HealthCheckObservations"]]
    )
