"""A drill stays within what the target's owner allows one drill to touch."""

from collections.abc import Iterator

from drill.aws import Aws
from drill.guards.contract import Asked
from drill.plan import Plan

_NEXT = "choose a smaller drill, or have the owner change the target file's limits"


def within_limits(asked: Asked, _aws: Aws) -> str:
    """Refuse more resources, other faults, other regions or a longer drill than the limits allow."""
    beyond = list(_beyond(asked.plan))
    return f"{'; '.join(beyond)}; {_NEXT}" if beyond else ""


def _beyond(plan: Plan) -> Iterator[str]:
    limits = plan.target.limits
    touched = {resource for step in plan.every_step for resource in step.touches}
    if limits.max_resources is not None and len(touched) > limits.max_resources:
        yield f"it touches {len(touched)} resources, at most {limits.max_resources} may be (max_resources)"
    if limits.faults is not None:
        others = sorted({step.fault for step in plan.every_step} - set(limits.faults))
        if others:
            yield f"it injects {', '.join(others)}, which is not among the allowed faults (faults)"
    if limits.regions is not None:
        outside = sorted({resource.region for resource in touched} - set(limits.regions))
        if outside:
            yield f"it touches something in {', '.join(outside)}, which is not allowed (regions)"
    most_s = plan.expected_s[1]
    if limits.max_duration_s is not None and most_s > limits.max_duration_s:
        yield f"it may take {most_s:g} s, at most {limits.max_duration_s:g} s is allowed (max_duration_s)"


def fit_for_production(asked: Asked, _aws: Aws) -> str:
    """Refuse a production target whose file leaves open when, what, how long, or what stops a drill."""
    target = asked.plan.target
    if not target.limits.production:
        return ""
    wanted = {
        "windows": target.windows,
        "limits.faults": target.limits.faults,
        "limits.max_duration_s": target.limits.max_duration_s,
        "stop.alarms": target.stop.alarms,
    }
    missing = [key for key, value in wanted.items() if not value]
    if target.disposable:
        return "a target can't be both disposable and in production; correct the target file"
    if missing:
        return f"a target in production must say {', '.join(missing)}; have its owner add that to the file"
    return ""
