"""Clusters that are stopped, started, failed over and deleted, each as far as the physics have got.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-cluster-stop-start.html
"""

import contextlib
import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBCluster, DBInstanceClustered, RDSBackend
from moto.rds.responses import RDSResponse

from infra.lab.control_plane import cluster_snapshots
from infra.lab.control_plane.database_state import (
    BOOK,
    ask,
    cluster_named,
    refuse,
    require_status,
)
from infra.lab.control_plane.mending import replace
from infra.lab.control_plane.wiring import WIRING


def install() -> None:
    """Mend moto's life of clusters."""
    replace(RDSBackend, "stop_db_cluster", lambda _: _stop)
    replace(RDSBackend, "start_db_cluster", lambda _: _start)
    replace(RDSBackend, "failover_db_cluster", lambda _: _fail_over)
    replace(RDSResponse, "delete_db_cluster", lambda _: _delete)


def _stop(backend: RDSBackend, cluster_identifier: str) -> DBCluster:
    with WIRING.databases:
        cluster = cluster_named(backend, cluster_identifier)
        require_status(cluster, "available")
        _require_alone(cluster)
        return _move(cluster, "stopping", "stopped")


def _start(backend: RDSBackend, cluster_identifier: str) -> DBCluster:
    with WIRING.databases:
        cluster = cluster_named(backend, cluster_identifier)
        require_status(cluster, "stopped", "inaccessible-encryption-credentials-recoverable")
        return _move(cluster, "starting", "available")


def _move(cluster: DBCluster, passing: str, final: str) -> DBCluster:
    status = passing if BOOK.follows else final
    cluster._status = status
    for instance in cluster._members:
        instance.status = status
    shown = copy.copy(cluster)
    shown._status = passing
    return shown


def _require_alone(cluster: DBCluster) -> None:
    if cluster.global_cluster_identifier:
        name = cluster.db_cluster_identifier
        refuse(
            "InvalidDBClusterStateFault", f"Cluster {name} is part of a global database and can't be stopped."
        )


def _fail_over(
    backend: RDSBackend, db_cluster_identifier: str, target_db_instance_identifier: str | None = None
) -> DBCluster:
    with WIRING.databases:
        cluster = cluster_named(backend, db_cluster_identifier)
        require_status(cluster, "available")
        target = _target(cluster, target_db_instance_identifier)
        cluster._status = "failing-over"

        def done(_problem: str) -> None:
            # Its instance may be gone by now; then the writer is who it was.
            if target in cluster._members:
                cluster.failover(target)
            cluster._status = "available"

        ask("restart", cluster, done)
        return cluster


def _target(cluster: DBCluster, name: str | None) -> DBInstanceClustered:
    code = "InvalidDBClusterStateFault"
    others = [instance for instance in cluster.members if not instance.is_cluster_writer]
    if not others:
        text = "should have at least two database instances for failover"
        refuse(code, f"Database cluster:{cluster.db_cluster_identifier} {text}")
    ready = [instance for instance in others if instance.status == "available"]
    if name is None:
        if not ready:
            text = "should have at least two database instances in valid states"
            refuse(code, f"Database cluster:{cluster.db_cluster_identifier} {text}")
        # Lowest tier first, as Aurora chooses.
        return min(ready, key=lambda instance: int(instance.promotion_tier))
    named = [instance for instance in others if instance.db_instance_identifier == name.lower()]
    if not named:
        refuse("InvalidParameterValue", f"Cannot find target instance: {name}")
    if named[0] not in ready:
        refuse("InvalidDBInstanceState", f"Instance {name} should be in valid state for failover.")
    return named[0]


def _delete(handler: RDSResponse) -> ActionResult:
    with WIRING.databases:
        cluster = cluster_named(handler.backend, handler.params["DBClusterIdentifier"])
        final = _final_snapshot(handler.params)
        _require_deletable(cluster)
        if final is not None:
            cluster_snapshots.take(handler.backend.region_name, cluster.db_cluster_identifier, final)
        cluster._status = "deleting"
        if not BOOK.follows:
            forget(cluster)
        return ActionResult({"DBCluster": cluster})


def _final_snapshot(params: Any) -> str | None:
    name: str | None = params.get("FinalDBSnapshotIdentifier")
    skipped = bool(params.get("SkipFinalSnapshot"))
    if skipped == (name is not None):
        code = "InvalidParameterCombination"
        text = (
            "FinalDBSnapshotIdentifier can not be specified when deleting a cluster and SkipFinalSnapshot"
            if skipped
            else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
        refuse(code, text)
    return name


def _require_deletable(cluster: DBCluster) -> None:
    code = "InvalidDBClusterStateFault"
    if cluster.deletion_protection:
        text = "Cannot delete protected Cluster, please disable deletion protection and try again."
        refuse("InvalidParameterCombination", text)
    if any(instance.status != "deleting" for instance in cluster._members):
        text = "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        refuse(code, text)
    if cluster.global_cluster_identifier:
        text = "This cluster is a part of a global cluster, please remove it from globalcluster first"
        refuse(code, text)
    if cluster._status == "deleting":
        refuse(code, f"Cluster {cluster.db_cluster_identifier} is already being deleted.")


def forget(cluster: DBCluster) -> None:
    """Take a cluster whose data are gone out of the books, with all that goes with it."""
    backend = cluster.backend
    if cluster.manage_master_user_password:
        cluster.master_user_secret.delete_secret()
    for instance in list(cluster._members):
        backend.databases.pop(instance.db_instance_identifier, None)
    cluster_snapshots.drop_automated(cluster)
    with contextlib.suppress(KeyError):  # its stack may have been told twice
        del backend.clusters[cluster.db_cluster_identifier]
