"""Preconditions: what must be true before anything is touched. They read, and only read.

A guard that can't be evaluated refuses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill import runs
from drill.aws import Aws
from drill.faults.contract import Resource
from drill.model import Json
from drill.plan import Plan
from drill.probes.health_check import is_healthy
from drill.target import Target


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a drill may not begin.

    Attributes:
        guard: Which precondition.
        why: One line, with what to do.

    """

    guard: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What guards look at.

    Attributes:
        plan: What is about to be done.
        runs: Folder of all runs.
        confirmed: The target's name as the operator typed it back; empty if not.

    """

    plan: Plan
    runs: Path
    confirmed: str


def check(asked: Asked, aws: Aws) -> tuple[Refusal, ...]:
    """Return every refusal; none means that the drill may begin."""
    refusals = []
    for name, guard in _of(asked.plan):
        try:
            why = guard(asked, aws)
        except (BotoCoreError, ClientError) as problem:
            why = f"it could not be evaluated: {problem}"
        if why:
            refusals.append(Refusal(name, why))
    return tuple(refusals)


Guard = Callable[[Asked, Aws], str]


def _of(plan: Plan) -> list[tuple[str, Guard]]:
    """Return the guards of every drill, then the scenario's own."""
    every: list[tuple[str, Guard]] = [
        ("confirmed", _confirmed),
        ("unfinished", _unfinished),
        ("account", _account),
        ("opt-in", _opted_in),
    ]
    for spec in plan.guards:
        options = spec.options
        known = _KINDS.get(spec.kind)
        if known is None:
            every.append((spec.kind, _nonexistent))
        else:
            every.append((spec.kind, _bound(known, options)))
    return every


def _bound(guard: Callable[[Target, Mapping[str, Json], Aws], str], options: Mapping[str, Json]) -> Guard:
    return lambda asked, aws: guard(asked.plan.target, options, aws)


def _nonexistent(_asked: Asked, _aws: Aws) -> str:
    return "the scenario asks for a guard that does not exist"


def _confirmed(asked: Asked, _aws: Aws) -> str:
    name = asked.plan.target.name
    if asked.plan.target.disposable or asked.confirmed == name:
        return ""
    return f"this breaks a system that is not disposable; type its name back: --confirm {name}"


def _unfinished(asked: Asked, _aws: Aws) -> str:
    left = runs.unfinished(asked.runs, asked.plan.target.name)
    if not left:
        return ""
    return f"run {left[0].name} left something broken; put it back first: {runs.rollback_command(left[0])}"


def _account(asked: Asked, aws: Aws) -> str:
    target = asked.plan.target
    here = aws.client("sts", target.primary.name).get_caller_identity()["Account"]
    if here == target.account:
        return ""
    return f"these credentials are of account {here}, the target is in {target.account}; set AWS_PROFILE"


def _opted_in(asked: Asked, aws: Aws) -> str:
    tag = asked.plan.target.opt_in
    for step in asked.plan.steps:
        for resource in step.touches:
            if tags_of(resource, aws).get(tag.key) != tag.value:
                return (
                    f"{resource.kind} {resource.id} in {resource.region} does not carry the tag "
                    f"{tag.key}={tag.value}; whoever owns it must set that first"
                )
    return ""


def tags_of(resource: Resource, aws: Aws) -> dict[str, str]:
    """Return the tags of a resource that a fault changes."""
    client: Any = aws.client(resource.service, resource.region)
    if resource.service == "route53":
        answer = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=resource.id)
        pairs = answer["ResourceTagSet"]["Tags"]
    elif resource.service == "ec2":
        pairs = client.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource.id]}])["Tags"]
    elif resource.service == "dynamodb":
        pairs = client.list_tags_of_resource(ResourceArn=resource.id)["Tags"]
    else:
        return {}
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _check_is_healthy(_target: Target, options: Mapping[str, Json], aws: Aws) -> str:
    """Refuse unless a health check is healthy now; inverting an unhealthy one draws traffic into it."""
    check_id = str(options["health_check_id"])
    client = aws.client("route53", "global")
    config = client.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    if config.get("Inverted") or config.get("Disabled"):
        return f"health check {check_id} is already inverted or disabled; somebody else is working on it"
    if not is_healthy(aws, check_id):
        return f"health check {check_id} is unhealthy before the drill; mend the region behind it first"
    return ""


def _can_pause(target: Target, _options: Mapping[str, Json], aws: Aws) -> str:
    """Refuse unless the table is a global one that both regions hold."""
    client = aws.client("dynamodb", target.primary.name)
    table = client.describe_table(TableName=target.table.name)["Table"]
    regions = {replica["RegionName"] for replica in table.get("Replicas", [])} | {target.primary.name}
    if target.standby.name not in regions:
        return f"table {target.table.name} has no replica in {target.standby.name}; there is nothing to pause"
    return ""


_KINDS: Mapping[str, Callable[[Target, Mapping[str, Json], Aws], str]] = {
    "check-is-healthy": _check_is_healthy,
    "table-is-global": _can_pause,
}
