import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drill.errors import DrillError
from infra.lab import postgres, world
from infra.lab.profile import FAST
from tests.infra.lab.databaselab import (
    CLUSTER,
    NO_SUCH_TABLE,
    WRONG_PASSWORD,
    query,
    refusal,
    running,
    server_pid,
)
from tests.infra.lab.processes import alive, until


@pytest.fixture(params=["machine", "wheel"])
def software(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use the machine's PostgreSQL, then the wheel's; skip what is not there."""
    if request.param == "machine":
        if not list(postgres._of_machine()):
            pytest.skip("this machine has no PostgreSQL of its own")
    else:
        monkeypatch.setattr(postgres, "_of_machine", lambda: ())
    return str(request.param)


def test_a_cluster_becomes_a_server_that_takes_the_master_password(software: str, tmp_path: Path) -> None:
    """A cluster with an instance accepts its master user, and only with the password in force."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            began = time.monotonic()
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            assert lab.databases.socket_path(CLUSTER.region, CLUSTER.id) is None
            socket = await lab.up(CLUSTER)
            assert time.monotonic() - began >= FAST.database_create_s
            assert query(socket, "SELECT current_user, current_database()") == [["keeper", "shop"]]
            assert refusal(socket, "SELECT 1", password="wrong") == WRONG_PASSWORD
            await until(lambda: len(lab.control.reports) > 1)
            assert lab.control.followed
            assert lab.control.states == ["laid", "up"]
            assert lab.control.reports[1].instances == CLUSTER.instances
            assert lab.events() == ["database_up"]
            assert alive(server_pid(socket))

    asyncio.run(scenario())


def test_a_server_uses_processor_time_only_when_it_works(tmp_path: Path) -> None:
    """A query that reckons for a while shows in its cluster's processor time; a deleted cluster has none."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            own = (CLUSTER.region, CLUSTER.id)
            before_s = lab.databases.processor_s(*own)
            await asyncio.to_thread(query, socket, "SELECT sum(sqrt(n)) FROM generate_series(1, 3000000) n")
            assert lab.databases.processor_s(*own) - before_s > 0.1
            lab.databases.reconcile(world.Snapshot())
            assert lab.databases.processor_s(*own) == 0

    asyncio.run(scenario())


def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    """A server killed with SIGKILL is started again and still holds every committed row."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            assert query(socket, "SHOW fsync") == [["on"]]
            assert query(socket, "SHOW synchronous_commit") == [["on"]]
            query(socket, "CREATE TABLE kept AS SELECT 7 AS n")
            os.kill(server_pid(socket), signal.SIGKILL)
            await until(lambda: lab.events() == ["database_up", "database_down", "database_up"])
            assert query(await lab.up(CLUSTER), "SELECT n FROM kept") == [[7]]

    asyncio.run(scenario())


def test_a_changed_password_is_in_force(tmp_path: Path) -> None:
    """A new master password works on the running server and the old one no longer does."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            changed = dataclasses.replace(CLUSTER, password='it\'s "new"')
            lab.databases.reconcile(world.Snapshot(clusters=(changed,)))
            await until(lambda: refusal(socket, "SELECT 1", password=changed.password) == "")
            assert refusal(socket, "SELECT 1") == WRONG_PASSWORD

    asyncio.run(scenario())


def test_a_cluster_without_instances_keeps_its_rows(tmp_path: Path) -> None:
    """Without an instance there is no server; with one again there are the rows from before."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            empty = dataclasses.replace(CLUSTER, instances=())
            lab.databases.reconcile(world.Snapshot(clusters=(empty,)))
            await asyncio.sleep(0.05)
            assert lab.databases.socket_path(CLUSTER.region, CLUSTER.id) is None
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            query(socket, "CREATE TABLE kept AS SELECT 7 AS n")
            pid = server_pid(socket)
            lab.databases.reconcile(world.Snapshot(clusters=(empty,)))
            await until(lambda: lab.events()[-1] == "database_down")
            assert not alive(pid)
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            assert query(await lab.up(CLUSTER), "SELECT n FROM kept") == [[7]]

    asyncio.run(scenario())


def test_clusters_do_not_know_one_another(tmp_path: Path) -> None:
    """Two regions have a server each; a deleted cluster takes its server and its folder along."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            other = dataclasses.replace(CLUSTER, region="eu-west-1", resource="cluster-TWO")
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER, other)))
            first, second = await lab.up(CLUSTER), await lab.up(other)
            query(first, "CREATE TABLE here AS SELECT 1")
            assert refusal(second, "SELECT * FROM here") == NO_SUCH_TABLE
            pid = server_pid(first)
            lab.databases.reconcile(world.Snapshot(clusters=(other,)))
            await until(lambda: not first.parent.exists())
            assert not alive(pid)
            assert query(second, "SELECT 1") == [[1]]

    asyncio.run(scenario())


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    """After closing no process of a database runs and no folder of one is left."""

    async def scenario() -> tuple[Path, int]:
        async with running(tmp_path) as lab:
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            return socket, server_pid(socket)

    socket, pid = asyncio.run(scenario())
    assert not alive(pid)
    assert not socket.parent.parent.exists()
    assert not (tmp_path / "postgres").is_symlink()


def test_closing_while_a_snapshot_is_taken_leaves_nothing(tmp_path: Path) -> None:
    """A base backup that is under way ends with the databases, and its files go too."""

    async def scenario() -> Path:
        async with running(tmp_path) as lab:
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            socket = await lab.up(CLUSTER)
            query(socket, "CREATE TABLE much AS SELECT generate_series(1, 300000) AS n")
            taken = world.ClusterSnapshot("s", CLUSTER.region, "snapshot-1", "creating", CLUSTER.resource)
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,), cluster_snapshots=(taken,)))
            home = socket.parent.parent
            await until(lambda: any((home / "snapshots").iterdir()))
            return home

    home = asyncio.run(scenario())
    assert not home.exists()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(home) in arguments(path)]


def arguments(path: Path) -> str:
    """Return how a process was started; nothing if it has ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


DAEMON = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from infra.lab import world
from tests.infra.lab.databaselab import CLUSTER, Lab, server_pid

async def main():
    lab = Lab(Path({state!r}))
    await lab.databases.start()
    lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
    print(server_pid(await lab.up(CLUSTER)), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_daemon_leaves_no_server(tmp_path: Path) -> None:
    """SIGKILL of the daemon ends its servers, and the next daemon removes the folder left behind."""
    code = DAEMON.format(root=str(Path(__file__).parents[3]), state=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        pid = int(daemon.stdout.readline())
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        left = (tmp_path / "postgres").resolve()
        daemon.kill()
    assert children
    deadline = time.monotonic() + 20
    while any(alive(child) for child in (pid, *children)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert left.exists()

    async def next_daemon() -> None:
        async with running(tmp_path):
            assert not left.exists() or left == tmp_path / "postgres"

    asyncio.run(next_daemon())


def test_a_server_that_can_not_start_is_reported(tmp_path: Path) -> None:
    """A cluster whose server can't start is shown as failed and is tried again."""

    async def scenario() -> None:
        async with running(tmp_path) as lab:
            template = (tmp_path / "postgres").resolve() / "template"
            settings = (template / "postgresql.conf").read_text()
            (template / "postgresql.conf").write_text(settings + "max_connections = none\n")
            lab.databases.reconcile(world.Snapshot(clusters=(CLUSTER,)))
            await until(lambda: "failed" in lab.control.states)
            folder = next(path for path in template.parent.iterdir() if path.name.isdecimal())
            (folder / "data" / "postgresql.conf").write_text(settings)
            assert query(await lab.up(CLUSTER), "SELECT 1") == [[1]]

    asyncio.run(scenario())


def test_without_software_the_lab_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chosen folder without PostgreSQL is an error with the next command, and leaves nothing."""
    monkeypatch.setenv(postgres.CHOICE, str(tmp_path))

    async def scenario() -> None:
        async with running(tmp_path):
            pytest.fail("it started")

    with pytest.raises(DrillError, match=r"^PostgreSQL in .* can't start: .*; choose another folder"):
        asyncio.run(scenario())
    assert not (tmp_path / "postgres").exists()
