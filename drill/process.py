"""A process by an identity that no later process can have, and its certain end.

A bare process id may name another process by the time it is used. With the moment at which
it was started, the machine's boot and its pid namespace it names one process only.
"""

import contextlib
import os
import select
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from drill.errors import DrillError

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Fields of /proc/PID/stat after the command's name, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
_STATE, _START_TICKS = 0, 19


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine.

    Attributes:
        host: The machine's name, for people.
        boot: Identity of the machine's boot.
        namespace: Identity of the namespace in which ``pid`` counts.
        pid: Its process id.
        started_ticks: When it was started, in clock ticks since the boot.

    """

    host: str
    boot: str
    namespace: str
    pid: int
    started_ticks: int

    @classmethod
    def own(cls) -> Self:
        """Return this process."""
        found = cls._numbered(os.getpid())
        assert found is not None  # noqa: S101 (this process is there)
        return found

    @classmethod
    def started_with(cls, *words: str) -> Self | None:
        """Return the process of this machine with these words in a row on its command line; None if none has.

        Its command line is known from its first instant, https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html.
        """
        wanted = b"\0".join((b"", *(word.encode() for word in words), b""))
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it is gone, or another user's
                if wanted in (folder / "cmdline").read_bytes():
                    return cls._numbered(int(folder.name))
        return None

    @classmethod
    def _numbered(cls, pid: int) -> Self | None:
        fields = _stat(pid)
        if fields is None or fields[_STATE] == "Z":
            return None
        return cls(socket.gethostname(), _boot(), _namespace(), pid, int(fields[_START_TICKS]))

    @classmethod
    def of(cls, fields: Any) -> Self | None:  # noqa: ANN401 (it comes out of a file)
        """Return what :meth:`fields` gave; None if that is something else."""
        try:
            return cls(**fields)
        except TypeError:
            return None

    def fields(self) -> dict[str, str | int]:
        """Return it as a JSON object."""
        return asdict(self)

    @property
    def here(self) -> bool:
        """Whether it is, or was, a process of this machine that this one can see."""
        return self.boot == _boot() and self.namespace == _namespace()

    def alive(self) -> bool:
        """Say whether it is there, on this machine, and no zombie."""
        return self.here and self._is(_stat(self.pid))

    def kill(self) -> None:
        """Kill it, and return when it is gone; at once if it is gone already.

        Raises:
            DrillError: It is of another machine, or of another user.

        """
        self._signal(signal.SIGKILL, await_end=True)

    def ask_to_end(self) -> None:
        """Send it SIGTERM, and return at once.

        Raises:
            DrillError: It is of another machine, or of another user.

        """
        self._signal(signal.SIGTERM, await_end=False)

    def _signal(self, number: signal.Signals, *, await_end: bool) -> None:
        """Send it a signal.

        It is held by a pidfd, which names the process and not its number, so that no other
        process can be hit: https://man7.org/linux/man-pages/man2/pidfd_open.2.html
        """
        if not self.here:
            msg = f"process {self.pid} runs on {self.host}: end it there, then go on with: drill recover"
            raise DrillError(msg)
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # Read after the pidfd was opened: what it names now is what it names for good.
            if not self._is(_stat(self.pid)):
                return
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            if await_end:
                select.select([descriptor], [], [])
        except PermissionError as problem:
            msg = f"process {self.pid} is another user's and can't be ended; run this as that user"
            raise DrillError(msg) from problem
        finally:
            os.close(descriptor)

    def __str__(self) -> str:
        """Return it for people."""
        return f"process {self.pid} on {self.host}"

    def _is(self, fields: list[str] | None) -> bool:
        return (
            fields is not None and fields[_STATE] != "Z" and int(fields[_START_TICKS]) == self.started_ticks
        )


def _stat(pid: int) -> list[str] | None:
    """Return the fields of a process after its command's name; None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return _BOOT.read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
