"""One cluster's database from its creation to its deletion."""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from pg8000.native import identifier, literal

from drill.errors import DrillError
from infra.lab import world
from infra.lab.postgres import Server, Software
from infra.lab.postgres_home import ADMIN, Home

RESTART_S = 0.1
RESTART_MAX_S = 5.0

log = structlog.get_logger()

Report = Callable[[world.Cluster, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all databases of a lab stand on."""

    home: Home
    software: Software
    logs: Path


class Database:
    """A server that follows its cluster.

    Attributes:
        socket: Where it accepts connections; None while it does not.

    """

    def __init__(self, cluster: world.Cluster, ground: Ground, report: Report) -> None:
        """Take the cluster as it is now, and the coroutine that hears ``up``, ``down`` and ``failed``."""
        self.socket: Path | None = None
        self._first = cluster
        self._wanted: world.Cluster | None = cluster
        self._ground = ground
        self._report = report
        self._changed = asyncio.Event()
        self._password = ""

    def follow(self, cluster: world.Cluster | None) -> None:
        """Take note of what the cluster is now; None when it was deleted."""
        self._wanted = cluster
        self._changed.set()

    async def live(self, serial: int, create_s: float) -> None:
        """Create the database, keep it running, and delete it in the end.

        Args:
            serial: A number that no other database of the lab has.
            create_s: The least time that the creation takes, in seconds.

        """
        loop = asyncio.get_running_loop()
        ready_at = loop.time() + create_s
        folder = await asyncio.to_thread(self._ground.home.furnish, serial)
        name = f"database-{self._first.region}-{self._first.id}.log"
        server = Server(self._ground.software, folder, self._ground.logs / name, self._ground.home.owner)
        pause_s = RESTART_S
        try:
            while self._wanted is not None:
                if not runs(self._wanted):
                    await self._change(None)
                elif await self._begin(server):
                    await asyncio.sleep(ready_at - loop.time())
                    await self._serve(server)
                    pause_s = RESTART_S
                else:
                    await self._change(pause_s)
                    pause_s = min(2 * pause_s, RESTART_MAX_S)
        finally:
            await server.stop()
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)  # the home goes later anyhow

    async def _begin(self, server: Server) -> bool:
        try:
            await server.start()
            if not self._password:
                await asyncio.to_thread(server.run, _first_statements(self._first), *self._admin())
                self._password = self._first.password
        except DrillError as problem:
            log.error("a database can't run", cluster=self._first.id, problem=str(problem))  # noqa: TRY400
            await server.stop()
            await self._report(self._first, "failed")
            return False
        return True

    async def _serve(self, server: Server) -> None:
        self.socket = server.socket
        await self._report(self._first, "up")
        ended = asyncio.create_task(server.ended())
        while self._wanted is not None and runs(self._wanted) and not ended.done():
            await self._keep_password(server, self._wanted)
            await self._change(None, ended)
        self.socket = None
        if ended.done():
            log.warning("a database died and is started again", cluster=self._first.id, code=ended.result())
            await asyncio.sleep(RESTART_S)
        await server.stop()
        await ended
        await self._report(self._first, "down")

    async def _keep_password(self, server: Server, cluster: world.Cluster) -> None:
        if cluster.password == self._password:
            return
        statement = f"ALTER ROLE {identifier(cluster.username)} PASSWORD {literal(cluster.password)}"
        try:
            await asyncio.to_thread(server.run, (statement,), *self._admin())
            self._password = cluster.password
        except DrillError as problem:  # the server may be dying; every later change tries again
            log.warning("a database's password was not changed", cluster=cluster.id, problem=str(problem))

    async def _change(self, patience_s: float | None, other: "asyncio.Task[int] | None" = None) -> None:
        """Wait for the next call of :meth:`follow`, for ``other``, or for ``patience_s``."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait(
                {changed} if other is None else {changed, other},
                timeout=patience_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            changed.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # cancelled just above
                await changed
        self._changed.clear()

    def _admin(self) -> tuple[str, str]:
        return ADMIN, self._ground.home.admin_password


def runs(cluster: world.Cluster) -> bool:
    """Say whether a cluster has a server: it has an instance and was not stopped."""
    return bool(cluster.instances) and cluster.status not in {"stopping", "stopped"}


def _first_statements(cluster: world.Cluster) -> Sequence[str]:
    master = identifier(cluster.username)
    statements = [
        f"CREATE ROLE {master} LOGIN CREATEDB CREATEROLE PASSWORD {literal(cluster.password)}",
        f"GRANT pg_monitor TO {master}",
    ]
    if cluster.database not in {"", "postgres"}:
        statements.append(f"CREATE DATABASE {identifier(cluster.database)} OWNER {master}")
    return statements
