"""Databases: every Aurora cluster that has an instance is a PostgreSQL server that really runs.

A cluster is ``creating`` until its files are there, and its instances until the server
accepts connections; a server that crashes is started again, as Aurora does with a writer that
has no reader to take over; one without instances, or stopped, keeps its files and has no
server; one that is deleted leaves nothing but its snapshots. A cluster of a global database
that follows another one is a standby which streams from it.
"""

import asyncio
import itertools
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from drill.errors import DrillError
from infra.lab import base_backup, database_moves, held_rows, world
from infra.lab.database import Beginning, Database, Ground
from infra.lab.database_tasks import DatabaseTasks
from infra.lab.postgres import Server, find
from infra.lab.postgres_home import ADMIN, Home, make_home
from infra.lab.profile import Profile
from infra.lab.replication_lag import ReplicationLag
from infra.lab.snapshots import Snapshots
from infra.lab.spawn import Owner, unprivileged
from infra.lab.truth import TruthLog

log = structlog.get_logger()


class Databases:
    """Runs a server for every cluster of the control plane."""

    def __init__(
        self, control: world.ControlPlane, profile: Profile, truth: TruthLog, state_dir: Path
    ) -> None:
        """Take what to follow, the time scale, the truth log and the folder for logs and data."""
        self._control = control
        self._profile = profile
        self._truth = truth
        self._state_dir = state_dir
        self._owner = unprivileged()
        self._ground: Ground | None = None
        self._snapshots: Snapshots | None = None
        self._serial = itertools.count(1)
        self._databases: dict[str, Database] = {}
        self._by_name: dict[tuple[str, str], Database] = {}
        self._up: set[str] = set()
        self._ending: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._tasks = DatabaseTasks(control, truth)
        self._lag = ReplicationLag(control, truth, profile.clock_scale)

    async def start(self) -> None:
        """Find PostgreSQL and make the pristine database that all clusters begin as.

        Raises:
            DrillError: There is no PostgreSQL, or it can't make a database.

        """
        self._ground = await asyncio.to_thread(_prepare, self._state_dir, self._owner)
        self._snapshots = Snapshots(self._ground, self._truth, self._report_snapshot)
        self._control.follow_databases()
        self._lag.start(self._databases)

    @property
    def version(self) -> str:
        """The version of PostgreSQL in use; empty before :meth:`start`."""
        return "" if self._ground is None else self._ground.software.version

    def reconcile(self, snapshot: world.Snapshot) -> None:
        """Make the servers follow the clusters; returns at once, in the loop's thread."""
        if self._ground is None or self._snapshots is None:
            return
        # What a snapshot is still being taken of stays until that is done.
        kept = {one.cluster for one in snapshot.cluster_snapshots if one.status == "creating"}
        wanted = {
            cluster.resource: cluster
            for cluster in snapshot.clusters
            if cluster.status != "deleting" or cluster.resource in kept
        }
        known = wanted.keys() | self._databases.keys() | self._ending
        for cluster in snapshot.clusters:
            if cluster.resource not in known:
                # It was deleted before it had a database.
                gone = world.DatabaseReport(cluster.region, cluster.id, cluster.resource, "gone")
                self._spawn(self._report(gone))
        for resource in self._databases.keys() - wanted.keys():
            self._ending.add(resource)
            self._databases.pop(resource).follow(None)
        for resource, cluster in wanted.items():
            if resource in self._databases:
                self._databases[resource].follow(cluster)
            elif cluster.primary in self._databases or not cluster.primary:
                self._begin(cluster, self._ground, self._snapshots)
        self._by_name = {(one.cluster.region, one.cluster.id): one for one in self._databases.values()}
        self._snapshots.reconcile(snapshot.cluster_snapshots, self._databases)
        self._tasks.reconcile(snapshot.database_tasks, self._databases)

    async def close(self) -> None:
        """Stop every server and delete all data."""
        await self._lag.close()
        await self._tasks.close()
        if self._snapshots is not None:
            await self._snapshots.close()
        for database in self._databases.values():
            database.follow(None)
        self._databases.clear()
        await asyncio.gather(*self._running)
        if self._ground is not None:
            await asyncio.to_thread(self._ground.home.remove)

    def socket_path(self, region: str, cluster_id: str) -> Path | None:
        """Return the unix socket of a cluster's server; None while it accepts no connections."""
        database = self._by_name.get((region, cluster_id))
        return None if database is None else database.socket

    def processor_s(self, region: str, cluster_id: str) -> float:
        """Return the seconds of processor time that a cluster's server has used since it was started."""
        database = self._by_name.get((region, cluster_id))
        return 0.0 if database is None else database.server.processor_s

    def _begin(self, cluster: world.Cluster, ground: Ground, snapshots: Snapshots) -> None:
        database = Database(cluster, ground, self._report, self._beginning(cluster, ground, snapshots))
        self._databases[cluster.resource] = database
        self._spawn(database.live())

    def _beginning(self, cluster: world.Cluster, ground: Ground, snapshots: Snapshots) -> Beginning:
        serial, create_s = next(self._serial), self._profile.database_create_s
        leader, source = self._databases.get(cluster.primary), self._databases.get(cluster.origin)
        if leader is not None:

            async def follow(target: Path) -> None:
                await database_moves.lay_follower(leader, target)

            return Beginning(serial, create_s, follow, fresh=False, follows=True)
        if not cluster.origin:

            async def pristine(target: Path) -> None:
                await asyncio.to_thread(ground.home.furnish, target)

            return Beginning(serial, create_s, pristine)
        shelf = snapshots.hold(cluster.origin)

        async def restore(target: Path) -> None:
            if shelf is not None:
                try:
                    await asyncio.to_thread(base_backup.unpack, ground.home, shelf.folder, target)
                finally:
                    snapshots.release(shelf)
            elif source is not None:
                await database_moves.clone(source, target)
            else:
                msg = f"there is nothing to restore {cluster.id} from"
                raise DrillError(msg)
            self._truth.log("database_restored", region=cluster.region, cluster=cluster.id)

        first_run = partial(self._first_run, cluster, ground.home)
        return Beginning(serial, create_s, restore, fresh=False, first_run=first_run)

    async def _first_run(self, cluster: world.Cluster, home: Home, server: Server) -> None:
        """Log which rows a restored database holds."""

        def tell() -> None:
            for held in held_rows.read(server, ADMIN, home.admin_password):
                self._truth.log(
                    "rows_restored",
                    region=cluster.region,
                    cluster=cluster.id,
                    database=held.database,
                    table=held.table,
                    keys=held.keys,
                )

        await asyncio.to_thread(tell)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a database was given up", exc_info=problem)

    async def _report(self, report: world.DatabaseReport) -> None:
        was_up = report.resource in self._up
        if report.state == "gone":
            self._ending.discard(report.resource)
        if report.state == "up" and not was_up:
            self._up.add(report.resource)
            self._truth.log("database_up", region=report.region, cluster=report.cluster)
        elif report.state != "up" and was_up:
            self._up.discard(report.resource)
            self._truth.log("database_down", region=report.region, cluster=report.cluster)
        await asyncio.to_thread(self._control.report_database, report)

    async def _report_snapshot(self, report: world.SnapshotReport) -> None:
        await asyncio.to_thread(self._control.report_snapshot, report)


def _prepare(state_dir: Path, owner: Owner | None) -> Ground:
    home = make_home(state_dir, owner)
    try:
        software = find(owner, home.folder / "software")
        home.initialise(software)
    except BaseException:
        home.remove()
        raise
    return Ground(home, software, state_dir)
