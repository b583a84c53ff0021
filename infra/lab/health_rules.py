"""When a health check is healthy: Route 53's rules, pure.

See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
and, for ``Disabled`` and ``Inverted``,
https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.lab.alarm_rules import INSUFFICIENT, OK
from infra.lab.world import HealthCheck

# "If more than 18% of health checkers report that an endpoint is healthy".
HEALTHY_SHARE = 0.18
ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "TCP"})
ALARM_TYPE = "CLOUDWATCH_METRIC"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one checker holds of an endpoint; a new one starts healthy (an assumption of the lab).

    Attributes:
        healthy: Its present opinion.
        against: Results in a row that contradict it.

    """

    healthy: bool = True
    against: int = 0

    def after(self, *, good: bool, threshold: int) -> "Opinion":
        """Return the opinion after one more result; ``threshold`` contrary ones in a row turn it."""
        if good == self.healthy:
            return Opinion(self.healthy)
        if self.against + 1 >= threshold:
            return Opinion(good)
        return Opinion(self.healthy, self.against + 1)


def states(
    checks: Mapping[str, HealthCheck],
    opinions: Mapping[str, Sequence[Opinion]],
    by_alarm: Mapping[str, bool] | None = None,
) -> dict[str, bool]:
    """Return what every check shows.

    Args:
        checks: By id.
        opinions: What the checkers of an endpoint hold.
        by_alarm: What the data behind an alarm say, for checks on one; healthy if not known.

    """
    seen = {check_id: _agreed(held) for check_id, held in opinions.items()} | dict(by_alarm or {})
    known: dict[str, bool] = {}
    for check_id in checks:
        _state(check_id, checks, seen, known)
    return known


def by_stream(check: HealthCheck, stream: str, last: bool) -> bool:
    """Say whether a check on an alarm is healthy.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html

    Args:
        check: Which says what holds while there is not enough data.
        stream: What the data say: an alarm's state.
        last: What held when there last was enough; True for a new check.

    """
    if stream == INSUFFICIENT:
        return {"Healthy": True, "Unhealthy": False}.get(check.insufficient, last)
    return stream == OK


def _state(
    check_id: str,
    checks: Mapping[str, HealthCheck],
    seen: Mapping[str, bool],
    known: dict[str, bool],
) -> bool:
    if check_id in known:
        return known[check_id]
    check = checks[check_id]
    # Held while the children are looked at, so that a circle of checks comes to an end.
    known[check_id] = True
    if check.disabled:
        healthy = True
    elif check.type == "CALCULATED":
        children = [_state(child, checks, seen, known) for child in check.children if child in checks]
        healthy = sum(children) >= check.children_threshold
    else:
        healthy = seen.get(check_id, True)
    known[check_id] = healthy != check.inverted
    return known[check_id]


def _agreed(opinions: Sequence[Opinion]) -> bool:
    well = sum(opinion.healthy for opinion in opinions)
    return not opinions or well / len(opinions) > HEALTHY_SHARE
