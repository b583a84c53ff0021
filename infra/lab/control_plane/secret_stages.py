"""Which version of a secret has which staging label.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

import threading
from typing import Any, TypeAlias

from moto.secretsmanager.models import FakeSecret, ReplicaSecret

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"

Secret: TypeAlias = FakeSecret | ReplicaSecret

STAGES = threading.RLock()
"""Held while labels move, so that nobody sees a secret without its current version."""


def holder(secret: Secret, stage: str) -> str | None:
    """Return the id of the version that has a label."""
    with STAGES:
        found = [name for name, version in secret.versions.items() if stage in version["version_stages"]]
    return found[0] if found else None


def has_value(version: dict[str, Any]) -> bool:
    """Say whether a version holds anything; a rotation begins with one that does not."""
    return "secret_string" in version or "secret_binary" in version


def labelled(secret: Secret) -> dict[str, list[str]]:
    """Return the labels of every version that has any."""
    with STAGES:
        stages = {name: list(version["version_stages"]) for name, version in secret.versions.items()}
    return {name: labels for name, labels in stages.items() if labels}


def copied(secret: Secret) -> dict[str, dict[str, Any]]:
    """Return a secret's versions as they are now."""
    with STAGES:
        return {
            name: {**version, "version_stages": list(version["version_stages"])}
            for name, version in secret.versions.items()
        }
