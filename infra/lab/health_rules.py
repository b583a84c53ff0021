"""When a health check is healthy: Route 53's rules, pure.

See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
and, for ``Disabled`` and ``Inverted``,
https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.lab.world import HealthCheck

# "If more than 18% of health checkers report that an endpoint is healthy".
HEALTHY_SHARE = 0.18
ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "TCP"})


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


def states(checks: Mapping[str, HealthCheck], opinions: Mapping[str, Sequence[Opinion]]) -> dict[str, bool]:
    """Return what every check shows, from its checkers' opinions or its children's states."""
    known: dict[str, bool] = {}
    for check_id in checks:
        _state(check_id, checks, opinions, known)
    return known


def _state(
    check_id: str,
    checks: Mapping[str, HealthCheck],
    opinions: Mapping[str, Sequence[Opinion]],
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
        children = [_state(child, checks, opinions, known) for child in check.children if child in checks]
        healthy = sum(children) >= check.children_threshold
    else:
        healthy = _agreed(opinions.get(check_id, ()))
    known[check_id] = healthy != check.inverted
    return known[check_id]


def _agreed(opinions: Sequence[Opinion]) -> bool:
    well = sum(opinion.healthy for opinion in opinions)
    return not opinions or well / len(opinions) > HEALTHY_SHARE
