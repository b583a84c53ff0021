"""May a role be assumed: its trust policy says, and for the account's own people their policies too.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage-assume.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.models import Role

from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.permissions import there
from infra.lab.control_plane.permissions.callers import ROOT_ARN, Caller, policies_of
from infra.lab.control_plane.permissions.calls import Call
from infra.lab.control_plane.permissions.conditions import hold
from infra.lab.control_plane.permissions.evaluation import Asked, Policy, decide
from infra.lab.control_plane.permissions.patterns import Context, many

_ACTION = "sts:AssumeRole"
_ACCOUNT = frozenset({ACCOUNT, ROOT_ARN})


def why_not(who: Caller | None, call: Call) -> str:
    """Say why a caller may not assume a role; empty if it may. None is the account's root user.

    AWS lets no root user assume a role; here it stands for whoever runs the lab.
    """
    arn = str(call.parameters.get("RoleArn"))
    role = there.role_of(arn)
    name = who.arn if who is not None else ROOT_ARN
    if role is not None and _assumable(role, who, call):
        return ""
    return f"User: {name} is not authorized to perform: {_ACTION} on resource: {arn}"


def _assumable(role: Role, who: Caller | None, call: Call) -> bool:
    context = {**(who.keys if who is not None else {}), **_keys(call)}
    named = _trusted(role, "AWS", context)
    own = {who.arn, who.role_arn} if who is not None else _ACCOUNT
    if own & named or (who is None and "*" in named):
        return True
    # A trust in the account leaves it to the account's policies who of its people may.
    if not named & {*_ACCOUNT, "*"} or who is None:
        return False
    return who.decide(Asked(_ACTION, role.arn, context))[0].allowed


def trusts_service(role_arn: str, service: str, context: Context) -> bool:
    """Say whether a role is there and a service may assume it.

    Args:
        role_arn: The role.
        service: For example ``scheduler.amazonaws.com``.
        context: What the service says of itself: ``aws:sourcearn``, ``aws:sourceaccount``.

    """
    role = there.role_of(role_arn)
    return role is not None and service in _trusted(role, "Service", context)


def permits_service(role_arn: str, asked: Asked) -> bool:
    """Say whether a role that a service has assumed may do something."""
    role = there.role_of(role_arn)
    if role is None:
        return False
    return decide(policies_of(role), asked).allowed


def _trusted(role: Role, kind: str, context: Context) -> frozenset[str]:
    """Return those of a kind whom a role's policy lets assume it, in a context."""
    return frozenset(_principals(Policy.of("trust", role.assume_role_policy_document), kind, context))


def _principals(policy: Policy, kind: str, context: Context) -> Iterator[str]:
    for statement in policy.statements:
        allows = statement.get("Effect") == "Allow" and _ACTION in many(statement.get("Action"))
        if allows and hold(statement.get("Condition"), context):
            yield from _named(statement.get("Principal"), kind)


def _named(principal: Any, kind: str) -> Iterator[str]:
    if isinstance(principal, Mapping):
        yield from map(str, many(principal.get(kind)))
    elif principal == "*":
        yield "*"


def _keys(call: Call) -> dict[str, tuple[str, ...]]:
    given = {
        "sts:externalid": call.parameters.get("ExternalId"),
        "sts:rolesessionname": call.parameters.get("RoleSessionName"),
    }
    return {key: (str(value),) for key, value in given.items() if value is not None}
