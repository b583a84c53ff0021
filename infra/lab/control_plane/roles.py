"""Roles that services assume: does one trust a service?"""

import json
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


def _named(role_arn: str) -> Role | None:
    roles = list(iam_backends[ACCOUNT]["aws"].roles.values())
    return next((role for role in roles if role.arn == role_arn), None)


def _statements(document: Any) -> list[dict[str, Any]]:
    whole = json.loads(document) if isinstance(document, str) else document
    return _many(whole.get("Statement"))


def _services(statement: dict[str, Any]) -> Any:
    principal = statement.get("Principal")
    return principal.get("Service") if isinstance(principal, dict) else None


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
