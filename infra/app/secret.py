"""The database's credentials, from Secrets Manager in this region."""

import json
from dataclasses import dataclass, field

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.app.order import AURORA, StoreUnavailable
from infra.app.table import client_config


@dataclass(frozen=True, slots=True)
class Credentials:
    """A database user."""

    username: str
    password: str = field(repr=False)


class Secret:
    """One secret, read once and again when it is said to be stale."""

    def __init__(self, arn: str, timeout_s: float) -> None:
        """Take the secret's ARN and how long AWS may take."""
        self._arn = arn
        self._client = boto3.client("secretsmanager", config=client_config(timeout_s, attempts=2))
        self._read: Credentials | None = None

    def credentials(self, *, stale: bool = False) -> Credentials:
        """Return the credentials; ``stale`` reads them again.

        Raises:
            StoreUnavailable: Secrets Manager did not give them.

        """
        if self._read is None or stale:
            self._read = self._at("AWSCURRENT")
        return self._read

    def former(self) -> Credentials:
        """Return the login of before the last rotation, which is used from then on.

        A database that was restored from a point before that rotation knows no other.

        Raises:
            StoreUnavailable: Secrets Manager did not give it; there may be none.

        """
        self._read = self._at("AWSPREVIOUS")
        return self._read

    def _at(self, stage: str) -> Credentials:
        try:
            text = self._client.get_secret_value(SecretId=self._arn, VersionStage=stage)["SecretString"]
        except (ClientError, BotoCoreError) as problem:
            raise StoreUnavailable(AURORA, f"no secret: {type(problem).__name__}", lost=False) from problem
        document = json.loads(text)
        return Credentials(document["username"], document["password"])

    def close(self) -> None:
        """Close the connections to Secrets Manager."""
        self._client.close()
