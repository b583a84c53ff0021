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
            try:
                text = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSCURRENT")[
                    "SecretString"
                ]
            except (ClientError, BotoCoreError) as problem:
                raise StoreUnavailable(
                    AURORA, f"no secret: {type(problem).__name__}", lost=False
                ) from problem
            document = json.loads(text)
            self._read = Credentials(document["username"], document["password"])
        return self._read

    def close(self) -> None:
        """Close the connections to Secrets Manager."""
        self._client.close()
