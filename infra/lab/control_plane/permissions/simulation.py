"""IAM's policy simulator: what policies come to for actions and resources that somebody names.

It reads no resource: the condition keys are those that the request gives, and those that policies
ask about besides are told as missing.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import InvalidInput, NotFoundException
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.sts.models import STSBackend

from infra.lab.control_plane.mending import ACCOUNT, Function, add, replace
from infra.lab.control_plane.permissions import there
from infra.lab.control_plane.permissions.callers import ROOT_ARN, Caller, of_role, of_user, policies_of
from infra.lab.control_plane.permissions.evaluation import Asked, Decision, Policy, decide
from infra.lab.control_plane.permissions.patterns import Context

_ACTION = re.compile(r"[\w-]+:[\w*?]+")
# From the strictest on.
_EFFECTS = ("explicitDeny", "implicitDeny", "allowed")
_PAGE = 100


@dataclass(frozen=True, slots=True)
class _One:
    """What the policies come to for one resource."""

    resource: str
    decision: Decision
    by_boundary: bool | None

    def document(self) -> dict[str, Any]:
        return {
            "EvalResourceName": self.resource,
            "EvalResourceDecision": self.decision.effect,
            "MatchedStatements": _statements(self.decision),
            "MissingContextValues": list(self.decision.missing),
            **_boundary(self.by_boundary),
        }


def install() -> None:
    """Give moto's IAM the simulator, and its STS the root user's name."""
    add(IamResponse, "simulate_principal_policy", _simulate_principal)
    add(IamResponse, "simulate_custom_policy", _simulate_custom)
    replace(STSBackend, "get_caller_identity", _identity)


def _identity(original: Function) -> Function:
    """Return who asks; the placeholder keys are those of the account's root user.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """

    def identity(backend: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, account = original(backend, access_key_id, region)
        return (ACCOUNT, ROOT_ARN, ACCOUNT) if arn.endswith(":user/moto") else (user_id, arn, account)

    return identity


def _simulate_principal(response: IamResponse) -> ActionResult:
    principal = _principal(str(response._get_param("PolicySourceArn")))
    return _simulated(response, (*principal.identity, *_given(response, "PolicyInputList")), principal)


def _simulate_custom(response: IamResponse) -> ActionResult:
    return _simulated(response, _given(response, "PolicyInputList"), None)


def _principal(arn: str) -> Caller:
    role = there.role_of(arn)
    if role is not None:
        return of_role(role)
    backend = iam_backends[ACCOUNT]["aws"]
    user = next((one for one in list(backend.users.values()) if one.arn == arn), None)
    if user is not None:
        return of_user(user)
    group = next((one for one in list(backend.groups.values()) if one.arn == arn), None)
    if group is not None:
        return Caller(arn, group.id, policies_of(group))
    if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:(role|user|group)/.+", arn):
        msg = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        raise InvalidInput(msg)
    msg = f"Entity {arn} does not exist."
    raise NotFoundException(msg)


def _given(response: IamResponse, member: str) -> tuple[Policy, ...]:
    documents = response._get_param(member) or []
    try:
        return tuple(Policy.of(f"{member}.{place}", text) for place, text in enumerate(documents, 1))
    except (TypeError, ValueError) as problem:
        msg = f"The policy is not valid: {problem}"
        raise InvalidInput(msg) from problem


def _simulated(response: IamResponse, policies: tuple[Policy, ...], principal: Caller | None) -> ActionResult:
    boundary = _given(response, "PermissionsBoundaryPolicyInputList") or (
        principal.boundary if principal is not None else None
    )
    context = _context(response)
    resources = response._get_param("ResourceArns") or ["*"]
    found = []
    for action in response._get_param("ActionNames") or []:
        if not _ACTION.fullmatch(action):
            msg = f"Invalid Action Name: {action}"
            raise InvalidInput(msg)
        ones = [_one(policies, boundary, Asked(action, str(arn), context)) for arn in resources]
        found.append(_evaluation(action, ones))
    return ActionResult(_page(response, found))


def _context(response: IamResponse) -> Context:
    entries = response._get_param("ContextEntries") or []
    return {
        str(entry["ContextKeyName"]).lower(): tuple(map(str, entry.get("ContextKeyValues", [])))
        for entry in entries
    }


def _one(policies: tuple[Policy, ...], boundary: tuple[Policy, ...] | None, asked: Asked) -> _One:
    decision = decide(policies, asked)
    if boundary is None:
        return _One(asked.resource, decision, None)
    bounds = decide(boundary, asked)
    strictest = min((decision, bounds), key=lambda one: _EFFECTS.index(one.effect))
    return _One(asked.resource, strictest, bounds.allowed)


def _evaluation(action: str, ones: list[_One]) -> dict[str, Any]:
    """Return one action's result: the strictest of its resources', with each of theirs."""
    strictest = min(ones, key=lambda one: _EFFECTS.index(one.decision.effect))
    everything = [one.resource for one in ones] == ["*"]
    return {
        "EvalActionName": action,
        "EvalResourceName": strictest.resource,
        "EvalDecision": strictest.decision.effect,
        "MatchedStatements": _statements(strictest.decision),
        "MissingContextValues": list(strictest.decision.missing) if everything else [],
        **_boundary(strictest.by_boundary),
        "ResourceSpecificResults": [] if everything else [one.document() for one in ones],
    }


def _boundary(allowed: bool | None) -> Mapping[str, Any]:
    if allowed is None:
        return {}
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def _statements(decision: Decision) -> list[dict[str, str]]:
    return [{"SourcePolicyId": policy, "SourcePolicyType": "IAM Policy"} for policy in decision.matched]


def _page(response: IamResponse, found: list[dict[str, Any]]) -> dict[str, Any]:
    first = int(response._get_param("Marker") or 0)
    last = first + int(response._get_param("MaxItems") or _PAGE)
    more = {"IsTruncated": True, "Marker": str(last)} if last < len(found) else {"IsTruncated": False}
    return {"EvaluationResults": found[first:last], **more}
