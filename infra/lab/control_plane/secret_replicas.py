"""Replicas of secrets: read-only, under a key of their own region, a moment behind the secret.

Their ARNs differ from the secret's in the region alone.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from moto.secretsmanager.exceptions import InvalidParameterException
from moto.secretsmanager.models import (
    FakeSecret,
    ReplicaSecret,
    SecretsManagerBackend,
    secretsmanager_backends,
)
from moto.secretsmanager.responses import SecretsManagerResponse

from infra.lab.control_plane.keys import why_unusable
from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.control_plane.secret_stages import CURRENT, copied, holder, labelled

LAG_S = 0.05
"""From a change of a secret to its replicas, in seconds: an assumption of the lab."""

IN_PROGRESS, IN_SYNC, FAILED = "InProgress", "InSync", "Failed"
_AWS_KEY = SecretsManagerBackend.DEFAULT_KMS_KEY_ALIAS


def install() -> None:
    """Mend moto's replicas."""
    replace(FakeSecret, "create_replicas", lambda _: _create)
    replace(ReplicaSecret, "versions", lambda _: property(_versions))
    replace(ReplicaSecret, "default_version_id", lambda _: property(lambda replica: holder(replica, CURRENT)))
    replace(ReplicaSecret, "to_dict", _shown)
    replace(SecretsManagerBackend, "replicate_secret_to_regions", _replicate)
    replace(SecretsManagerBackend, "remove_regions_from_replication", _remove)
    replace(SecretsManagerBackend, "get_resource_policy", _policy)
    add(SecretsManagerResponse, "stop_replication_to_replica", _stop)


def follow(secret: FakeSecret) -> None:
    """Have the replicas of a secret hold, a moment later, what it holds then."""
    replicas = [replica for replica in getattr(secret, "replicas", ()) if replica.has_replica]
    if not replicas:
        return
    for replica in replicas:
        _say(replica, IN_PROGRESS, "Replication in progress")
    timer = threading.Timer(LAG_S, _arrive, (secret, replicas))
    timer.daemon = True
    timer.start()


def _arrive(secret: FakeSecret, replicas: Sequence[ReplicaSecret]) -> None:
    for replica in replicas:
        problem = why_unusable(replica.region, replica.kms_key_id)
        if problem:
            _say(replica, FAILED, f"Replication failed: {problem}")
            continue
        replica.held = copied(secret)
        _say(replica, IN_SYNC, "Replication succeeded")


def _say(replica: ReplicaSecret, status: str, message: str) -> None:
    replica.status, replica.message = status, message
    replica.config |= {"Status": status, "StatusMessage": message}


def in_region(arn: str, region: str) -> str:
    """Return the ARN of a secret's replica."""
    parts = arn.split(":")
    parts[3] = region
    return ":".join(parts)


def _create(
    secret: FakeSecret, replica_regions: Sequence[Mapping[str, str]], force_overwrite: bool
) -> list[ReplicaSecret]:
    present = {replica.region for replica in getattr(secret, "replicas", ())}
    for wanted in replica_regions:
        if wanted["Region"] in {secret.region, *present}:
            msg = "Invalid replica region."
            raise InvalidParameterException(msg)
    return [_replica(secret, wanted, force_overwrite) for wanted in replica_regions]


def _replica(secret: FakeSecret, wanted: Mapping[str, str], force_overwrite: bool) -> ReplicaSecret:
    region = wanted["Region"]
    there = secretsmanager_backends[secret.account_id][region].secrets
    replica = ReplicaSecret(secret, region)
    replica.arn, replica.held = in_region(secret.arn, region), {}
    replica.kms_key_id = wanted.get("KmsKeyId") or _AWS_KEY
    replica.config["KmsKeyId"] = replica.kms_key_id
    if secret.name in there and not force_overwrite:
        replica.has_replica = False
        _say(replica, FAILED, f"Replication failed: Secret name {secret.name} already exists in {region}.")
        return replica
    there.pop(secret.name)
    there[replica.arn] = replica
    _say(replica, IN_PROGRESS, "Replication in progress")
    return replica


def _versions(replica: ReplicaSecret) -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = replica.held
    return held


def _shown(original: Function) -> Function:
    def shown(replica: ReplicaSecret) -> dict[str, Any]:
        found: dict[str, Any] = original(replica)
        found.pop("KmsKeyId", None)
        if replica.kms_key_id != _AWS_KEY:
            found["KmsKeyId"] = replica.kms_key_id
        found["VersionIdsToStages"] = found["SecretVersionsToStages"] = labelled(replica)
        return found

    return shown


def _replicate(original: Function) -> Function:
    def replicate(
        backend: SecretsManagerBackend, secret_id: str, *args: Any, **kwargs: Any
    ) -> tuple[str, list[dict[str, Any]]]:
        _, statuses = original(backend, secret_id, *args, **kwargs)
        secret = backend.secrets[secret_id]
        follow(secret)
        return secret.arn, statuses

    return replicate


def _remove(original: Function) -> Function:
    def remove(
        backend: SecretsManagerBackend, secret_id: str, replica_regions: list[str]
    ) -> tuple[str, list[dict[str, str]]]:
        _, statuses = original(backend, secret_id, replica_regions)
        return backend.secrets[secret_id].arn, statuses

    return remove


def _policy(original: Function) -> Function:
    """Show a replica's policy too, which is its secret's."""

    def policy(backend: SecretsManagerBackend, secret_id: str) -> str:
        secret = backend.secrets.get(secret_id)
        if not isinstance(secret, ReplicaSecret):
            return str(original(backend, secret_id))
        shown = {"ARN": secret.arn, "Name": secret.name}
        if secret.source.policy is not None:
            shown["ResourcePolicy"] = secret.source.policy
        return json.dumps(shown)

    return policy


def _stop(response: SecretsManagerResponse) -> str:
    """Make a replica a secret of its own.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_StopReplicationToReplica.html
    """
    backend, secret_id = response.backend, response._get_param("SecretId")
    replica = backend.describe_secret(secret_id)
    if not isinstance(replica, ReplicaSecret):
        msg = "Operation not permitted on a primary secret. Call must be made in a replica's region."
        raise InvalidParameterException(msg)
    source = replica.source
    promoted = FakeSecret(
        account_id=source.account_id,
        region_name=replica.region,
        secret_id=source.name,
        secret_version={},
        version_id="",
        description=source.description,
        tags=list(source.tags or ()),
        kms_key_id=None if replica.kms_key_id == _AWS_KEY else replica.kms_key_id,
        last_changed_date=source.last_changed_date,
        created_date=source.created_date,
    )
    promoted.arn, promoted.policy = replica.arn, source.policy
    promoted.versions, promoted.default_version_id = copied(replica), replica.default_version_id
    source.replicas.remove(replica)
    dict.pop(backend.secrets, replica.arn)
    backend.secrets[promoted.name] = promoted
    return json.dumps({"ARN": promoted.arn})
