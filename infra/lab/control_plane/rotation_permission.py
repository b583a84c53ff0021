"""May Secrets Manager invoke a rotation function: its resource policy says.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.awslambda.exceptions import GenericResourcNotFound, LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import ResourceNotFoundException
from moto.secretsmanager.models import FakeSecret

from infra.lab.control_plane.mending import ACCOUNT

PRINCIPAL = "secretsmanager.amazonaws.com"
_ACTION = "lambda:invokefunction"
_ARN = re.compile(r"arn:aws[\w-]*:lambda:(?P<region>[\w-]+):\d{12}:function:[\w-]+(:[\w$-]+)?")


def require_invocable(function_arn: str, secret: FakeSecret) -> None:
    """Refuse a rotation function that is not there, or does not let Secrets Manager invoke it.

    Raises:
        ResourceNotFoundException: The ARN is not that of a function in the secret's region.
        JsonRESTError: ``AccessDeniedException``, in AWS's words.

    """
    match = _ARN.fullmatch(function_arn)
    if match is None or match["region"] != secret.region:
        msg = f"Secrets Manager can't find the Lambda function {function_arn} in {secret.region}."
        raise ResourceNotFoundException(msg)
    statements = _allowing(function_arn, secret.region)
    if not any(_holds(statement.get("Condition", {}), secret) for statement in statements):
        code = "AccessDeniedException"
        raise JsonRESTError(
            code,
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy"
            f" grants access to the principal {PRINCIPAL}.",
        )


def _statements(function_arn: str, region: str) -> list[dict[str, Any]]:
    """Return a function's own policy, or that of the alias that the ARN names; none if it has none."""
    try:
        answer = lambda_backends[ACCOUNT][region].get_policy(function_arn)
    except (LambdaClientError, GenericResourcNotFound):
        return []
    found: list[dict[str, Any]] = json.loads(json.loads(answer)["Policy"])["Statement"]
    return found


def _allowing(function_arn: str, region: str) -> Iterator[Mapping[str, Any]]:
    for statement in _statements(function_arn, region):
        principal = statement.get("Principal")
        service = principal.get("Service") if isinstance(principal, dict) else principal
        action = str(statement.get("Action", "")).lower()
        allows = statement.get("Effect") == "Allow" and fnmatch.fnmatchcase(_ACTION, action)
        if allows and service in {PRINCIPAL, "*"}:
            yield statement


def _holds(condition: Mapping[str, Mapping[str, str]], secret: FakeSecret) -> bool:
    """Say whether a statement's conditions hold for a call on behalf of a secret."""
    known = {"aws:sourceaccount": ACCOUNT, "aws:sourcearn": secret.arn}
    return all(
        fnmatch.fnmatchcase(known.get(key.lower(), ""), pattern)
        for wanted in condition.values()
        for key, pattern in wanted.items()
    )
