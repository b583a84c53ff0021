"""The least policy that a drill needs, from the calls that its parts declare. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from drill import dead_man
from drill.faults.contract import Call
from drill.faults.registry import build
from drill.guards import needed
from drill.model import Json
from drill.plan import Plan
from drill.probes.catalogue import KINDS
from drill.target import Region, Target

UNCHECKED = "Permissions were not checked before this drill: --unchecked-permissions was given."
# Characters of a managed policy without white space,
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LONGEST = 6144
# Where a permission is not called by boto3's names of the service and the operation.
_SERVICES = {"elbv2": "elasticloadbalancing"}
_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}
_OPENED_WITH = "kms:Decrypt"
# Calls that read or write what is encrypted under the system's own key.
_OPENING = {
    "dynamodb": frozenset(
        {"BatchGetItem", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
    ),
    "sqs": frozenset({"ReceiveMessage"}),
}

Conditions: TypeAlias = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""An IAM condition block as a value: operators, each with its keys and their values."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy: these actions on these resources under these conditions.

    Attributes:
        sid: Its name in the policy.
        actions: Sorted.
        resources: ARNs, sorted; ``*`` where IAM knows none for the actions.
        conditions: All must hold.

    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = ()

    def document(self) -> dict[str, Json]:
        """Return it as IAM writes it."""
        whole: dict[str, Json] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            whole["Condition"] = {operator: dict(keys) for operator, keys in self.conditions}
        return whole


@dataclass(frozen=True, slots=True, order=True)
class _Permission:
    """One action on one resource."""

    action: str
    resource: str
    conditions: Conditions

    def covers(self, other: "_Permission") -> bool:
        """Say whether it makes another one needless."""
        return (
            self != other
            and self.action == other.action
            and set(self.conditions) <= set(other.conditions)
            and fnmatchcase(other.resource, self.resource.replace("[", "[[]"))
        )


def statements(*plans: Plan) -> tuple[Statement, ...]:
    """Return what plans for one target need together, each statement needed by itself."""
    every = {one for plan in plans for one in _permissions(plan)}
    needful = sorted(one for one in every if not any(other.covers(one) for other in every))
    together: dict[tuple[str, Conditions], set[str]] = {}
    for one in needful:
        together.setdefault((one.action, one.conditions), set()).add(one.resource)
    grouped: dict[tuple[str, tuple[str, ...], Conditions], list[str]] = {}
    for (action, conditions), resources in together.items():
        key = (action.partition(":")[0], tuple(sorted(resources)), conditions)
        grouped.setdefault(key, []).append(action)
    return tuple(
        _named(
            Statement("", tuple(sorted(actions)), resources, conditions)
            for (_, resources, conditions), actions in sorted(grouped.items())
        )
    )


def policies(wanted: Sequence[Statement]) -> tuple[Mapping[str, Json], ...]:
    """Return statements as policies that IAM takes: as few as hold them all."""
    documents: list[list[Statement]] = [[]]
    for statement in wanted:
        if documents[-1] and length([*documents[-1], statement]) > LONGEST:
            documents.append([])
        documents[-1].append(statement)
    return tuple(_document(part) for part in documents)


def length(wanted: Iterable[Statement]) -> int:
    """Return how long a policy of these statements is, as IAM counts."""
    return len(re.sub(r"\s", "", _text(_document(wanted))))


def resources(call: Call, target: Target) -> tuple[str, ...]:
    """Return the ARNs of a call with the target's account, partition and tag in their places."""
    return tuple(_filled(arn, target) for arn in call.resources)


def unchecked(plan: Plan) -> Plan:
    """Return a plan whose permissions are not checked before the drill, which its notes tell."""
    return replace(plan, notes=(*plan.notes, UNCHECKED))


def _document(wanted: Iterable[Statement]) -> dict[str, Json]:
    return {"Version": "2012-10-17", "Statement": [one.document() for one in wanted]}


def _text(document: Mapping[str, Json]) -> str:
    return str(document)


def _named(wanted: Iterable[Statement]) -> Iterator[Statement]:
    """Yield statements, each with a name made of its first action; numbered where two share that."""
    seen: dict[str, int] = {}
    for one in wanted:
        service, _, action = one.actions[0].partition(":")
        name = "".join(part.capitalize() for part in service.split("-")) + action
        seen[name] = seen.get(name, 0) + 1
        yield replace(one, sid=name if seen[name] == 1 else f"{name}{seen[name]}")


def _permissions(plan: Plan) -> Iterator[_Permission]:
    target = plan.target
    for call in calls(plan):
        for resource in call.resources:
            for action in call.grants or (_permission(call),):
                yield _Permission(action, _filled(resource, target), _conditions(call, target))
            yield from _opened(call, _filled(resource, target), target)


def calls(plan: Plan) -> Iterator[Call]:
    """Yield every call of a drill: of its faults, guards, probes, lease, schedules and stop conditions."""
    for step in plan.every_step:
        yield from step.calls
    for spec in plan.probes:
        yield from KINDS[spec.kind].calls(spec)
    yield from needed.calls(plan)
    yield from _own(plan.target)
    if any(build(step.fault, step.args).plain_undo for step in plan.every_step):
        yield from dead_man.calls(plan.target)


def _own(target: Target) -> Iterator[Call]:
    drills = target.drills
    if drills.role_arn:
        yield Call("capture", "iam", "SimulatePrincipalPolicy", (drills.role_arn,))
    if drills.lease_table:
        where = f"arn:{{partition}}:dynamodb:{target.standby.name}:{{account}}:table/{drills.lease_table}"
        for action in ("GetItem", "PutItem", "UpdateItem"):
            yield Call("arm", "dynamodb", action, (where,))


def _opened(call: Call, resource: str, target: Target) -> Iterator[_Permission]:
    """Yield the permission to open the key of what is read or written: the service opens it for its caller.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    region = _region(resource, target)
    opens = call.action in _OPENING.get(call.service, ())
    if opens and region is not None and region.key_arn:
        # Also in partitions whose own names end otherwise: the key's value is a service's name.
        via = f"{call.service}.{region.name}.{_SUFFIXES.get(_partition(target), 'amazonaws.com')}"
        conditions = (("StringEquals", (("kms:ViaService", via),)),)
        yield _Permission(_OPENED_WITH, region.key_arn, conditions)


def _region(arn: str, target: Target) -> Region | None:
    name = arn.split(":")[3] if arn.count(":") >= 5 else ""
    return next((region for region in (target.primary, target.standby) if region.name == name), None)


def _permission(call: Call) -> str:
    action = f"{_SERVICES.get(call.service, call.service)}:{call.action}"
    return _ACTIONS.get(action, action)


_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def _partition(target: Target) -> str:
    """Return the partition of a target's regions, https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html."""
    prefix = target.primary.name.partition("-")[0]
    if target.primary.name.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws-cn" if prefix == "cn" else "aws"


def _filled(text: str, target: Target) -> str:
    for name, value in (
        ("{partition}", _partition(target)),
        ("{account}", target.account),
        ("{opt_in_key}", target.opt_in.key),
        ("{opt_in_value}", target.opt_in.value),
    ):
        text = text.replace(name, value)
    return text


def _conditions(call: Call, target: Target) -> Conditions:
    return tuple(
        (
            operator,
            tuple(sorted((_filled(key, target), _filled(value, target)) for key, value in keys.items())),
        )
        for operator, keys in sorted(call.conditions.items())
    )
