"""One cluster's database from its creation to its deletion.

A database has one task of its own, :meth:`Database.live`, which alone starts and stops its
server. What others want of it they give as an order, which is obeyed between two steps.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pg8000.native
import structlog

from drill.errors import DrillError
from infra.lab import master_user, world
from infra.lab.postgres import Server, Software
from infra.lab.postgres_home import ADMIN, Home

RESTART_S = 0.1
RESTART_MAX_S = 5.0

log = structlog.get_logger()

Report = Callable[[world.DatabaseReport], Awaitable[None]]
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Ground:
    """What all databases of a lab stand on."""

    home: Home
    software: Software
    logs: Path


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a database begins.

    Attributes:
        serial: A number that no other database of the lab has.
        create_s: The least time that an instance's creation takes, in seconds.
        lay: Puts its files into the folder that it is given, which is not there yet.
        fresh: Whether these are pristine, so that its master user is still to be made.
        follows: Whether it follows another database.
        first_run: Called with its server when that runs for the first time, before anybody can reach it.

    """

    serial: int
    create_s: float
    lay: Callable[[Path], Awaitable[None]]
    fresh: bool = True
    follows: bool = False
    first_run: Callable[[Server], Awaitable[None]] | None = None


class Database:
    """A server that follows its cluster.

    Attributes:
        cluster: The cluster as it is now, or as it was last.
        folder: The folder of its server's socket, whoever may connect there.
        files: The folder of its files.
        server: Its server, which nobody else starts or stops.
        socket: Where it accepts clients' connections; None while it does not.
        follows: Whether it follows another database and takes no writes.
        halted: Whether its server must not run, whatever its cluster wants.

    """

    def __init__(self, cluster: world.Cluster, ground: Ground, report: Report, beginning: Beginning) -> None:
        """Take the cluster as it is now, and the coroutine that hears what becomes of it."""
        self.cluster = cluster
        self.ground = ground
        self.folder = ground.home.folder / str(beginning.serial)
        self.files = self.folder / "data"
        self.socket: Path | None = None
        self.follows = beginning.follows
        self.halted = False
        self._report = report
        self._beginning = beginning
        name = f"database-{cluster.region}-{cluster.id}.log"
        self.server = Server(ground.software, self.folder, ground.logs / name, ground.home.owner)
        self._wanted = True
        self._over = False
        self._changed = asyncio.Event()
        self._orders: list[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = []
        self._ended: asyncio.Task[int] | None = None
        self._stopping = False
        self._fresh = beginning.fresh
        self._first_run = beginning.first_run
        self._password = "" if beginning.fresh else cluster.password
        self._seen: dict[str, float] = {}
        self._told: world.DatabaseReport | None = None
        self._pause_s = RESTART_S
        self._again_at = 0.0

    @property
    def running(self) -> bool:
        """Whether its server runs, and is not being stopped."""
        return self._ended is not None and not self._ended.done() and not self._stopping

    def follow(self, cluster: world.Cluster | None) -> None:
        """Take note of what the cluster is now; None when it was deleted."""
        if cluster == self.cluster and self._wanted:
            return
        self._wanted = cluster is not None
        if cluster is not None and cluster.leaving:
            # One that came and went before anything was told of it is told of all the same.
            self._told = None
        self.cluster = cluster or self.cluster
        self._changed.set()

    async def live(self) -> None:
        """Create the database, keep it running, and delete it in the end."""
        try:
            laid = await self._begin()
            while self._wanted:
                await self._obey()
                patience_s = await self._settle(self.cluster) if laid else None
                if not self._orders:
                    await self._change(patience_s)
        finally:
            self._over = True
            for _, heard in self._orders:
                _answer(heard, self._gone())
            await self.stop()
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)  # the home goes later
            await self._tell("gone")

    async def order(self, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Have something done between two steps of its life, and return what comes of it.

        Raises:
            DrillError: It could not be done, or the database is gone.

        """
        if self._over:
            raise self._gone()
        heard: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._orders.append((act, heard))
        self._changed.set()
        return await heard

    async def stop(self, first: signal.Signals = signal.SIGINT) -> None:
        """Stop the server; in an order only. It is started again unless it is halted.

        Args:
            first: ``SIGINT``: in order; ``SIGQUIT``: as in a crash.

        """
        if self._ended is None:
            return
        self.socket, self._stopping = None, True
        await self.server.stop(first)
        await self._ended
        self._ended, self._stopping = None, False
        await self._tell("down")

    async def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Return the rows of one query to its server.

        Raises:
            DrillError: The server refused it or went away.

        """
        return await asyncio.to_thread(self.server.ask, question, *self._admin())

    def connected(self) -> "contextlib.AbstractContextManager[pg8000.native.Connection]":
        """Give a connection to its server, to be used in a thread (blocking).

        Raises:
            DrillError: The server refused something or went away.

        """
        return self.server.connected(*self._admin())

    def take_writes(self) -> None:
        """Note that it follows nobody any more; its master password is set anew."""
        self.follows, self._password = False, ""

    def _gone(self) -> DrillError:
        return DrillError(f"the database of {self.cluster.id} is gone; look at: drill lab status")

    async def _begin(self) -> bool:
        await asyncio.to_thread(self.ground.home.room, self.folder.name)
        try:
            await self._beginning.lay(self.files)
        except DrillError as problem:
            log.error("a database has no data", cluster=self.cluster.id, problem=str(problem))  # noqa: TRY400
            await self._tell("failed")
            return False
        await self._tell("laid")
        return True

    async def _obey(self) -> None:
        while self._orders:
            act, heard = self._orders.pop(0)
            try:
                outcome = await act()
            except DrillError as problem:
                _answer(heard, problem)
            except BaseException:
                _answer(heard, self._gone())
                raise
            else:
                if not heard.done():
                    heard.set_result(outcome)

    async def _settle(self, wanted: world.Cluster) -> float | None:
        """Make the server what the cluster wants; returns how long to wait for the next change."""
        if self._ended is not None and self._ended.done():
            await self._mourn(self._ended.result())
        if not self._runs(wanted):
            await self.stop()
            await self._tell("down", (), wanted.revision)
            return None
        now = asyncio.get_running_loop().time()
        if self._ended is None and now < self._again_at:
            return self._again_at - now
        if self._ended is None and not await self._start():
            self._again_at = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, RESTART_MAX_S)
            return 0.0
        self._pause_s = RESTART_S
        return await self._serve(wanted)

    def _runs(self, wanted: world.Cluster) -> bool:
        stopped = wanted.status in {"stopping", "stopped", "deleting"}
        return (bool(wanted.instances) or self.follows) and not stopped and not self.halted

    async def _start(self) -> bool:
        try:
            await self.server.start()
            if self._fresh:
                await asyncio.to_thread(
                    self.server.run, master_user.first_statements(self.cluster), *self._admin()
                )
                self._fresh, self._password = False, self.cluster.password
            if self._first_run is not None:
                await self._first_run(self.server)
                self._first_run = None
        except DrillError as problem:
            log.error("a database can't run", cluster=self.cluster.id, problem=str(problem))  # noqa: TRY400
            await self.server.stop()
            await self._tell("failed")
            return False
        self._ended = asyncio.create_task(self.server.ended())
        self._ended.add_done_callback(lambda _: self._changed.set())
        return True

    async def _serve(self, wanted: world.Cluster) -> float | None:
        now = asyncio.get_running_loop().time()
        self._seen = {name: self._seen.get(name, now) for name in wanted.instances}
        ripe_at = {name: seen + self._beginning.create_s for name, seen in self._seen.items()}
        served = tuple(name for name in wanted.instances if ripe_at[name] <= now)
        if not self.follows and wanted.password != self._password:
            await self._set_password(wanted)
        self.socket = self.server.socket if served else None
        if served or not wanted.instances:
            in_force = self.follows or wanted.password == self._password
            await self._tell("up", served, wanted.revision if in_force else 0)
        waiting = [at - now for at in ripe_at.values() if at > now]
        return min(waiting) if waiting else None

    async def _mourn(self, code: int) -> None:
        log.warning("a database died and is started again", cluster=self.cluster.id, code=code)
        self.socket, self._ended = None, None
        await self._tell("down")
        await asyncio.sleep(RESTART_S)

    async def _set_password(self, cluster: world.Cluster) -> None:
        try:
            statements = master_user.new_password(cluster)
            await asyncio.to_thread(self.server.run, statements, *self._admin())
            self._password = cluster.password
        except DrillError as problem:  # the server may be dying; every later change tries again
            log.warning("a database's password was not changed", cluster=cluster.id, problem=str(problem))

    async def _tell(self, state: str, instances: tuple[str, ...] = (), revision: int = 0) -> None:
        cluster = self.cluster
        report = world.DatabaseReport(
            cluster.region, cluster.id, cluster.resource, state, instances, revision
        )
        if report != self._told:
            self._told = report
            await self._report(report)

    async def _change(self, patience_s: float | None) -> None:
        """Wait for the next call of :meth:`follow`, an order, the server's end, or for ``patience_s``."""
        with contextlib.suppress(TimeoutError):  # it is time to look all the same
            await asyncio.wait_for(self._changed.wait(), patience_s)
        self._changed.clear()

    def _admin(self) -> tuple[str, str]:
        return ADMIN, self.ground.home.admin_password


def _answer(heard: "asyncio.Future[Any]", problem: DrillError) -> None:
    if not heard.done():  # whoever asked may have given up
        heard.set_exception(problem)
