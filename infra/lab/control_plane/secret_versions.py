"""The versions of a secret and their staging labels, as Secrets Manager moves them.

Each label is on one version at a time; where AWSCURRENT moves, AWSPREVIOUS goes to the version
that it came from.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
"""

import time
from collections.abc import Iterable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    OperationNotPermittedOnReplica,
    SecretNotFoundException,
)
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend

from infra.lab.control_plane import secret_replicas
from infra.lab.control_plane.secret_stages import CURRENT, PREVIOUS, STAGES, Secret, has_value, holder


class NotFound(SecretNotFoundException):
    """There is no such secret, version or value."""

    code = 400

    def __init__(self, text: str) -> None:
        """Say what can't be found."""
        JsonRESTError.__init__(self, "ResourceNotFoundException", text)


def live(backend: SecretsManagerBackend, secret_id: str) -> Secret:
    """Return a secret, or a replica, that was not deleted."""
    secret = backend.secrets.get(secret_id)
    if secret is None:
        msg = "Secrets Manager can't find the specified secret."
        raise NotFound(msg)
    if secret.is_deleted():
        msg = "You can't perform this operation on the secret because it was marked for deletion."
        raise InvalidRequestException(msg)
    return secret


def writable(backend: SecretsManagerBackend, secret_id: str) -> FakeSecret:
    """Return a secret that was not deleted and is no replica."""
    secret = live(backend, secret_id)
    if isinstance(secret, ReplicaSecret):
        raise OperationNotPermittedOnReplica
    return secret


def found_version(secret: Secret, version_id: str, stage: str) -> dict[str, Any]:
    """Return the version with an id, a label, or both; AWSCURRENT if neither is given."""
    with STAGES:
        wanted = version_id or holder(secret, stage or CURRENT)
        version: dict[str, Any] | None = secret.versions.get(wanted)
        if version is not None and version_id and stage and stage not in version["version_stages"]:
            msg = "You provided a VersionStage that is not associated to the provided VersionId."
            raise InvalidRequestException(msg)
        if version is None or not has_value(version):
            named = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
            msg = f"Secrets Manager can't find the specified secret value for {named}"
            raise NotFound(msg)
        return {**version, "version_stages": list(version["version_stages"])}


def attach(secret: FakeSecret, version_id: str, stages: Iterable[str]) -> None:
    """Put labels on a version, which takes them from where they are."""
    with STAGES:
        before = holder(secret, CURRENT)
        for stage in stages:
            _detach(secret, stage)
            secret.versions[version_id]["version_stages"].append(stage)
        now = holder(secret, CURRENT)
        if before not in {None, now}:
            _detach(secret, PREVIOUS)
            secret.versions[before]["version_stages"].append(PREVIOUS)
        if before != now:
            secret.default_version_id, secret.value_changed_at = now, time.time()
    touched(secret)


def _detach(secret: FakeSecret, stage: str) -> None:
    for version in secret.versions.values():
        if stage in version["version_stages"]:
            version["version_stages"].remove(stage)


def touched(secret: FakeSecret) -> None:
    """Note that a secret was changed, and have its replicas follow."""
    secret.last_changed_date = int(time.time())
    secret_replicas.follow(secret)


def take_over(secret: FakeSecret, secret_version: dict[str, Any], version_id: str) -> None:
    """Add a version that becomes the current one; replaces moto's ``reset_default_version``."""
    with STAGES:
        stages = list(secret_version["version_stages"])
        secret.versions[version_id] = {**secret_version, "version_stages": []}
        attach(secret, version_id, stages)


def move_stage(
    backend: SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str | None,
    move_to_version_id: str | None,
) -> tuple[str, str]:
    """Move a label; replaces moto's ``update_secret_version_stage``.

    The version that has the label must be named, so that of two callers only one moves it.
    """
    secret = writable(backend, secret_id)
    with STAGES:
        for named in (remove_from_version_id, move_to_version_id):
            if named and named not in secret.versions:
                msg = f"Not a valid version: {named}"
                raise InvalidParameterException(msg)
        _require_named(secret, version_stage, remove_from_version_id, move_to_version_id)
        if move_to_version_id:
            attach(secret, move_to_version_id, [version_stage])
        else:
            _detach(secret, version_stage)
            touched(secret)
    return secret.arn, secret.name


def _require_named(secret: FakeSecret, stage: str, source: str | None, target: str | None) -> None:
    has_it = holder(secret, stage)
    problem = ""
    if source and source != has_it:
        problem = f"Version stage {stage} not found in version {source}"
    elif stage == CURRENT and not target:
        problem = (
            f"You can only move staging label {CURRENT} to a different secret version."
            " It can't be completely removed."
        )
    elif has_it not in {None, source, target}:
        problem = (
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached"
            f" to version {has_it}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if problem:
        raise InvalidParameterException(problem)
