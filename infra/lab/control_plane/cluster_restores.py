"""Clusters that begin with the data of a snapshot or of another cluster.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-restore-snapshot.html
"""

from collections.abc import Mapping
from typing import Any

from moto.rds.models import DBCluster, RDSBackend

from infra.lab.control_plane.cluster_snapshots import named
from infra.lab.control_plane.database_state import (
    cluster_named,
    password,
    refuse,
    require_status,
    snapshot_state_of,
    state_of,
)
from infra.lab.control_plane.mending import replace
from infra.lab.control_plane.wiring import WIRING

# What a restored cluster has of its source unless the call says otherwise; all else is as for a new one.
_INHERITED = (
    "engine",
    "engine_version",
    "database_name",
    "master_username",
    "port",
    "backup_retention_period",
    "preferred_backup_window",
)


def install() -> None:
    """Mend moto's restores."""
    replace(RDSBackend, "restore_db_cluster_from_snapshot", lambda _: _from_snapshot)
    replace(RDSBackend, "restore_db_cluster_to_point_in_time", lambda _: _to_point_in_time)


def _from_snapshot(backend: RDSBackend, from_snapshot_id: str, overrides: Mapping[str, Any]) -> DBCluster:
    with WIRING.databases:
        snapshot = named(backend, from_snapshot_id)
        given = {name: value for name, value in dict(overrides).items() if value is not None}
        if given["engine"] != snapshot.engine:
            refuse(
                "InvalidParameterCombination",
                f"The engine {given['engine']} isn't that of the snapshot, {snapshot.engine}.",
            )
        key = (snapshot.kms_key_id, snapshot.storage_encrypted)
        return _restored(backend, snapshot.cluster, key, given, snapshot_state_of(snapshot).resource)


def _to_point_in_time(
    backend: RDSBackend, db_cluster_identifier: str, source_db_cluster_identifier: str, **options: Any
) -> DBCluster:
    with WIRING.databases:
        source = cluster_named(backend, source_db_cluster_identifier)
        require_status(source, "available", "stopped", "modifying", "resetting-master-credentials")
        given = {name: value for name, value in options.items() if value is not None}
        kind = given.pop("restore_type", "full-copy")
        instant = given.pop("restore_to_time", None)
        latest = bool(given.pop("use_latest_restorable_time", False))
        if instant is not None and (latest or kind == "copy-on-write"):
            text = "RestoreToTime can't be specified with UseLatestRestorableTime or for a clone."
            refuse("InvalidParameterCombination", text)
        if instant is None and not latest and kind != "copy-on-write":
            text = "Either RestoreToTime or UseLatestRestorableTime must be specified."
            refuse("InvalidParameterCombination", text)
        if instant is not None:
            msg = "the lab keeps no log of earlier instants: restore the latest one, or a snapshot"
            raise NotImplementedError(msg)
        given["db_cluster_identifier"] = db_cluster_identifier
        key = (source.kms_key_id, source.storage_encrypted)
        return _restored(backend, source, key, given, source.db_cluster_resource_id)


def _restored(
    backend: RDSBackend,
    source: DBCluster,
    key: tuple[str | None, bool],
    given: dict[str, Any],
    origin: str,
) -> DBCluster:
    key_id, encrypted = key
    wanted = {name: getattr(source, name) for name in _INHERITED} | given
    wanted["storage_encrypted"] = encrypted or "kms_key_id" in given
    wanted.setdefault("kms_key_id", key_id)
    wanted["master_user_password"] = password(source)
    cluster: DBCluster = backend.create_db_cluster(wanted)
    state_of(cluster).origin = origin
    return cluster
