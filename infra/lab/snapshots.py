"""Snapshots of clusters: packed base backups that outlive their cluster; copies hold all of them again.

A snapshot is taken of the running server, or of the files of one that does not run. What
somebody still reads is deleted when they have done.
"""

import asyncio
import itertools
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from drill.errors import DrillError
from infra.lab import base_backup, database_moves, world
from infra.lab.database import Database, Ground
from infra.lab.truth import TruthLog

# "You can have up to five snapshot copy requests in progress to a single destination Region", see
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-copy-snapshot.html
COPIES_AT_ONCE = 5
_POLL_S = 0.05
_CLOSE_S = 10.0

log = structlog.get_logger()

Report = Callable[[world.SnapshotReport], Awaitable[None]]


@dataclass(slots=True)
class Shelf:
    """One snapshot's folder.

    Attributes:
        folder: Where it is.
        readers: How many read it now, or will.
        doomed: Whether it goes when nobody reads it.

    """

    folder: Path
    readers: int = 0
    doomed: bool = False


class Snapshots:
    """Makes a packed copy for every snapshot of the control plane, and keeps it as long as that."""

    def __init__(self, ground: Ground, truth: TruthLog, report: Report) -> None:
        """Take where to keep them, the truth log, and the coroutine that hears how far each is."""
        self._ground = ground
        self._truth = truth
        self._report = report
        self._folder = ground.home.room("snapshots")
        self._serial = itertools.count(1)
        self._shelves: dict[str, Shelf] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._copying: dict[str, asyncio.Semaphore] = {}

    def reconcile(
        self, snapshots: tuple[world.ClusterSnapshot, ...], databases: Mapping[str, Database]
    ) -> None:
        """Begin those that are new and delete those that are gone; ``databases`` by resource."""
        wanted = {snapshot.resource: snapshot for snapshot in snapshots}
        for resource, snapshot in wanted.items():
            if resource not in self._shelves:
                self._begin(snapshot, databases.get(snapshot.cluster))
        for resource in self._shelves.keys() - wanted.keys():
            shelf = self._shelves.pop(resource)
            self._tasks.pop(resource).cancel()
            shelf.doomed = True
            self._clear(shelf)

    async def close(self) -> None:
        """Stop making snapshots; what writes files is given time to end, since the home goes next."""
        under_way = [task for task in self._tasks.values() if not task.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=_CLOSE_S)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def hold(self, resource: str) -> Shelf | None:
        """Keep a snapshot's folder until :meth:`release`; None if there is no such snapshot."""
        shelf = self._shelves.get(resource)
        if shelf is not None:
            shelf.readers += 1
        return shelf

    def release(self, shelf: Shelf) -> None:
        """Let a folder go that was held."""
        shelf.readers -= 1
        self._clear(shelf)

    def _clear(self, shelf: Shelf) -> None:
        if shelf.doomed and not shelf.readers:
            shutil.rmtree(shelf.folder, ignore_errors=True)  # the home goes later anyhow

    def _begin(self, snapshot: world.ClusterSnapshot, database: Database | None) -> None:
        shelf = Shelf(self._folder / str(next(self._serial)))
        source = self.hold(snapshot.source)
        self._shelves[snapshot.resource] = shelf
        self._tasks[snapshot.resource] = asyncio.create_task(self._make(snapshot, shelf, database, source))

    async def _make(
        self,
        snapshot: world.ClusterSnapshot,
        shelf: Shelf,
        database: Database | None,
        source: Shelf | None,
    ) -> None:
        shelf.readers += 1
        try:
            self._ground.home.room(f"snapshots/{shelf.folder.name}")
            if source is not None:
                taken_at = await self._copy(snapshot, source, shelf)
            else:
                taken_at = await self._take(snapshot, shelf, database)
            await self._report(world.SnapshotReport(snapshot.resource, 100, taken_at))
        except DrillError as problem:
            log.error("a snapshot failed", snapshot=snapshot.id, problem=str(problem))  # noqa: TRY400
            await self._report(world.SnapshotReport(snapshot.resource, 0, problem=str(problem)))
        finally:
            self.release(shelf)
            if source is not None:
                self.release(source)

    async def _take(self, snapshot: world.ClusterSnapshot, shelf: Shelf, database: Database | None) -> float:
        if database is None:
            msg = f"there is nothing to make the snapshot {snapshot.id} of; look at: drill lab status"
            raise DrillError(msg)

        def of(percent: int) -> world.SnapshotReport:
            return world.SnapshotReport(snapshot.resource, percent)

        began = time.time()
        progress = self._telling(of)
        taken_at = await database_moves.back_up(database, shelf.folder, progress)
        instant = began if taken_at is None else taken_at
        ago_ns = round((time.time() - instant) * 1e9)
        self._truth.log(
            "snapshot_taken",
            time.monotonic_ns() - ago_ns,
            region=snapshot.region,
            snapshot=snapshot.id,
            cluster=database.cluster.id,
        )
        return instant

    async def _copy(self, snapshot: world.ClusterSnapshot, source: Shelf, shelf: Shelf) -> float:
        began = time.time()
        turn = self._copying.setdefault(snapshot.region, asyncio.Semaphore(COPIES_AT_ONCE))
        async with turn:
            home = self._ground.home
            files = list(source.folder.iterdir())
            total = sum(path.stat().st_size for path in files)
            progress = self._telling(lambda percent: world.SnapshotReport(snapshot.resource, percent))
            command = ("cp", *map(str, files), str(shelf.folder))
            copying = asyncio.ensure_future(asyncio.to_thread(home.do, *command))
            while not copying.done():
                await asyncio.wait({copying}, timeout=_POLL_S)
                done = sum(path.stat().st_size for path in shelf.folder.iterdir())
                await progress(min(99, 100 * done // max(1, total)))
            await copying
        self._truth.log("snapshot_copied", region=snapshot.region, snapshot=snapshot.id)
        return began

    def _telling(self, of: Callable[[int], world.SnapshotReport]) -> base_backup.Progress:
        told = 0

        async def progress(percent: int) -> None:
            nonlocal told
            if percent > told:
                told = percent
                await self._report(of(percent))

        return progress
