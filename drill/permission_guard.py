"""Whoever drills may do all that the drill needs, its undo included: IAM's policy simulator says so.

The simulator reads no tags of resources: what a statement asks of them is given to it as if it
were so; whether it is so is the opt-in guard's business.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from drill import permissions
from drill.aws import Aws
from drill.guards.contract import Asked, CannotTell
from drill.permissions import Statement
from drill.target import Target

# Stands for what a drill will make, or for what is only known once it is asked.
_SAMPLE = "0"
_ALLOWED = "allowed"


def permitted(asked: Asked, aws: Aws) -> str:
    """Refuse if any call of the plan would be denied.

    Raises:
        CannotTell: IAM did not let it be simulated.

    """
    if permissions.UNCHECKED in asked.plan.notes:
        return ""
    caller = aws.client("sts", asked.plan.target.standby.name).get_caller_identity()["Arn"]
    # Nothing binds the account's root user, and IAM simulates nothing for it.
    if caller.endswith(":root"):
        return ""
    source = _simulated_as(caller, asked.plan.target)
    denied = []
    for statement in permissions.statements(asked.plan):
        denied += list(_denied(statement, source, asked, aws))
    if not denied:
        return ""
    more = f" and {len(denied) - 1} more" if len(denied) > 1 else ""
    return f"{source} may not {denied[0]}{more}; the policy that it needs: {_command(asked)}"


def _simulated_as(caller: str, target: Target) -> str:
    """Return the ARN of the user or role whose policies bind a caller: a session has none of its own."""
    parts = caller.split(":", 5)
    kind, _, rest = parts[5].partition("/")
    if kind != "assumed-role":
        return caller
    name = rest.partition("/")[0]
    if target.drills.role_arn.rpartition("/")[2] == name:
        return target.drills.role_arn
    # A session does not tell the path of its role; most roles have none.
    return f"{':'.join(parts[:2])}:iam::{parts[4]}:role/{name}"


def _denied(statement: Statement, source: str, asked: Asked, aws: Aws) -> Iterator[str]:
    """Yield what of a statement would be denied, as an action on a resource."""
    resources = [_sample(arn, asked.plan.target) for arn in statement.resources]
    iam = aws.client("iam", "global")
    try:
        pages = list(
            iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=source,
                ActionNames=list(statement.actions),
                ResourceArns=resources,
                ContextEntries=list(_context(statement)),
            )
        )
    except ClientError as problem:
        msg = (
            f"IAM did not simulate the permissions of {source} ({problem}); the policy that is needed: "
            f"{_command(asked)}; drill without this check with: --unchecked-permissions"
        )
        raise CannotTell(msg) from problem
    for page in pages:
        for found in page["EvaluationResults"]:
            yield from _of_result(found)


def _of_result(found: Mapping[str, Any]) -> Iterator[str]:
    specific = [
        (one["EvalResourceName"], one["EvalResourceDecision"])
        for one in found.get("ResourceSpecificResults") or ()
    ]
    for resource, decision in specific or [(found.get("EvalResourceName", "*"), found["EvalDecision"])]:
        if decision != _ALLOWED:
            yield f"{found['EvalActionName']} on {resource} ({decision})"


def _sample(arn: str, target: Target) -> str:
    """Return an ARN that a pattern stands for; the simulator takes ARNs, or ``*`` alone."""
    if arn == "*":
        return arn
    parts = arn.split(":", 5)
    parts[4] = target.account if parts[4] == "*" else parts[4]
    return ":".join(parts).replace("*", _SAMPLE)


def _context(statement: Statement) -> Iterator[dict[str, Any]]:
    for operator, keys in statement.conditions:
        for key, value in keys:
            yield {
                "ContextKeyName": key,
                "ContextKeyType": "boolean" if operator == "Bool" else "string",
                "ContextKeyValues": [value.replace("*", _SAMPLE) if operator.endswith("Like") else value],
            }


def _command(asked: Asked) -> str:
    flags = "".join(
        f" --{name.replace('_', '-')}" if value is True else f" --{name.replace('_', '-')} {value}"
        for name, value in asked.plan.params.items()
        if value not in {None, False}
    )
    return f"drill iam-policy {asked.plan.scenario}{flags} --target FILE"
