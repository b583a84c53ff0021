"""Snapshots of clusters: they take their time, hold an instant's data and outlive their cluster.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-copy-snapshot.html
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from moto.rds.models import DBCluster, DBClusterSnapshot, RDSBackend, rds_backends

from infra.lab import world
from infra.lab.control_plane.database_keys import key_arn
from infra.lab.control_plane.database_state import (
    BOOK,
    Done,
    SnapshotState,
    cluster_named,
    refuse,
    require_status,
    snapshot_state_of,
)
from infra.lab.control_plane.mending import ACCOUNT, Function, replace
from infra.lab.control_plane.wiring import WIRING

Tags = Sequence[Mapping[str, str]]

_AS_CLUSTER = (
    "availability_zones",
    "backup_retention_period",
    "db_cluster_resource_id",
    "engine_mode",
    "iam_database_authentication_enabled",
    "preferred_backup_window",
    "storage_type",
)


def install() -> None:
    """Mend moto's snapshots of clusters."""
    replace(RDSBackend, "create_db_cluster_snapshot", _create)
    replace(RDSBackend, "copy_db_cluster_snapshot", lambda _: _copy)
    replace(RDSBackend, "delete_db_cluster_snapshot", lambda _: _delete)


def take(  # noqa: PLR0913 - a snapshot is one thing, and what is to be known of it is this
    region: str,
    cluster_id: str,
    snapshot_id: str,
    *,
    kind: str = "manual",
    tags: Tags | None = None,
    done: Done = lambda _: None,
) -> DBClusterSnapshot:
    """Begin a snapshot of a cluster; it is ``creating`` until its data are there.

    Args:
        region: Of the cluster.
        cluster_id: Its id.
        snapshot_id: The snapshot's name, which no other one of the region has.
        kind: ``manual``, ``automated`` or ``awsbackup``.
        tags: Its tags; None copies the cluster's, if the cluster is set so.
        done: Called once when it is complete or has failed, with what went wrong if anything.

    Raises:
        ServiceException: As CreateDBClusterSnapshot answers it.

    """
    with WIRING.databases:
        backend = rds_backends[ACCOUNT][region]
        given = None if tags is None else [dict(tag) for tag in tags]
        snapshot: DBClusterSnapshot = backend.create_db_cluster_snapshot(
            cluster_id, snapshot_id, snapshot_type=kind, tags=given
        )
        _finish_by(snapshot, done)
        return snapshot


def copy(  # noqa: PLR0913 - as for `take`
    region: str,
    source_arn: str,
    snapshot_id: str,
    *,
    key_id: str | None = None,
    kind: str = "manual",
    tags: Tags | None = None,
    done: Done = lambda _: None,
) -> DBClusterSnapshot:
    """Begin a copy of a snapshot, in ``region``; a copy is always full, never incremental.

    Args:
        region: Where the copy is to be.
        source_arn: The ARN of the snapshot, of any region.
        snapshot_id: The copy's name.
        key_id: The key that encrypts it; needed for an encrypted snapshot of another region.
        kind: As for :func:`take`.
        tags: The copy's own tags; None copies the source's.
        done: As for :func:`take`.

    Raises:
        ServiceException: As CopyDBClusterSnapshot answers it.

    """
    with WIRING.databases:
        backend = rds_backends[ACCOUNT][region]
        given = None if tags is None else [dict(tag) for tag in tags]
        snapshot = _copy(backend, source_arn, snapshot_id, key_id, given is None, given)
        snapshot.snapshot_type = kind
        _finish_by(snapshot, done)
        return snapshot


def delete(region: str, snapshot_id: str) -> None:
    """Delete a snapshot of any kind, also one that only its owning service may delete.

    Raises:
        ServiceException: There is none of that name.

    """
    with WIRING.databases:
        backend = rds_backends[ACCOUNT][region]
        _named(backend, snapshot_id)
        del backend.cluster_snapshots[snapshot_id]


def drop_automated(cluster: DBCluster) -> None:
    """Delete a cluster's automated snapshots: they go with it."""
    backend = cluster.backend
    for name, snapshot in list(backend.cluster_snapshots.items()):
        mine = snapshot_state_of(snapshot).cluster == cluster.db_cluster_resource_id
        if mine and snapshot.snapshot_type == "automated":
            del backend.cluster_snapshots[name]


def shown(regions: Sequence[str]) -> tuple[world.ClusterSnapshot, ...]:
    """Return every snapshot of these regions as the physics see it."""
    found = []
    for region in regions:
        for snapshot in list(rds_backends[ACCOUNT][region].cluster_snapshots.values()):
            state = snapshot_state_of(snapshot)
            name = snapshot.db_cluster_snapshot_identifier
            found.append(
                world.ClusterSnapshot(
                    name, region, state.resource, snapshot.status, state.cluster, state.source
                )
            )
    return tuple(found)


def _finish_by(snapshot: DBClusterSnapshot, done: Done) -> None:
    snapshot_state_of(snapshot).done = done
    if snapshot.status == "available":
        done("")


def _create(original: Function) -> Function:
    def create(
        backend: RDSBackend,
        db_cluster_identifier: str,
        db_cluster_snapshot_identifier: str,
        snapshot_type: str = "manual",
        tags: list[dict[str, str]] | None = None,
    ) -> DBClusterSnapshot:
        with WIRING.databases:
            cluster = cluster_named(backend, db_cluster_identifier)
            require_status(cluster, "available", "modifying", "resetting-master-credentials", "stopped")
            snapshot: DBClusterSnapshot = original(
                backend,
                cluster.db_cluster_identifier,
                db_cluster_snapshot_identifier,
                snapshot_type,
                tags,
            )
            _begin(snapshot, "creating", cluster=cluster.db_cluster_resource_id)
            return snapshot

    return create


def _begin(snapshot: DBClusterSnapshot, status: str, *, cluster: str = "", source: str = "") -> None:
    snapshot._lab_state = SnapshotState(f"snapshot-{uuid.uuid4().hex}", cluster, source)
    for name in _AS_CLUSTER:
        setattr(snapshot, name, getattr(snapshot.cluster, name))
    group = snapshot.backend.subnet_groups.get(snapshot.cluster.db_subnet_group_name)
    snapshot.vpc_id = None if group is None else group.vpc_id
    snapshot.license_model = "postgresql-license"
    if BOOK.follows:
        snapshot.status, snapshot.percent_progress = status, 0


def _copy(  # noqa: PLR0913 - moto calls it with the call's arguments
    backend: RDSBackend,
    source_db_cluster_snapshot_identifier: str,
    target_db_cluster_snapshot_identifier: str,
    kms_key_id: str | None = None,
    copy_tags: bool = False,
    tags: list[dict[str, str]] | None = None,
    **_: Any,
) -> DBClusterSnapshot:
    with WIRING.databases:
        source = _named(backend, source_db_cluster_snapshot_identifier)
        target = target_db_cluster_snapshot_identifier
        if target in backend.cluster_snapshots:
            text = "Cannot create the snapshot because a snapshot with the identifier"
            refuse("DBClusterSnapshotAlreadyExistsFault", f"{text} {target} already exists.")
        key = _key_of_copy(backend, source, kms_key_id)
        _require_available(source)
        kept = tags or (list(source.tags) if copy_tags else [])
        copied = DBClusterSnapshot(backend, source.cluster, target, tags=kept)
        copied.kms_key_id, copied.storage_encrypted = key, source.storage_encrypted
        copied.source_db_cluster_snapshot_arn = source.arn
        backend.cluster_snapshots[target] = copied
        _begin(copied, "copying", source=snapshot_state_of(source).resource)
        return copied


def _named(backend: RDSBackend, name: str) -> DBClusterSnapshot:
    """Return a snapshot by its name in this region, or by its ARN in any."""
    region = name.split(":")[3] if name.startswith("arn:") else backend.region_name
    short = name.partition(":cluster-snapshot:")[2] if name.startswith("arn:") else name
    found = rds_backends[ACCOUNT][region].cluster_snapshots.get(short)
    if found is None:
        refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    return found


def named(backend: RDSBackend, name: str) -> DBClusterSnapshot:
    """Return a snapshot of a backend's own region, by name or ARN, that is ready to be used.

    Raises:
        ServiceException: There is none, or it is not complete.

    """
    snapshot = _named(backend, name)
    if snapshot.backend is not backend:
        refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    _require_available(snapshot)
    return snapshot


def _require_available(snapshot: DBClusterSnapshot) -> None:
    if snapshot.status != "available":
        name = snapshot.db_cluster_snapshot_identifier
        refuse(
            "InvalidDBClusterSnapshotStateFault",
            f"DB cluster snapshot {name} is in {snapshot.status} state but must be available.",
        )


def _key_of_copy(backend: RDSBackend, source: DBClusterSnapshot, key_id: str | None) -> str | None:
    if not source.storage_encrypted:
        if key_id is not None:
            refuse(
                "InvalidParameterCombination",
                "KmsKeyId can't be specified when an unencrypted DB cluster snapshot is copied.",
            )
        return None
    if key_id is None and source.backend is not backend:
        refuse(
            "InvalidParameterValue",
            "Must specify new KMS key for cross region encrypted snapshot copy.",
        )
    return source.kms_key_id if key_id is None else key_arn(backend, key_id)


def _delete(backend: RDSBackend, db_snapshot_identifier: str) -> DBClusterSnapshot:
    with WIRING.databases:
        snapshot = _named(backend, db_snapshot_identifier)
        if snapshot.snapshot_type != "manual":
            refuse(
                "InvalidDBClusterSnapshotStateFault",
                f"Only manual snapshots may be deleted: {db_snapshot_identifier}"
                f" is of the type {snapshot.snapshot_type}.",
            )
        if snapshot.status not in {"available", "failed"}:
            _require_available(snapshot)
        return backend.cluster_snapshots.pop(snapshot.db_cluster_snapshot_identifier)
