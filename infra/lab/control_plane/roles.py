"""May a service assume a role: the role's trust policy says."""

import json
from typing import Any

from moto.iam.models import iam_backends

from infra.lab.control_plane.mending import ACCOUNT


def trusts(role_arn: str, service: str) -> bool:
    """Say whether a role exists and lets a service assume it.

    Args:
        role_arn: The role.
        service: For example ``backup.amazonaws.com``.

    """
    found = [role for role in list(iam_backends[ACCOUNT]["aws"].roles.values()) if role.arn == role_arn]
    if not found:
        return False
    document = found[0].assume_role_policy_document
    statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    return any(
        service in _services(statement.get("Principal", {})) and statement.get("Effect") == "Allow"
        for statement in ([statements] if isinstance(statements, dict) else statements)
    )


def _services(principal: Any) -> list[str]:
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return [named] if isinstance(named, str) else named
