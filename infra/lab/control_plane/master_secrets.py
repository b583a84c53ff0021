"""Master passwords that RDS keeps in Secrets Manager: made, rotated every week, deleted with the cluster.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
"""

import json
import secrets
import time
from typing import Any

from moto.rds.models import DBCluster, DBInstance, MasterUserSecret

from infra.lab.control_plane import managed_rotations
from infra.lab.control_plane.database_keys import key_arn
from infra.lab.control_plane.database_state import BOOK, refuse, require_status, state_of
from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.secret_stages import CURRENT, PENDING, has_value, holder
from infra.lab.control_plane.wiring import WIRING

IN_FORCE_WITHIN_S = 30.0
_POLL_S = 0.02


def install() -> None:
    """Mend moto's secrets of master users."""
    replace(MasterUserSecret, "__init__", _init)
    replace(MasterUserSecret, "_generate_secret_string", _text)
    replace(MasterUserSecret, "secret_status", lambda _: property(_status))
    replace(MasterUserSecret, "delete_secret", _delete)


def change(cluster: DBCluster, given: dict[str, Any]) -> bool:
    """Obey what a modification says of the managed password, and take it out of ``given``.

    Returns:
        Whether the master password becomes another one.

    Raises:
        ServiceException: The modification contradicts itself or the cluster.

    """
    managed = given.pop("manage_master_user_password", None)
    key_id = given.pop("master_user_secret_kms_key_id", None)
    rotate = bool(given.pop("rotate_master_user_password", False))
    keeps = bool(cluster.manage_master_user_password) if managed is None else bool(managed)
    _require_sound(cluster, given, keeps=keeps, rotate=rotate, key_id=key_id)
    if keeps and not cluster.manage_master_user_password:
        if key_id is not None:
            key_arn(cluster.backend, key_id)
        cluster.manage_master_user_password = True
        cluster.master_user_secret = MasterUserSecret(cluster, key_id)
        return True
    if cluster.manage_master_user_password and not keeps:
        cluster.master_user_secret.delete_secret()
        del cluster.master_user_secret
        cluster.manage_master_user_password = False
    if rotate:
        cluster.backend.secretsmanager.rotate_secret(cluster.master_user_secret.secret.arn)
    return False


def _require_sound(
    cluster: DBCluster, given: dict[str, Any], *, keeps: bool, rotate: bool, key_id: str | None
) -> None:
    problem = ""
    if keeps and "master_user_password" in given:
        problem = "You can't specify MasterUserPassword when ManageMasterUserPassword is turned on."
    elif cluster.manage_master_user_password and not keeps and "master_user_password" not in given:
        problem = "MasterUserPassword must be provided when ManageMasterUserPassword is set to false."
    elif rotate and not (keeps and cluster.manage_master_user_password):
        problem = "You can't rotate a master user password that isn't managed in AWS Secrets Manager."
    elif key_id is not None and cluster.manage_master_user_password:
        problem = "You can't change the KMS key of a secret that RDS manages already."
    if problem:
        refuse("InvalidParameterCombination", problem)


def _init(original: Function) -> Function:
    def init(managed: MasterUserSecret, resource: DBCluster | DBInstance, kms_key_id: str | None) -> None:
        original(managed, resource, kms_key_id)
        managed._status = "active"
        if isinstance(resource, DBCluster):
            managed_rotations.register(managed.secret.arn, _rotation(resource))

    return init


def _text(_original: Function) -> Function:
    def text(managed: MasterUserSecret) -> str:
        resource = managed.resource
        resource._master_user_password = new_password()
        return _secret_text(resource)

    return text


def new_password() -> str:
    """Return a master password as RDS makes them: long, and without ``/``, ``"``, ``@`` and spaces."""
    return secrets.token_urlsafe(24)


def _secret_text(resource: DBCluster | DBInstance) -> str:
    return json.dumps({"username": resource.master_username, "password": resource._master_user_password})


def _status(managed: MasterUserSecret) -> str:
    if managed._status == "active" and getattr(managed.resource, "_status", "") == "creating":
        return "creating"
    return str(managed._status)


def _delete(original: Function) -> Function:
    def delete(managed: MasterUserSecret) -> None:
        managed_rotations.forget(managed.secret.arn)
        original(managed)

    return delete


def _rotation(cluster: DBCluster) -> managed_rotations.Rotate:
    def rotate(version_id: str) -> None:
        managed = cluster.master_user_secret
        managed._status = "rotating"
        try:
            before = _set_new(cluster, version_id)
            try:
                _wait_until_in_force(cluster)
            except TimeoutError:
                cluster._master_user_password = before
                raise
            _publish(cluster, version_id)
        finally:
            managed._status = "active"

    return rotate


def _set_new(cluster: DBCluster, version_id: str) -> str:
    """Give the cluster a new password, which is pending in the secret; returns the one before."""
    with WIRING.databases:
        require_status(cluster, "available", "modifying", "resetting-master-credentials")
        before = str(cluster._master_user_password)
        secret = cluster.master_user_secret.secret
        pending = secret.versions.get(version_id, {})
        if has_value(pending):  # an attempt before this one came so far
            cluster._master_user_password = json.loads(pending["secret_string"])["password"]
        else:
            cluster._master_user_password = new_password()
            cluster.backend.secretsmanager.put_secret_value(
                secret.arn, _secret_text(cluster), None, version_id, [PENDING]
            )
        state = state_of(cluster)
        state.revision += 1
        if BOOK.follows:
            cluster._status = "resetting-master-credentials"
        else:
            state.applied = state.revision
    WIRING.changed()
    return before


def _wait_until_in_force(cluster: DBCluster) -> None:
    state = state_of(cluster)
    deadline = time.monotonic() + IN_FORCE_WITHIN_S
    while state.applied < state.revision:
        if time.monotonic() > deadline:
            msg = (
                f"the password of {cluster.db_cluster_identifier} did not change in {IN_FORCE_WITHIN_S:.0f} s"
            )
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


def _publish(cluster: DBCluster, version_id: str) -> None:
    secret = cluster.master_user_secret.secret
    manager = cluster.backend.secretsmanager
    manager.update_secret_version_stage(secret.arn, CURRENT, holder(secret, CURRENT), version_id)
    if holder(secret, PENDING) == version_id:
        manager.update_secret_version_stage(secret.arn, PENDING, version_id, None)
