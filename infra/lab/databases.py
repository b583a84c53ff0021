"""Databases: every Aurora cluster that has an instance is a PostgreSQL server that really runs.

A cluster is ``creating`` until its server accepts connections; one that crashes is started
again, as Aurora does with a writer that has no reader to take over; one without instances,
or stopped, keeps its data and has no server; one that is deleted leaves nothing.
"""

import asyncio
import itertools
from pathlib import Path

import structlog

from infra.lab import world
from infra.lab.database import Database, Ground, runs
from infra.lab.postgres import find
from infra.lab.postgres_home import make_home
from infra.lab.profile import Profile
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
        self._serial = itertools.count(1)
        self._databases: dict[tuple[str, str], Database] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Find PostgreSQL and make the pristine database that all clusters begin as.

        Raises:
            DrillError: There is no PostgreSQL, or it can't make a database.

        """
        self._ground = await asyncio.to_thread(_prepare, self._state_dir, self._owner)

    @property
    def version(self) -> str:
        """The version of PostgreSQL in use; empty before :meth:`start`."""
        return "" if self._ground is None else self._ground.software.version

    def reconcile(self, snapshot: world.Snapshot) -> None:
        """Make the servers follow the clusters; returns at once, in the loop's thread."""
        if self._ground is None:
            return
        wanted = {(cluster.region, cluster.id): cluster for cluster in snapshot.clusters}
        for key in self._databases.keys() - wanted.keys():
            self._databases.pop(key).follow(None)
        for key, cluster in wanted.items():
            if key in self._databases:
                self._databases[key].follow(cluster)
            elif runs(cluster):
                self._begin(key, cluster, self._ground)

    async def close(self) -> None:
        """Stop every server and delete all data."""
        for database in self._databases.values():
            database.follow(None)
        self._databases.clear()
        await asyncio.gather(*self._tasks)
        if self._ground is not None:
            await asyncio.to_thread(self._ground.home.remove)

    def socket_path(self, region: str, cluster_id: str) -> Path | None:
        """Return the unix socket of a cluster's server; None while it accepts no connections."""
        database = self._databases.get((region, cluster_id))
        return None if database is None else database.socket

    def _begin(self, key: tuple[str, str], cluster: world.Cluster, ground: Ground) -> None:
        database = Database(cluster, ground, self._report)
        self._databases[key] = database
        task = asyncio.create_task(database.live(next(self._serial), self._profile.database_create_s))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a database was given up", exc_info=problem)

    async def _report(self, cluster: world.Cluster, state: str) -> None:
        if state != "failed":
            self._truth.log(f"database_{state}", region=cluster.region, cluster=cluster.id)
        status = {"up": "available", "failed": "failed"}.get(state)
        if status is not None and (cluster.region, cluster.id) in self._databases:
            await asyncio.to_thread(self._control.set_cluster_status, cluster.region, cluster.id, status)


def _prepare(state_dir: Path, owner: Owner | None) -> Ground:
    home = make_home(state_dir, owner)
    try:
        software = find(owner, home.folder / "software")
        home.initialise(software)
    except BaseException:
        home.remove()
        raise
    return Ground(home, software, state_dir)
