"""Rolls back when the runner of a drill dies, from a process that does not die with it.

It is started before the first injection, in a session of its own, so that what is done to the
runner's process group or terminal does not reach it. The runner writes into its standard input
every now and then. When that ends, or falls silent for ``timing.lease_s``, the watchdog first
kills the runner for certain, and only then goes on with its journal: nobody undoes under a
living runner. What it does stands in the journal, what it says in ``watchdog.log``.
"""

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from drill import clock, journal, plan, redaction
from drill.errors import DrillError

LOG = "watchdog.log"
_BEAT, _DISMISSED = b".", b"e"
_BEATS = 4
_STARTS_S = 60.0
_ENDS_S = 10.0


class Watchdog:
    """The watchdog of one run, as its runner sees it."""

    def __init__(self, process: subprocess.Popen[bytes], lease_s: float) -> None:
        """Take over a started process; use :meth:`start`."""
        self._process = process
        self._ended = threading.Event()
        self._beats = threading.Thread(
            target=self._beat_always, args=(lease_s / _BEATS,), name="beats", daemon=True
        )
        self.pid = process.pid

    @classmethod
    def start(cls, folder: Path, lease_s: float) -> Self:
        """Start it for a run whose journal is there, and return once it watches.

        Raises:
            DrillError: It could not start; nothing may be injected then.

        """
        log = folder / LOG
        with log.open("wb") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-m", "drill.watchdog", str(folder.resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        watchdog = cls(process, lease_s)
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        ready, _, _ = select.select([process.stdout], [], [], _STARTS_S)
        if not ready or not process.stdout.readline():
            process.kill()
            process.wait()
            msg = f"the watchdog did not start, so nothing is touched; see: {log}"
            raise DrillError(msg)
        watchdog._beats.start()
        return watchdog

    @property
    def alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Tell it that the runner has done all that it could, and wait for its end."""
        self._ended.set()
        self._beats.join()
        self._write(_DISMISSED)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # it had ended before
        try:
            self._process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _beat_always(self, every_s: float) -> None:
        while True:
            self._write(_BEAT)
            if self._ended.wait(every_s):
                return

    def _write(self, sign: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 (it is a pipe)
        try:
            os.write(self._process.stdin.fileno(), sign)
        except BrokenPipeError:
            return  # it has ended: the engine looks at that by itself


def main() -> int:
    """Watch the run in the folder named on the command line; return 0 when nothing is left to undo."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    timing = plan.read(folder).target.timing
    runner, _ = journal.writer(journal.read(folder))
    if runner is None:
        _say("the journal names no runner")
        return 1
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    why = _died(timing.lease_s)
    if not why:
        return 0
    _say(f"{runner}: {why}; killing it for certain")
    runner.kill()
    return _rescue(folder, timing.failback_s, timing.poll_s)


def _died(lease_s: float) -> str:
    """Wait until the runner is taken for dead, and return why; empty when it dismisses this process."""
    while True:
        ready, _, _ = select.select([0], [], [], lease_s)
        if not ready:
            return f"silent for {lease_s:g} s"
        signs = os.read(0, 4096)
        if _DISMISSED in signs:
            return ""
        if not signs:
            return "it ended"


def _rescue(folder: Path, at_most_s: float, poll_s: float) -> int:
    """Roll back, again and again while something is left and the time is not over."""
    # A watchdog that is never needed starts without boto3.
    from drill import rollback  # noqa: PLC0415

    until_ns = clock.monotonic_ns() + round(at_most_s * 1e9)
    while True:
        try:
            undone = rollback.replay(folder)
            for one in undone:
                _say(one.said)
            if not any(one.error for one in undone):
                _say("nothing is left to undo")
                return 0
        except DrillError as problem:
            _say(str(problem))
        if clock.monotonic_ns() >= until_ns:
            return 3
        clock.sleep(poll_s)


def _say(line: str) -> None:
    sys.stderr.write(redaction.redacted(f"{clock.now().wall} {line}\n"))
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
