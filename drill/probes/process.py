"""The sampler as the engine sees it: a process that is started, may die, and is stopped."""

import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from drill.errors import DrillError
from drill.model import ProbeSpec
from drill.observations import Store
from drill.probes.contract import Context
from drill.probes.sampler import Order

START_S = 60.0
DRAIN_S = 10.0
# What a stop may take beyond the attempts in flight.
END_S = 5.0


class Sampler:
    """A running sampler.

    Attributes:
        started_ns: When the first attempt was due.
        pid: Its process id.

    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, drain_s: float) -> None:
        """Wrap a process that was started; use :meth:`start`."""
        self._process = process
        self._log = log
        self._drain_s = drain_s
        self.pid = process.pid
        self.started_ns = 0

    @classmethod
    def start(
        cls, specs: Sequence[ProbeSpec], context: Context, path: Path, drain_s: float = DRAIN_S
    ) -> Self:
        """Start all probes of a drill and return once their schedules run.

        What the sampler was told stands beside the store as ``probes.json``, and what it
        complained of as ``probes.log``.

        Args:
            specs: The probes.
            context: Where everything is.
            path: The store that observations go to; made unless it is there.
            drain_s: At the end, attempts in flight are waited for at most this long.

        Raises:
            DrillError: It could not start; the text says why.

        """
        if not path.exists():
            Store.create(path).close()
        order = path.with_name("probes.json")
        Order(tuple(specs), context, path.resolve(), drain_s).write(order)
        log = path.with_name("probes.log")
        with log.open("wb") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-m", "drill.probes.sampler", str(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        sampler = cls(process, log, drain_s)
        sampler._await_start()
        return sampler

    def _await_start(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 (it is a pipe)
        ready, _, _ = select.select([stdout], [], [], START_S)
        line = stdout.readline() if ready else b""
        if not line.strip().isdigit():
            self._kill()
            msg = f"the probes did not start: {self.complaint}; see: {self._log}"
            raise DrillError(msg)
        self.started_ns = int(line)

    @property
    def alive(self) -> bool:
        """Whether it still samples; after a death nothing that it should have seen can be trusted."""
        return self._process.poll() is None

    @property
    def complaint(self) -> str:
        """The last line that it wrote on standard error; how it ended if it wrote none."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else f"the sampler ended with status {self._process.poll()}"

    def stop(self) -> None:
        """End it and wait until all that it saw is in the store.

        Raises:
            DrillError: It had died, failed while it ended, or had to be killed.

        """
        self._close_pipes()
        try:
            status = self._process.wait(self._drain_s + END_S)
        except subprocess.TimeoutExpired:
            self._kill()
            msg = f"the probes hung at their end and were killed; see: {self._log}"
            raise DrillError(msg) from None
        if status != 0:
            msg = f"the probes failed: {self.complaint}; see: {self._log}"
            raise DrillError(msg)

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
