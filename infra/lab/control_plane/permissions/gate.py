"""The gate that every request passes: who is bound by policies may do what they permit, and no more."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.permissions import calls, needs, trust
from infra.lab.control_plane.permissions.callers import Caller, InvalidToken, caller
from infra.lab.control_plane.permissions.denials import Answer, denied, refused
from infra.lab.control_plane.permissions.evaluation import Asked, Decision
from infra.lab.control_plane.permissions.there import KeysOf

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_ASSUME = "sts:AssumeRole"
_UNKNOWN = (
    " (the lab does not know which resources this action is about, so that only a statement about"
    ' every resource, "*", permits it; they are listed in infra/lab/control_plane/permissions)'
)


def refusal(environ: Mapping[str, Any]) -> Answer | None:
    """Return the answer to a request that is not permitted; None if it is."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    access_key, region, service = scope[1], scope[2], scope[3].lower()
    try:
        who = caller(access_key, environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    except InvalidToken as problem:
        return _invalid(environ, service, region, problem)
    if who is None and service != "sts":
        return None
    call = calls.read(environ, service, region)
    if call is None:
        return denied(service, "json", _text(who, f"{service}:?", "*", "")) if who is not None else None
    if call.action == _ASSUME:
        why = trust.why_not(who, call)
        return denied(call.service, call.protocol, why) if why else None
    return _judged(who, call) if who is not None else None


def _judged(who: Caller, call: calls.Call) -> Answer | None:
    wanted = needs.of(call)
    for one in wanted.permissions:
        decision, kind = decide(who, one, call.region)
        if not decision.allowed:
            text = _text(who, one.action, one.resource, _because(decision, kind, one.action))
            return denied(call.service, call.protocol, text + ("" if wanted.known else _UNKNOWN))
    return None


def decide(who: Caller, asked: Asked, region: str) -> tuple[Decision, str]:
    """Return what a caller's policies come to for a request in a region, and what decided it."""
    keys = {
        **who.keys,
        "aws:requestedregion": (region,),
        "ec2:region": (region,),
        "aws:resourceaccount": (ACCOUNT,),
        **asked.context,
    }
    return who.decide(replace(asked, context=KeysOf(keys, asked.resource)))


def _because(decision: Decision, kind: str, action: str) -> str:
    article = "an" if kind.startswith("i") else "a"
    if decision.effect == "explicitDeny":
        return f" with an explicit deny in {article} {kind}"
    return f" because no {kind} allows the {action} action"


def _text(who: Caller | None, action: str, resource: str, because: str) -> str:
    arn = who.arn if who is not None else ""
    return f"User: {arn} is not authorized to perform: {action} on resource: {resource}{because}"


def _invalid(environ: Mapping[str, Any], service: str, region: str, problem: InvalidToken) -> Answer:
    call = calls.read(environ, service, region)
    protocol = call.protocol if call is not None else "json"
    code = problem.code
    if protocol in {"json", "rest-json"}:
        code = {"InvalidClientTokenId": "UnrecognizedClientException"}.get(code, f"{code}Exception")
    return refused(call.service if call is not None else service, protocol, code, problem.text)
