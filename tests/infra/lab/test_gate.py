import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drill.errors import DrillError
from infra.lab.addresses import free_port
from infra.lab.gate import Connection, Gate, Passage, Serve
from tests.infra.lab.netlab import Lab, lab, run, until

Scene = Callable[[Gate, tuple[str, int]], Awaitable[None]]


async def _echo(connection: Connection) -> None:
    while content := await connection.read():
        await connection.write(content)


def _play(folder: Path, scene: Scene, serve: Serve = _echo) -> Lab:
    """Play a scene at a gate of its own."""
    with lab(folder) as made:
        address = made.addresses.inside("us-east-1", "10.1.10.10")
        at = (address, free_port([address]))

        async def played() -> None:
            gate = Gate(Passage("edge", "us-east-1", *at), serve, made.truth)
            gate.start()
            try:
                await scene(gate, at)
            finally:
                await gate.stop()

        run(played())
        return made


def _connects(at: tuple[str, int], within_s: float) -> bool:
    try:
        socket.create_connection(at, within_s).close()
    except TimeoutError:
        return False
    return True


async def _falls_silent(reader: asyncio.StreamReader) -> bool:
    """Tell whether no more comes; what was under way when a gate closed may still arrive."""
    for _ in range(20):
        try:
            await asyncio.wait_for(reader.read(100), 0.15)
        except TimeoutError:
            return True
    return False


def test_a_closed_gate_swallows_packets_and_an_opened_one_answers(tmp_path: Path) -> None:
    """A new connection really times out while the gate is closed, and comes at once when it is open."""

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        for _ in range(3):
            assert await asyncio.to_thread(_connects, at, 5)
            gate.close_path("because")
            assert not await asyncio.to_thread(_connects, at, 0.15)
            gate.open_path()
        assert await asyncio.to_thread(_connects, at, 5)

    made = _play(tmp_path, scene)
    assert [event["why"] for event in made.events("path_closed")] == ["because"] * 3
    assert len(made.events("path_opened")) == 3


def test_a_client_that_waits_gets_through_once_the_gate_opens(tmp_path: Path) -> None:
    """Dropped packets are sent again by the client's kernel, so a patient client connects after all."""

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        gate.close_path()
        patient = asyncio.create_task(asyncio.to_thread(_connects, at, 30))
        await asyncio.sleep(0.1)
        gate.open_path()
        assert await patient

    _play(tmp_path, scene)


def test_connections_that_exist_stall_and_resume(tmp_path: Path) -> None:
    """Bytes of both directions wait while the gate is closed, none is lost, and nothing is reset."""

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*at)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        gate.close_path()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.15)
        gate.open_path()
        assert await reader.readexactly(3) == b"two"
        writer.close()
        await writer.wait_closed()

    _play(tmp_path, scene)


def test_the_servers_own_bytes_stall_too(tmp_path: Path) -> None:
    """What the server sends on its own account does not pass a closed gate."""

    async def talks(connection: Connection) -> None:
        while True:
            await connection.write(b".")
            await asyncio.sleep(0.005)

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*at)
        await reader.readexactly(2)
        gate.close_path()
        assert await _falls_silent(reader)
        gate.open_path()
        await asyncio.wait_for(reader.readexactly(2), 10)
        writer.close()
        await writer.wait_closed()

    _play(tmp_path, scene, talks)


def test_an_end_of_stream_does_not_pass_a_closed_gate(tmp_path: Path) -> None:
    """The server learns only after the gate opened that its client left."""
    ended = threading.Event()

    async def notes(connection: Connection) -> None:
        while await connection.read():
            pass
        ended.set()

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        _, writer = await asyncio.open_connection(*at)
        writer.write(b"x")
        await asyncio.sleep(0.05)
        gate.close_path()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert not ended.is_set()
        gate.open_path()
        await until(ended.is_set)

    _play(tmp_path, scene, notes)


def test_the_servers_end_of_stream_stalls_too(tmp_path: Path) -> None:
    """A client sees the server's end of stream only after the gate opened."""
    leave = asyncio.Event()

    async def leaves(connection: Connection) -> None:
        await leave.wait()

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*at)
        await asyncio.sleep(0.05)
        gate.close_path()
        leave.set()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.15)
        gate.open_path()
        assert await reader.read(1) == b""
        writer.close()
        await writer.wait_closed()

    _play(tmp_path, scene, leaves)


def test_the_truth_log_tells_when_the_effect_was_real(tmp_path: Path) -> None:
    """No connection that was begun after ``path_closed`` and given up before ``path_opened`` came about."""
    tries: list[tuple[int, int, bool]] = []
    dark_ns: list[int] = []
    over = threading.Event()

    def try_on(at: tuple[str, int]) -> None:
        while not over.is_set():
            begun_ns = time.monotonic_ns()
            came = _connects(at, 0.03)
            tries.append((begun_ns, time.monotonic_ns(), came))

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        clients = [asyncio.create_task(asyncio.to_thread(try_on, at)) for _ in range(2)]
        for _ in range(3):
            await asyncio.sleep(0.05)
            gate.close_path()
            dark_ns.append(time.monotonic_ns())
            await until(lambda: any(begun >= dark_ns[-1] for begun, _, _ in tries))
            gate.open_path()
        over.set()
        await asyncio.gather(*clients)

    made = _play(tmp_path, scene)
    closed = [event["at_ns"] for event in made.events("path_closed")]
    opened = [event["at_ns"] for event in made.events("path_opened")]
    assert any(came for _, _, came in tries)
    for closed_ns, opened_ns in zip(closed, opened, strict=True):
        within = [came for begun, ended, came in tries if closed_ns <= begun and ended <= opened_ns]
        assert within
        assert not any(within)


def test_a_reset_is_seen_by_the_client(tmp_path: Path) -> None:
    """A connection that is reset fails at once, as at a machine whose server stopped."""

    async def resets(connection: Connection) -> None:
        connection.reset()

    async def scene(_: Gate, at: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*at)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()

    _play(tmp_path, scene, resets)


@pytest.mark.parametrize("dark", [False, True])
def test_a_stopped_gate_leaves_its_port_free(tmp_path: Path, dark: bool) -> None:
    """After stopping, open or closed and with a client connected, another may listen there."""

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        _, writer = await asyncio.open_connection(*at)
        await asyncio.sleep(0.02)
        if dark:
            gate.close_path()
        await gate.stop()
        again = Gate(gate.passage, _echo, gate._truth)
        again.start()
        await again.stop()
        writer.close()

    _play(tmp_path, scene)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """A gate on a port that another holds says which, and what to type."""

    async def scene(gate: Gate, at: tuple[str, int]) -> None:
        with pytest.raises(DrillError, match=rf"{at[0]}:{at[1]}.*ss -ltnp"):
            Gate(gate.passage, _echo, gate._truth).start()

    _play(tmp_path, scene)
