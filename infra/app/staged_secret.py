"""A secret with its versions, as its rotation moves them from stage to stage."""

import json
from collections.abc import Mapping
from typing import Any

import boto3

from infra.app.secret import Credentials
from infra.app.table import client_config

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
_PASSWORD_LENGTH = 32


class StagedSecret:
    """One secret; errors of AWS are raised as they are, they hold no value."""

    def __init__(self, arn: str, timeout_s: float) -> None:
        """Take the secret's ARN and how long AWS may take."""
        self.arn = arn
        self._client = boto3.client("secretsmanager", config=client_config(timeout_s, attempts=3))

    def stages(self, token: str) -> tuple[str, ...]:
        """Return the stages of a version; none if there is no such version."""
        return tuple(self._versions().get(token, ()))

    def document(self, stage: str, token: str = "") -> Mapping[str, Any] | None:
        """Return what the version at a stage holds; None if there is none, or it is another one."""
        version = {"VersionId": token} if token else {}
        try:
            found = self._client.get_secret_value(SecretId=self.arn, VersionStage=stage, **version)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        document: Mapping[str, Any] = json.loads(found["SecretString"])
        return document

    def put_pending(self, token: str, document: Mapping[str, Any]) -> None:
        """Give the pending version its value; the same call again changes nothing."""
        self._client.put_secret_value(
            SecretId=self.arn,
            ClientRequestToken=token,
            SecretString=json.dumps(document),
            VersionStages=[PENDING],
        )

    def new_password(self) -> str:
        """Return a password that needs no quoting anywhere."""
        answer = self._client.get_random_password(PasswordLength=_PASSWORD_LENGTH, ExcludePunctuation=True)
        password: str = answer["RandomPassword"]
        return password

    def make_current(self, token: str) -> None:
        """Move AWSCURRENT to a version; Secrets Manager moves AWSPREVIOUS behind it."""
        before = [name for name, stages in self._versions().items() if CURRENT in stages]
        if before != [token]:
            self._client.update_secret_version_stage(
                SecretId=self.arn,
                VersionStage=CURRENT,
                MoveToVersionId=token,
                **({"RemoveFromVersionId": before[0]} if before else {}),
            )

    def close(self) -> None:
        """Close the connections to Secrets Manager."""
        self._client.close()

    def _versions(self) -> Mapping[str, list[str]]:
        versions: Mapping[str, list[str]] = self._client.describe_secret(SecretId=self.arn).get(
            "VersionIdsToStages", {}
        )
        return versions


def credentials(document: Mapping[str, Any]) -> Credentials:
    """Return the login that a secret holds."""
    return Credentials(document["username"], document["password"])
