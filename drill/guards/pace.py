"""The probes' pace is one that a machine can hold."""

from drill.aws import Aws
from drill.guards.contract import Asked

# One process opens about so many connections a second on two cores, and no machine many times more.
# Below this the warm-up shows whether this machine holds the pace: one that does not is told before
# anything is touched.
MOST_PER_S = 5000.0


def holdable(asked: Asked, _aws: Aws) -> str:
    """Refuse probes that would surely starve one another."""
    wanted = {spec.name: 1 / spec.interval_s for spec in asked.plan.probes}
    total = sum(wanted.values())
    if total <= MOST_PER_S:
        return ""
    fastest = sorted(wanted, key=lambda name: wanted[name], reverse=True)[:3]
    named = ", ".join(f"{name} {wanted[name]:,.0f}" for name in fastest)
    return (
        f"its probes would make {total:,.0f} attempts a second ({named}), and no process holds more than "
        f"{MOST_PER_S:,.0f}; lengthen timing.probe_interval_s or timing.write_interval_s in the target file"
    )
