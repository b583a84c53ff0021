"""Roles that services assume: does one trust a service, and what do its policies permit?"""

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

from moto.iam.models import Role, iam_backends

from infra.lab.control_plane.mending import ACCOUNT


def trusts(role_arn: str, service: str) -> bool:
    """Say whether a role exists and lets a service assume it.

    Args:
        role_arn: The role.
        service: For example ``backup.amazonaws.com``.

    """
    role = _named(role_arn)
    return role is not None and any(
        service in _many(_services(statement)) and statement.get("Effect") == "Allow"
        for statement in _statements(role.assume_role_policy_document)
    )


def permits(role_arn: str, action: str) -> bool:
    """Say whether a role's policies permit an action on anything at all.

    Which resource a call is about can't be told from the call, nor what its conditions would
    ask: an action that is permitted on one resource counts as permitted, and a denial counts
    if it is of every resource.

    Args:
        role_arn: The role.
        action: For example ``route53:UpdateHealthCheck``.

    """
    role = _named(role_arn)
    found = [one for one in _policies(role) if _is_about(one, action)] if role is not None else []
    denied = any(one["Effect"] == "Deny" and "*" in _many(one.get("Resource")) for one in found)
    return not denied and any(one["Effect"] == "Allow" for one in found)


def _named(role_arn: str) -> Role | None:
    roles = list(iam_backends[ACCOUNT]["aws"].roles.values())
    return next((role for role in roles if role.arn == role_arn), None)


def _policies(role: Role) -> Iterator[dict[str, Any]]:
    documents = [*role.policies.values(), *(policy.document for policy in role.managed_policies.values())]
    for document in documents:
        yield from _statements(document)


def _statements(document: Any) -> list[dict[str, Any]]:
    whole = json.loads(document) if isinstance(document, str) else document
    return _many(whole.get("Statement"))


def _is_about(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _like(action, statement["NotAction"])
    return _like(action, statement.get("Action"))


def _like(action: str, patterns: Any) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), str(one).lower()) for one in _many(patterns))


def _services(statement: dict[str, Any]) -> Any:
    principal = statement.get("Principal")
    return principal.get("Service") if isinstance(principal, dict) else None


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
