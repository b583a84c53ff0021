"""Runs all probes of a drill in a process of its own: ``python -m drill.probes.sampler FILE``.

Those that call AWS's API run in another one beside it (see ``relay.py``). FILE is JSON:
``specs``, ``context``, ``store`` (where observations go) and ``drain_s``. When the probes are
open it prints the instant at which the first attempt is due. It ends on SIGTERM, or when its
standard input closes: so it never outlives the drill that started it. Attempts in flight are
then waited for, up to their time-out and ``drain_s`` at most.
"""

import asyncio
import fcntl
import gc
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from drill import clock
from drill.clock import Instant
from drill.errors import DrillError
from drill.model import Observation, ProbeSpec
from drill.observations import Store
from drill.probes.catalogue import probes
from drill.probes.contract import Context, Probe
from drill.probes.loop import precise_loop
from drill.probes.relay import ARGUMENT, ApiProbes, Relay
from drill.probes.schedule import Schedule
from drill.probes.stalls import Stalls
from drill.probes.turn import come_first

FLUSH_S = 0.05
CLOCK_S = 1.0
# From the probes being open to the first attempt; so none is late from the beginning.
HEAD_START_NS = 20_000_000
# Probes with one interval would all be due at once: each begins a little after the one before.
STAGGER_NS = 500_000
MOST_THREADS = 128
# Files that are open besides those of attempts: the store, resolvers' sockets, AWS's connections.
SPARE_FILES = 256
# What the process of AWS's probes may take to end beyond its attempts in flight.
END_S = 2.0
# Garbage is looked for among what is new; among all, attempts in flight too, this seldom: with some
# thousands of them in flight that takes tens of milliseconds.
YOUNG = 2000
COLLECT_S = 30.0
# AWS calls run in threads; they hand the interpreter over this soon when an attempt is due.
SWITCH_S = 0.0005


@dataclass(frozen=True, slots=True)
class Order:
    """What a sampler is told to do.

    Attributes:
        specs: The probes.
        context: Where everything is.
        store: The file that observations are added to; it exists.
        drain_s: At the end, attempts in flight are waited for at most this long.

    """

    specs: tuple[ProbeSpec, ...]
    context: Context
    store: Path
    drain_s: float

    def write(self, path: Path) -> None:
        """Write it as JSON that :meth:`read` reads."""
        document = {
            "specs": [asdict(spec) for spec in self.specs],
            "context": self.context.document(),
            "store": str(self.store),
            "drain_s": self.drain_s,
        }
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Order":
        """Read what :meth:`write` wrote."""
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            specs=tuple(ProbeSpec(**spec) for spec in document["specs"]),
            context=Context.from_document(document["context"]),
            store=Path(document["store"]),
            drain_s=document["drain_s"],
        )


class Sink(Protocol):
    """Where observations go."""

    def add(self, observations: Iterable[Observation]) -> None:
        """Keep observations."""

    def add_clock(self, instant: Instant) -> None:
        """Keep a reading of both clocks."""


class _Keeper:
    """Gathers observations and adds them to a sink in a thread, a batch every FLUSH_S."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._batch: list[Observation] = []
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._clock_due_ns = 0
        self._ending = False

    def keep(self, observation: Observation) -> None:
        self._batch.append(observation)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        collected_s = loop.time()
        while not self._ending or self._batch:
            await asyncio.sleep(FLUSH_S)
            if loop.time() - collected_s > COLLECT_S:
                gc.collect()
                collected_s = loop.time()
            batch, self._batch = self._batch, []
            await loop.run_in_executor(self._thread, self._add, batch)

    def end(self) -> None:
        self._ending = True

    def _add(self, batch: Sequence[Observation]) -> None:
        now = clock.now()
        if now.monotonic_ns >= self._clock_due_ns:
            self._sink.add_clock(now)
            self._clock_due_ns = now.monotonic_ns + round(CLOCK_S * 1e9)
        if batch:
            self._sink.add(batch)


_NEVER = 1_000_000_000


async def sample(order: Order, sink: Sink, path: Path | None) -> None:
    """Run probes until told to end; what they saw is in the sink when this returns.

    Args:
        order: The probes, and where everything is.
        sink: Where observations go.
        path: The order's file, for the process of those that call AWS's API; None to be that process.

    Raises:
        DrillError: An option of a probe is wrong, or the sink can't be written.

    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=MOST_THREADS))
    ended = _end_signal(loop)
    made, others = _shared_out(probes(order.specs, order.context), alone=path is None)
    _allow_open_files(made)
    keeper = _Keeper(sink)
    api = await ApiProbes.start(path, keeper.keep) if path and others else None
    if path is not None:
        come_first()  # those of AWS's probes were started before, and do not
    await asyncio.gather(*(probe.open() for probe in made))
    _spare_the_collector()
    keeping = asyncio.create_task(keeper.run())
    stalls = Stalls()
    schedules = _begin(made, keeper, stalls, api)
    watched = [keeping, *(schedule.failed for schedule in schedules), *([api.failed] if api else [])]
    await asyncio.wait((ended, *watched), return_when=asyncio.FIRST_COMPLETED)
    for schedule in schedules:
        schedule.stop()
    ending = [schedule.drain(order.drain_s) for schedule in schedules]
    if api is not None:
        ending.append(api.stop(order.drain_s + END_S))
    problems = await asyncio.gather(*ending, return_exceptions=True)
    stalls.stop()
    failures = [each for each in watched if each.done()]
    keeper.end()
    await keeping
    for failure in failures:
        failure.result()  # raises: none of them is ever done unless it failed
    for problem in problems:
        if problem is not None:
            raise problem
    await asyncio.gather(*(probe.close() for probe in made))


def _shared_out(every: Sequence[Probe], *, alone: bool) -> tuple[list[Probe], list[Probe]]:
    """Return the probes of this process and those of the other: ``alone`` is the one that calls AWS's API."""
    calling = [probe for probe in every if probe.calls(probe.spec)]
    plain = [probe for probe in every if not probe.calls(probe.spec)]
    if alone:
        return calling, plain
    # With nothing beside them to be made late, those few need no process of their own.
    return (plain, calling) if plain else (calling, plain)


def _spare_the_collector() -> None:
    """Have the collector of garbage leave alone what is here already, and seldom look at old things."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, _NEVER, _NEVER)


def _begin(made: Sequence[Probe], keeper: _Keeper, stalls: Stalls, api: ApiProbes | None) -> list[Schedule]:
    """Begin every schedule and tell the parent when the first attempt is due."""
    start_ns = clock.monotonic_ns() + HEAD_START_NS
    first_ns = min(start_ns, api.started_ns) if api else start_ns
    sys.stdout.write(f"{first_ns}\n")
    sys.stdout.flush()
    return [
        Schedule(probe, start_ns + place * STAGGER_NS, keeper.keep, stalls)
        for place, probe in enumerate(made)
    ]


def _end_signal(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Return a future that is done on SIGTERM and when standard input closes."""
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            end()

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_reader(sys.stdin.fileno(), read)
    return ended


def _allow_open_files(made: Sequence[Probe]) -> None:
    """Allow this process as many open files as its attempts may need at once.

    Raises:
        DrillError: The machine does not.

    """
    needed = sum(probe.slots for probe in made) + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        msg = (
            f"while the service hangs, these probes hold up to {needed} files open and this machine lets a "
            f"process have {hard}: allow more with ulimit -n, or choose longer intervals or shorter time-outs"
        )
        raise DrillError(msg)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed) if soft >= 0 else soft, hard))
    # The kernel doubles a process's table of files when it is full, and where there are threads it stands
    # still for some 60 ms meanwhile (expand_files waits for RCU): have it large from the beginning.
    os.close(fcntl.fcntl(sys.stdin.fileno(), fcntl.F_DUPFD, needed - 1))


def main(arguments: Sequence[str]) -> int:
    """Run the sampler; return its exit status, 1 after a failure that is told on standard error."""
    # The terminal's Ctrl-C is for the runner: it still needs the probes while it rolls back.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_S)
    # More AWS calls at once than urllib3 keeps connections for: not worth a warning each.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    path = Path(arguments[0])
    order = Order.read(path)
    runner = asyncio.Runner(loop_factory=precise_loop)
    try:
        if ARGUMENT in arguments:
            runner.run(sample(order, Relay(sys.stdout), None))
        else:
            with Store.open(order.store) as store:
                runner.run(sample(order, store, path))
                store.seal()
    except DrillError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.stderr.flush()
        return 1
    return 0


if __name__ == "__main__":
    # At once: all is in the store, and an AWS call that hangs in a thread would hold up the end.
    os._exit(main(sys.argv[1:]))
