"""The permissions to read a database login from Secrets Manager."""

from typing import Literal

from drill.faults.contract import Call


def calls(
    when: Literal["capture", "inject"], region: str, secret_arn: str, key_arn: str = ""
) -> tuple[Call, ...]:
    """Return the read of a secret, and the opening of the key that encrypts it where that is not AWS's own.

    Secrets Manager opens it with the permissions of whoever asks:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html

    Args:
        when: Which method makes it.
        region: Where it is read.
        secret_arn: The secret, or its replica there.
        key_arn: Its KMS key; empty for AWS's own.

    """
    read = Call(when, "secretsmanager", "GetSecretValue", (secret_arn,))
    if not key_arn:
        return (read,)
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
    return (read, Call(when, "kms", "Decrypt", (key_arn,), through))
