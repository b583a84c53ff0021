"""The policies in the templates, and what AWS's service reference says of their actions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from tests.infra.stacks.templates import NAMES, resources

ACTIONS = {action.lower(): action for action in get_all_actions()}
"""Every IAM action as AWS writes it, by its name in small letters."""

_ARN = "arn:aws:{}:us-east-1:123456789012:{}"
# What the parameters of the templates stand for.
_PARAMETERS = {
    "KeyArn": _ARN.format("kms", "key/k"),
    "PeerKeyArn": _ARN.format("kms", "key/k"),
    "SubnetArns": _ARN.format("ec2", "subnet/s"),
    "PeerSubnetArns": _ARN.format("ec2", "subnet/s"),
    "RouteTableArns": _ARN.format("ec2", "route-table/r"),
    "PeerRouteTableArns": _ARN.format("ec2", "route-table/r"),
    "AlertQueueArns": _ARN.format("sqs", "queue"),
    "SubnetGroupArn": _ARN.format("rds", "subgrp:g"),
    "ParameterGroupArn": _ARN.format("rds", "cluster-pg:g"),
    "FunctionArn": _ARN.format("lambda", "function:f"),
    "TableArn": _ARN.format("dynamodb", "table/t"),
    "SecretArn": _ARN.format("secretsmanager", "secret:s"),
    "AdminSecretArn": _ARN.format("secretsmanager", "secret:s"),
    "DatabaseSecretArn": _ARN.format("secretsmanager", "secret:s"),
}
# What Ref and Arn of a resource are.
_RESOURCES = {
    "AWS::IAM::Role": _ARN.format("iam", "role/r"),
    "AWS::SNS::Topic": _ARN.format("sns", "topic"),
    "AWS::SQS::Queue": _ARN.format("sqs", "queue"),
    "AWS::Logs::LogGroup": _ARN.format("logs", "log-group:g:*"),
    "AWS::Lambda::Function": _ARN.format("lambda", "function:f"),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one policy.

    Attributes:
        where: Template, resource, and which of the resource's statements.
        owner: Type of the resource that has the policy.
        allows: It allows; otherwise it denies.
        trusts: It says who may take a role.
        actions: As written.
        resources: As ARNs with sample values.
        conditions: Keys of the conditions.

    """

    where: str
    owner: str
    allows: bool
    trusts: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]

    def __str__(self) -> str:
        """Return how a failed test names it."""
        return f"{self.where}: {', '.join(self.actions)}"


def statements() -> Iterator[Statement]:
    """Yield every statement of every policy of every template."""
    for name in NAMES:
        kinds = {resource.name: resource.kind for resource in resources(name)}
        for resource in resources(name):
            for number, (path, item) in enumerate(_within(dict(resource.properties), ()), 1):
                yield Statement(
                    where=f"{name} {resource.name} {number}",
                    owner=resource.kind,
                    allows=item["Effect"] == "Allow",
                    trusts="AssumeRolePolicyDocument" in path,
                    actions=tuple(_listed(item["Action"])),
                    resources=tuple(
                        arn for one in _listed(item.get("Resource", ())) for arn in _arns(one, kinds)
                    ),
                    conditions=tuple(key for test in item.get("Condition", {}).values() for key in test),
                )


def meant(action: str) -> list[str]:
    """Return the actions that a pattern means, as AWS writes them."""
    pattern = re.compile(re.escape(action.lower()).replace(r"\*", ".*"))
    return [name for small, name in ACTIONS.items() if pattern.fullmatch(small)]


def resource_formats(action: str) -> set[str]:
    """Return the ARNs, with placeholders, that an action may be about; ``*`` for none."""
    return {item["resource_arn_format"] for item in _reference(action)}


def condition_keys(action: str) -> set[str]:
    """Return the condition keys that an action knows besides AWS's global ones."""
    return {key for item in _reference(action) for key in item["condition_keys"]}


def fits(arn: str, wanted: str) -> bool:
    """Say whether an ARN of a policy may be about a kind of resource: service and first word of its name."""
    _arn, _aws, service, _region, _account, name = arn.split(":", 5)
    _arn, _aws, wanted_service, _region, _account, wanted_name = wanted.split(":", 5)
    words = [re.split(r"[:/]", each)[0] for each in (name, wanted_name)]
    named = "${" not in words[1] and "*" not in words[0]
    return service == wanted_service and (not named or words[0] == words[1])


def _reference(action: str) -> Sequence[Mapping[str, Any]]:
    service, _, name = action.partition(":")
    found = get_action_data(service, name)
    assert found, f"the service reference does not know {action}"
    entries: Sequence[Mapping[str, Any]] = found[service]
    return entries


def _within(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        if "Effect" in value and "Action" in value:
            yield path, value
        for key, item in value.items():
            yield from _within(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, path)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _arns(value: Any, kinds: Mapping[str, str]) -> Iterator[str]:
    """Yield what a resource of a statement is once its functions are evaluated."""
    if isinstance(value, str):
        yield value
        return
    ((function, asked),) = value.items()
    if function == "Fn::If":
        for branch in asked[1:]:
            yield from _arns(branch, kinds)
    elif function == "Fn::Sub":
        yield re.sub(r"\$\{([A-Za-z:]+)\}", lambda found: _sample(found[1], kinds), asked)
    elif asked != "AWS::NoValue":
        yield _sample(asked if isinstance(asked, str) else asked[0], kinds)


def _sample(name: str, kinds: Mapping[str, str]) -> str:
    pseudo = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
    known = {**pseudo, **_PARAMETERS, **{item: _RESOURCES.get(kind, "") for item, kind in kinds.items()}}
    return known.get(name) or "x"
