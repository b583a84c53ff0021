"""Probes that call AWS's API, in a process of their own: what they see comes to the sampler by a pipe.

boto3 is Python all through: a call keeps the interpreter busy for milliseconds, in whichever thread.
Beside a thousand attempts a second that is what makes some of them late. These probes are few and
slow, so that one line of JSON for each observation costs the sampler next to nothing.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self, TextIO

from drill.clock import Instant
from drill.errors import DrillError
from drill.model import Goodness, Observation

ARGUMENT = "--api"
_LINE_BYTES = 1 << 20


class Relay:
    """The far end: a sink that writes observations as lines."""

    def __init__(self, out: TextIO) -> None:
        """Take where lines go."""
        self._out = out

    def add(self, observations: Iterable[Observation]) -> None:
        """Write observations, one a line."""
        # The sampler may be gone: then nobody is left to be told, and this process is about to end.
        with contextlib.suppress(BrokenPipeError):
            self._out.writelines(_line(one) for one in observations)
            self._out.flush()

    def add_clock(self, instant: Instant) -> None:
        """Do nothing: the sampler reads the clocks itself."""


class ApiProbes:
    """The near end: the process, and what comes from it."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        lines: asyncio.StreamReader,
        keep: Callable[[Observation], None],
    ) -> None:
        """Use :meth:`start` to make one."""
        self._process = process
        self._lines = lines
        self._keep = keep
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None]
        self._ending = False
        self.started_ns = 0

    @classmethod
    async def start(cls, order: Path, keep: Callable[[Observation], None]) -> Self:
        """Start the probes of an order that call AWS's API; return when their schedules run.

        Raises:
            DrillError: They could not start; why stands in the log already.

        """
        process = subprocess.Popen(  # noqa: ASYNC220 (before anything is due)
            [sys.executable, "-m", "drill.probes.sampler", str(order), ARGUMENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        lines = asyncio.StreamReader(limit=_LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), process.stdout
        )
        made = cls(process, lines, keep)
        first = (await lines.readline()).strip()
        if not first.isdigit():
            process.kill()
            process.wait()
            raise DrillError(FAILED)
        made.started_ns = int(first)
        made._reading = asyncio.create_task(made._read())
        return made

    async def _read(self) -> None:
        while line := await self._lines.readline():
            self._keep(_observation(line))
        if not self._ending and not self.failed.done():
            self.failed.set_exception(DrillError(FAILED))

    async def stop(self, limit_s: float) -> None:
        """Have them end; all that they saw has been kept when this returns.

        Raises:
            DrillError: They failed, or did not end in time and were killed.

        """
        self._ending = True
        assert self._process.stdin is not None  # noqa: S101 (it is a pipe)
        self._process.stdin.close()
        try:
            async with asyncio.timeout(limit_s):
                await self._reading
        except TimeoutError:
            self._process.kill()
        if self._process.wait() != 0:
            raise DrillError(FAILED)


FAILED = "the probes of AWS's API ended; nobody knows what they would have seen"


def _line(one: Observation) -> str:
    row = (
        one.probe,
        one.number,
        one.due_ns,
        one.sent_ns,
        one.done_ns,
        one.goodness.value,
        one.answered_by,
        one.detail,
    )
    return json.dumps(row, separators=(",", ":")) + "\n"


def _observation(line: bytes) -> Observation:
    probe, number, due_ns, sent_ns, done_ns, goodness, answered_by, detail = json.loads(line)
    return Observation(probe, number, due_ns, sent_ns, done_ns, Goodness(goodness), answered_by, detail)
