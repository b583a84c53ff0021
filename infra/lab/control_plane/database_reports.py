"""What the physics tell of databases and snapshots, and what the Describe calls then show."""

import time
from datetime import UTC, datetime

from moto.rds.models import DBCluster, rds_backends

from infra.lab import world
from infra.lab.control_plane import cluster_life
from infra.lab.control_plane.database_state import (
    BOOK,
    cluster_with,
    snapshot_state_of,
    snapshot_with,
    state_of,
)
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.wiring import WIRING

_SERVED = {"creating", "starting", "failed", "rebooting", "modifying"}
_CHANGING = {"modifying", "resetting-master-credentials", "renaming", "upgrading"}


def follow() -> None:
    """Have clusters wait for reports from now on."""
    with WIRING.databases:
        BOOK.follows = True


def set_status(region: str, cluster_id: str, status: str) -> None:
    """Show a status for a cluster and its instances; one that is gone is left alone."""
    with WIRING.databases:
        cluster = rds_backends[ACCOUNT][region].clusters.get(cluster_id)
        if cluster is None:
            return
        cluster.status = status
        for instance in cluster._members:
            instance.status = status


def heard(report: world.DatabaseReport) -> None:
    """Take note of what a cluster's database is; a report of a cluster that is gone is ignored."""
    with WIRING.databases:
        cluster = cluster_with(report.resource)
        if cluster is None:
            return
        if report.state == "gone":
            cluster_life.forget(cluster)
            return
        state = state_of(cluster)
        state.applied = max(state.applied, report.revision)
        _show_instances(cluster, report)
        _show_cluster(cluster, report)


def _show_instances(cluster: DBCluster, report: world.DatabaseReport) -> None:
    for instance in list(cluster._members):
        name = instance.db_instance_identifier
        served = name in report.instances
        if instance.status == "deleting" and not served:
            cluster.backend.databases.pop(name, None)
        elif instance.status == "stopping" and report.state == "down":
            instance.status = "stopped"
        elif report.state == "failed" and instance.status != "deleting":
            instance.status = "failed"
        elif report.state == "up" and served and instance.status in _SERVED:
            instance.status = "available"


def _show_cluster(cluster: DBCluster, report: world.DatabaseReport) -> None:
    state = state_of(cluster)
    if report.state == "failed":
        cluster._status = "failed"
    elif cluster._status == "creating":
        cluster._status = "available"
    elif cluster._status == "stopping" and report.state == "down":
        cluster._status = "stopped"
    elif (cluster._status in {"starting", "failed"} and (report.state == "up" or not cluster._members)) or (
        cluster._status in _CHANGING and state.applied >= state.revision
    ):
        cluster._status = "available"


def heard_of_snapshot(report: world.SnapshotReport) -> None:
    """Take note of how far a snapshot is; a report of one that is gone is ignored."""
    with WIRING.databases:
        snapshot = snapshot_with(report.resource)
        if snapshot is None:
            return
        state = snapshot_state_of(snapshot)
        snapshot.percent_progress = report.percent
        if report.taken_at is not None:
            snapshot.created = datetime.fromtimestamp(report.taken_at, UTC)
        if report.problem:
            snapshot.status = "failed"
            state.done(report.problem)
        elif report.percent == 100:
            snapshot.status = "available"
            state.done("")


def heard_of_task(task_id: str, state: str, problem: str) -> int:
    """Take note of a task of the databases; of one that nobody asked for any more nothing is noted.

    Returns:
        From when on the API shows it (monotonic, nanoseconds): no call is answered meanwhile.

    """
    with WIRING.databases:
        asked = BOOK.tasks.get(task_id)
        if asked is not None and state == "promoted":
            asked.promoted()
        elif asked is not None:
            del BOOK.tasks[task_id]
            asked.done(problem)
        return time.monotonic_ns()
