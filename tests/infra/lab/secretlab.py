"""Secrets of a control plane, and a rotation function that runs beside it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import Invocation
from tests.infra.lab.functionlab import archive
from tests.infra.lab.planelab import EAST, Lab, Physics, make_function

PRINCIPAL = "secretsmanager.amazonaws.com"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the error that a call meets; empty if it meets none."""
    try:
        call()
    except ClientError as problem:
        return str(problem.response["Error"]["Code"])
    return ""


def until(holds: Callable[[], object], what: str = "it") -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} never came to hold")
        time.sleep(0.01)


class Rotator(Physics):
    """A rotation function: each new value is one more than the last; it can be told to fail at a step."""

    def __init__(self, lab: Lab) -> None:
        """Answer for a control plane."""
        super().__init__()
        self.events: list[dict[str, str]] = []
        self.fails_at = ""
        self.hold: Callable[[str], object] = lambda _: None
        self._secrets = lab.client("secretsmanager")

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> Invocation:
        """Do one step."""
        event = json.loads(payload)
        self.events.append(event)
        self.invoked.append((region, function, qualifier, payload))
        self.hold(event["Step"])
        if event["Step"] == self.fails_at:
            return Invocation(b'{"errorMessage": "a value of the secret"}', "Unhandled")
        self._do(event["Step"], event["SecretId"], event["ClientRequestToken"])
        return Invocation(b"null")

    def _do(self, step: str, arn: str, token: str) -> None:
        if step == "createSecret":
            number = int(self._secrets.get_secret_value(SecretId=arn)["SecretString"])
            self._secrets.put_secret_value(
                SecretId=arn,
                SecretString=str(number + 1),
                ClientRequestToken=token,
                VersionStages=["AWSPENDING"],
            )
        if step == "testSecret":
            self._secrets.get_secret_value(SecretId=arn, VersionStage="AWSPENDING")
        if step == "finishSecret":
            current = self._secrets.get_secret_value(SecretId=arn)["VersionId"]
            self._secrets.update_secret_version_stage(
                SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
            )


class Rotating:
    """A secret with the value 0, a rotation function, and what to do with both."""

    def __init__(self, lab: Lab, *, permitted: bool = True) -> None:
        """Make both in the east."""
        self.secrets: Any = lab.client("secretsmanager")
        self.rotator = Rotator(lab)
        lab.plane.serve_with(invoker=self.rotator, health=self.rotator, writes=self.rotator)
        make_function(lab, archive("def handle(event, context): pass"), "rotate")
        self.functions: Any = lab.client("lambda")
        self.function = f"arn:aws:lambda:{EAST}:123456789012:function:rotate"
        if permitted:
            self.permit(PRINCIPAL)
        self.arn: str = self.secrets.create_secret(Name="number", SecretString="0")["ARN"]

    def permit(self, principal: str, **condition: str) -> None:
        """Let a service invoke the function."""
        self.functions.add_permission(
            FunctionName="rotate",
            StatementId=f"s{time.monotonic_ns()}",
            Action="lambda:InvokeFunction",
            Principal=principal,
            **condition,
        )

    def rotate(self, **changed: Any) -> str:
        """Rotate; returns the id of the new version."""
        wanted = {
            "SecretId": self.arn,
            "RotationLambdaARN": self.function,
            "RotationRules": {"AutomaticallyAfterDays": 30},
        }
        version: str = self.secrets.rotate_secret(**{**wanted, **changed})["VersionId"]
        return version

    def value(self, stage: str = "AWSCURRENT") -> str:
        """Return the value at a stage; empty if there is none."""
        try:
            text: str = self.secrets.get_secret_value(SecretId=self.arn, VersionStage=stage)["SecretString"]
        except self.secrets.exceptions.ResourceNotFoundException:
            return ""
        return text

    def shown(self) -> dict[str, Any]:
        """Return what DescribeSecret says."""
        answer: dict[str, Any] = self.secrets.describe_secret(SecretId=self.arn)
        return answer
