"""Physical copies of a database: taken while it runs, packed, read and unpacked.

A base backup holds what was committed when it ended; which instant that is, its own
write-ahead log says.
https://www.postgresql.org/docs/16/continuous-archiving.html
"""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from drill.errors import DrillError
from infra.lab import spawn
from infra.lab.postgres import ENVIRONMENT, PORT, Software
from infra.lab.postgres_home import ADMIN, REPLICATION, Home

PACKED, PACKED_LOG = "base.tar.gz", "pg_wal.tar.gz"
_POLL_S = 0.05
_STOP_S = 5.0
_PERCENT = re.compile(r"\((\d+)%\)")
_COMMIT = re.compile(r"COMMIT (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")
_CHECKPOINT = re.compile(r"^Latest checkpoint location: +(\S+)$", re.MULTILINE)
_FASTER = "gzip -1"

Progress = Callable[[int], Awaitable[None]]
"""Told how many percent of a copy are done."""


async def take(software: Software, home: Home, server: Path, target: Path, progress: Progress) -> float:
    """Take a packed base backup of a running server.

    Args:
        software: PostgreSQL's programs.
        home: Where the databases live.
        server: The folder of the server's socket.
        target: An empty folder of the databases' user.
        progress: Told how far it is.

    Returns:
        The instant whose data it holds, in seconds of the Unix clock: every commit until then
        is in it, and none after.

    Raises:
        DrillError: It failed.

    """
    began = time.time()
    await _stream(software, home, server, target, progress, ("-Ft", "--compress=1"))
    last = await asyncio.to_thread(_last_commit, software, home, target)
    return max(began, last)


async def copy(software: Software, home: Home, server: Path, target: Path) -> None:
    """Copy the files of a running server into a folder that is not there yet.

    Raises:
        DrillError: It failed.

    """

    async def unheard(_percent: int) -> None:
        pass

    await _stream(software, home, server, target, unheard, ("-Fp",))


def pack(home: Home, folder: Path, target: Path) -> None:
    """Pack the files of a database that does not run (blocking).

    Raises:
        DrillError: It failed.

    """
    # fmt: off
    home.do(
        "tar", "-C", str(folder), "--exclude=./postmaster.pid", "--exclude=./postmaster.opts",
        "-I", _FASTER, "-cf", str(target / PACKED), ".",
    )
    # fmt: on


def unpack(home: Home, packed: Path, folder: Path) -> None:
    """Lay the files of a packed database into ``folder``, ready to be started alone (blocking).

    Raises:
        DrillError: It failed.

    """
    home.do("mkdir", "-m", "700", str(folder), str(folder / "pg_wal"))
    home.do("tar", "-C", str(folder), "-xzf", str(packed / PACKED))
    if (packed / PACKED_LOG).exists():
        home.do("tar", "-C", str(folder / "pg_wal"), "-xzf", str(packed / PACKED_LOG))
    stand_alone(home, folder)


def stand_alone(home: Home, folder: Path) -> None:
    """Have the files of a database follow nobody (blocking).

    Raises:
        DrillError: It failed.

    """
    home.do("rm", "-f", *(str(folder / name) for name in ("standby.signal", "recovery.signal", REPLICATION)))


def follow_from(home: Home, folder: Path, server: Path) -> None:
    """Have the files of a database follow the server of a socket's folder once started (blocking).

    Raises:
        DrillError: It failed.

    """
    stand_alone(home, folder)
    conninfo = f"host={server} port={PORT} user={ADMIN} password={home.admin_password}"
    home.write(folder / REPLICATION, f"primary_conninfo = '{conninfo}'\n")
    home.write(folder / "standby.signal", "")


def checkpoint_of(software: Software, home: Home, folder: Path) -> str:
    """Return where the last checkpoint of a database that does not run lies in its log (blocking).

    Raises:
        DrillError: Its control file can't be read.

    """
    said = home.do(str(software.bindir / "pg_controldata"), str(folder))
    found = _CHECKPOINT.search(said)
    if found is None:
        msg = f"a database's control file says nothing of a checkpoint; look at: pg_controldata {folder}"
        raise DrillError(msg)
    return found[1]


async def _stream(  # noqa: PLR0913 - what to run, where, and how it is to be packed
    software: Software,
    home: Home,
    server: Path,
    target: Path,
    progress: Progress,
    options: tuple[str, ...],
) -> None:
    log = target.parent / f"{target.name}.log"
    # fmt: off
    arguments = (
        str(software.bindir / "pg_basebackup"), f"--pgdata={target}", "--wal-method=stream",
        "--checkpoint=fast", "--no-sync", "--progress", f"--host={server}", f"--port={PORT}",
        f"--username={ADMIN}", "--no-password", *options,
    )
    # fmt: on
    environment = {**ENVIRONMENT, "PGPASSWORD": home.admin_password}
    program = spawn.Program(arguments, environment, home.folder, log, signal.SIGKILL, home.owner)
    process = await spawn.spawn(program)
    ended = asyncio.ensure_future(process.wait())
    try:
        while not ended.done():
            await progress(_percent(log))
            await asyncio.wait({ended}, timeout=_POLL_S)
    finally:
        await spawn.stop(process, signal.SIGTERM, _STOP_S)
        await ended
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no output"]
        log.unlink()
    if process.returncode != 0:
        msg = f"a database can't be copied: {said[-1]}; look at: df -h {home.folder}"
        raise DrillError(msg)


def _percent(log: Path) -> int:
    found = _PERCENT.findall(log.read_text(encoding="utf-8", errors="replace"))
    return min(99, int(found[-1])) if found else 0


def _last_commit(software: Software, home: Home, packed: Path) -> float:
    """Return when the last commit in a packed base backup was made; 0 if its log holds none."""
    folder = packed / "log"
    home.do("mkdir", str(folder))
    home.do("tar", "-C", str(folder), "-xzf", str(packed / PACKED_LOG))
    segments = sorted(path.name for path in folder.iterdir() if re.fullmatch("[0-9A-F]{24}", path.name))
    # It ends with an error where the log ends, and so every time.
    said = home.run(
        str(software.bindir / "pg_waldump"), f"--path={folder}", "--rmgr=Transaction", segments[0]
    ).stdout
    home.do("rm", "-r", str(folder))
    found = _COMMIT.findall(said)
    if not found:
        return 0.0
    return datetime.strptime(found[-1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()
