"""Secrets that another service keeps: Secrets Manager asks that service to rotate them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_managed.html
"""

from collections.abc import Callable

# As RDS rotates its master users unless told otherwise, see
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
EVERY_DAYS = 7

Rotate = Callable[[str], None]
"""Rotates a secret to its end, in a thread of its own.

Takes the id of the new version, which has the stage ``AWSPENDING`` and no value yet; when it
returns, that version must have a value and the stage ``AWSCURRENT``. Whatever it raises is a
failed rotation.
"""

_ROTATIONS: dict[str, Rotate] = {}


def register(secret_arn: str, rotate: Rotate) -> None:
    """Have RotateSecret, and the secret's schedule, call ``rotate`` for a secret."""
    _ROTATIONS[secret_arn] = rotate


def forget(secret_arn: str) -> None:
    """Forget a secret; one that is not known is no error."""
    _ROTATIONS.pop(secret_arn, None)


def of(secret_arn: str) -> Rotate | None:
    """Return what rotates a secret; None for one that no service keeps."""
    return _ROTATIONS.get(secret_arn)


def clear() -> None:
    """Forget all of them: a new control plane begins."""
    _ROTATIONS.clear()
