import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from infra.lab.addresses import free_port
from infra.lab.network import SERVICES, Network, cluster_address
from infra.lab.profile import FAST
from infra.lab.world import Snapshot
from tests.infra.lab.netlab import (
    DENY_ALL,
    EAST,
    WEST,
    Lab,
    balancer,
    cluster,
    function,
    lab,
    run,
    two_regions,
    until,
    with_acl,
)

PROFILE = replace(FAST, acl_s=0.02)


@dataclass
class Server:
    """Echoes on a unix socket (the database) and on a TCP port (the control plane)."""

    folder: Path
    address: str
    port: int = 0
    is_up: bool = True
    heard: bytes = b""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def socket_path(self, region: str, cluster_id: str) -> Path | None:
        """Return where the database listens."""
        return self.folder / f"{region}.{cluster_id}" if self.is_up else None

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send back what comes, and a farewell after its end; say no more after ``hush``."""
        with contextlib.suppress(ConnectionError):  # the other end may vanish at any time
            while content := await reader.read(65536):
                self.heard += content
                if content == b"hush":
                    writer.write_eof()
                elif self.heard[:4] != b"hush":
                    writer.write(content)
                    await writer.drain()
            self.ended.set()
            if self.heard[:4] != b"hush":
                writer.write(b" bye")
                await writer.drain()
        writer.transport.abort() if writer.is_closing() else writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """Serve both."""
        database = await asyncio.start_unix_server(self.echo, self.folder / f"{EAST}.orders")
        control = await asyncio.start_server(self.echo, self.address, 0)
        self.port = control.sockets[0].getsockname()[1]
        async with database, control:
            yield self


@dataclass
class Scene:
    """A running network between two regions, with one database in the east."""

    made: Lab
    network: Network
    server: Server
    snapshot: Snapshot

    def database(self, seen_from: str) -> tuple[str, int]:
        """Return where a region finds the database."""
        one = self.snapshot.clusters[0]
        address = cluster_address(self.made.addresses, self.snapshot, one, seen_from)
        assert address
        return address, one.port

    def endpoint(self, region: str, service: str = "") -> tuple[str, int]:
        """Return where a region finds AWS's API, or one of its services."""
        found = self.network.endpoints_for(region, inside=True)
        url = found[f"AWS_ENDPOINT_URL_{service}" if service else "AWS_ENDPOINT_URL"]
        host, _, port = url.removeprefix("http://").partition(":")
        return host, int(port)


def _play(folder: Path, scene: Callable[[Scene], Coroutine[Any, Any, None]]) -> Lab:
    async def played(made: Lab) -> None:
        async with Server(folder, made.addresses.control).running() as server:
            network = Network(
                made.addresses, PROFILE, made.truth, server, (made.addresses.control, server.port)
            )
            port = free_port([made.addresses.inside(EAST, "10.1.20.10")])
            snapshot = replace(
                two_regions(), clusters=(cluster(EAST, port),), functions=(function(EAST), function(WEST))
            )
            await network.start()
            try:
                network.reconcile(snapshot)
                await scene(Scene(made, network, server, snapshot))
            finally:
                await network.close()

    with lab(folder) as made:
        run(played(made))
        return made


async def _says(at: tuple[str, int], within_s: float = 5) -> bytes:
    """Say hello on a new connection and return what comes back before the end."""
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(*at)
        try:
            writer.write(b"hello")
            writer.write_eof()
            return await reader.read(-1)
        finally:
            writer.transport.abort()


async def _is_dark(at: tuple[str, int]) -> bool:
    try:
        await _says(at, 0.2)
    except TimeoutError:
        return True
    return False


def test_bytes_pass_from_both_vpcs_and_each_half_closes_by_itself(tmp_path: Path) -> None:
    """Databases and AWS's API answer in each VPC, after the client has ended its own direction."""

    async def scene(s: Scene) -> None:
        for at in (s.database(EAST), s.database(WEST), s.endpoint(EAST), s.endpoint(WEST)):
            assert await _says(at) == b"hello bye"

    _play(tmp_path, scene)


def test_a_database_that_ends_its_direction_still_listens(tmp_path: Path) -> None:
    """Its end of stream comes through at once, and what the client sends afterwards still arrives."""

    async def scene(s: Scene) -> None:
        reader, writer = await asyncio.open_connection(*s.database(EAST))
        writer.write(b"hush")
        assert await asyncio.wait_for(reader.read(1), 5) == b""
        writer.write(b" and listen")
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(s.server.ended.wait(), 5)
        assert s.server.heard == b"hush and listen"

    _play(tmp_path, scene)


def test_the_other_region_is_cut_with_the_peering_alone(tmp_path: Path) -> None:
    """Without the peering packets from the other VPC vanish, those from the same VPC still pass."""

    async def scene(s: Scene) -> None:
        s.network.reconcile(replace(s.snapshot, peerings=()))
        await until(lambda: bool(s.made.events("path_closed")))
        assert await _is_dark(s.database(WEST))
        assert await _says(s.database(EAST)) == b"hello bye"
        s.network.reconcile(s.snapshot)
        await until(lambda: bool(s.made.events("path_opened")))
        assert await _says(s.database(WEST)) == b"hello bye"

    made = _play(tmp_path, scene)
    assert [(e["path"], e["region"]) for e in made.events("path_closed")] == [("database", WEST)]


def test_a_dark_region_reaches_neither_store(tmp_path: Path) -> None:
    """Deny-all in the functions' subnets cuts database and AWS's API; the other region keeps its own."""

    async def scene(s: Scene) -> None:
        s.network.reconcile(with_acl(s.snapshot, f"app-a-{EAST}", DENY_ALL))
        await until(lambda: len(s.made.events("path_closed")) == 2 + 1 + len(SERVICES))
        assert await _is_dark(s.database(EAST))
        assert await _is_dark(s.database(WEST))
        assert await _is_dark(s.endpoint(EAST))
        assert await _says(s.endpoint(WEST)) == b"hello bye"

    _play(tmp_path, scene)


def test_a_connection_stalls_through_an_outage_and_resumes(tmp_path: Path) -> None:
    """An existing connection to the database carries nothing while its path is closed, then goes on."""

    async def scene(s: Scene) -> None:
        reader, writer = await asyncio.open_connection(*s.database(WEST))
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        s.network.reconcile(replace(s.snapshot, peerings=()))
        await until(lambda: bool(s.made.events("path_closed")))
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.15)
        s.network.reconcile(s.snapshot)
        assert await reader.readexactly(3) == b"two"
        writer.transport.abort()
        await s.server.ended.wait()

    _play(tmp_path, scene)


def test_a_change_takes_effect_as_late_as_the_profile_says(tmp_path: Path) -> None:
    """A path closes no earlier than ``acl_s`` after the snapshot that asks for it."""

    async def scene(s: Scene) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        s.network.reconcile(replace(s.snapshot, peerings=()))
        assert await _says(s.database(EAST)) == b"hello bye"
        await until(lambda: bool(s.made.events("path_closed")))
        assert loop.time() - asked >= PROFILE.acl_s

    _play(tmp_path, scene)


def test_a_database_that_does_not_run_resets(tmp_path: Path) -> None:
    """A stopped database fails a client at once; back again, it answers at the same address."""

    async def scene(s: Scene) -> None:
        s.server.is_up = False
        reader, writer = await asyncio.open_connection(*s.database(EAST))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        s.server.is_up = True
        assert await _says(s.database(EAST)) == b"hello bye"

    _play(tmp_path, scene)


def test_a_deleted_cluster_leaves_nothing_behind(tmp_path: Path) -> None:
    """With the cluster its listeners go: connecting is refused."""

    async def scene(s: Scene) -> None:
        s.network.reconcile(replace(s.snapshot, clusters=(), load_balancers=(balancer(EAST, 80),)))
        for region in (EAST, WEST):
            with pytest.raises(ConnectionRefusedError):
                await _says(s.database(region))

    _play(tmp_path, scene)


def test_much_passes_unharmed(tmp_path: Path) -> None:
    """A few megabytes come back as they were sent."""
    content = bytes(range(256)) * 16384

    async def scene(s: Scene) -> None:
        reader, writer = await asyncio.open_connection(*s.database(WEST))

        async def send() -> None:
            writer.write(content)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        assert await reader.read(-1) == content + b" bye"
        await sending
        writer.close()

    _play(tmp_path, scene)
