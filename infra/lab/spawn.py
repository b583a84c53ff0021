"""Start the lab's child processes so that none outlives the daemon, not even its SIGKILL.

Linux sends the death signal when the *thread* that started a child ends. The lab's loop runs
in the main thread, so children are started there and nowhere else.
"""

import asyncio
import contextlib
import os
import pwd
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        arguments: The program's path, then its arguments.
        environment: All of its environment variables.
        folder: Its working directory.
        log: The file that its output is appended to.
        death_signal: What the kernel sends it when the daemon is gone.
        owner: Whom it runs as; None for the daemon's own user.

    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    death_signal: signal.Signals = signal.SIGKILL
    owner: Owner | None = None


def unprivileged() -> Owner | None:
    """Return ``nobody`` for root, since PostgreSQL refuses to run as root; None for anyone else."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Owner(nobody.pw_uid, nobody.pw_gid)


def run_as(owner: Owner | None) -> dict[str, Any]:
    """Return what ``subprocess.run`` needs for a short command as ``owner``."""
    if owner is None:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []}


async def spawn(program: Program) -> Process:
    """Start a program in a session of its own; call it in the thread of the daemon's loop."""
    owner = "-" if program.owner is None else f"{program.owner.uid}:{program.owner.gid}"
    launcher = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(program.death_signal)))
    log = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *launcher,
            owner,
            *program.arguments,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
        )
    finally:
        os.close(log)


async def stop(process: Process, first: signal.Signals, patience_s: float) -> int:
    """End a child: ``first``, then SIGKILL for its whole session if it is still there after ``patience_s``.

    Returns:
        Its exit code; negative for a signal.

    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
            process.send_signal(first)
        try:
            return await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            kill(process)
    return await process.wait()


def kill(process: Process) -> None:
    """Kill a child and what it started, at once."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
            os.killpg(process.pid, signal.SIGKILL)
