"""Databases that have done at once whatever is asked of them, without any server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infra.lab import world
from infra.lab.control_plane import ControlPlane


@contextmanager
def quick_databases(plane: ControlPlane) -> Iterator[None]:
    """Report for the physics until the end of the context."""
    plane.follow_databases()
    over = threading.Event()

    def report() -> None:
        while not over.wait(0.01):
            _report(plane, plane.snapshot())

    thread = threading.Thread(target=report, name="quick databases")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _report(plane: ControlPlane, now: world.Snapshot) -> None:
    for snapshot in now.cluster_snapshots:
        if snapshot.status in {"creating", "copying"}:
            plane.report_snapshot(world.SnapshotReport(snapshot.resource, 100))
    for cluster in now.clusters:
        stopped = cluster.status in {"stopping", "stopped"} or not cluster.instances
        state = "gone" if cluster.status == "deleting" else "down" if stopped else "up"
        served = () if stopped else cluster.instances
        plane.report_database(
            world.DatabaseReport(
                cluster.region, cluster.id, cluster.resource, state, served, cluster.revision
            )
        )
    for task in now.database_tasks:
        plane.report_task(task.id, "promoted")
        plane.report_task(task.id, "done")
