"""Runs all probes of a drill in a process of its own: ``python -m drill.probes.sampler FILE``.

FILE is JSON: ``specs``, ``context``, ``store`` (where observations go) and ``drain_s``. When
the probes are open it prints the instant at which the first attempt is due. It ends on
SIGTERM, or when its standard input closes: so it never outlives the drill that started it.
Attempts in flight are then waited for, up to their time-out and ``drain_s`` at most.
"""

import asyncio
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drill import clock
from drill.errors import DrillError
from drill.model import Observation, ProbeSpec
from drill.observations import Store
from drill.probes.catalogue import probes
from drill.probes.contract import Context, Probe
from drill.probes.loop import precise_loop
from drill.probes.schedule import Schedule

FLUSH_S = 0.05
CLOCK_S = 1.0
# From the probes being open to the first attempt; so none is late from the beginning.
HEAD_START_NS = 20_000_000
# Probes with one interval would all be due at once: each begins a little after the one before.
STAGGER_NS = 500_000
MOST_THREADS = 128
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


class _Keeper:
    """Gathers observations and adds them to the store in a thread, a batch every FLUSH_S."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch: list[Observation] = []
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._clock_due_ns = 0
        self._ending = False

    def keep(self, observation: Observation) -> None:
        self._batch.append(observation)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending or self._batch:
            await asyncio.sleep(FLUSH_S)
            batch, self._batch = self._batch, []
            await loop.run_in_executor(self._thread, self._add, batch)

    def end(self) -> None:
        self._ending = True

    def _add(self, batch: Sequence[Observation]) -> None:
        now = clock.now()
        if now.monotonic_ns >= self._clock_due_ns:
            self._store.add_clock(now)
            self._clock_due_ns = now.monotonic_ns + round(CLOCK_S * 1e9)
        if batch:
            self._store.add(batch)


async def sample(order: Order, store: Store) -> None:
    """Run the probes until told to end; what they saw is in the store when this returns.

    Raises:
        DrillError: An option of a probe is wrong, or the store can't be written.

    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=MOST_THREADS))
    ended = _end_signal(loop)
    made = probes(order.specs, order.context)
    await asyncio.gather(*(probe.open() for probe in made))
    keeper = _Keeper(store)
    keeping = asyncio.create_task(keeper.run())
    schedules = _begin(made, keeper)
    watched = [keeping, *(schedule.failed for schedule in schedules)]
    await asyncio.wait((ended, *watched), return_when=asyncio.FIRST_COMPLETED)
    for schedule in schedules:
        schedule.stop()
    await asyncio.gather(*(schedule.drain(order.drain_s) for schedule in schedules))
    failures = [each for each in watched if each.done()]
    keeper.end()
    await keeping
    for failure in failures:
        failure.result()  # raises: none of them is ever done unless it failed
    store.seal()
    await asyncio.gather(*(probe.close() for probe in made))


def _begin(made: Sequence[Probe], keeper: _Keeper) -> list[Schedule]:
    """Begin every schedule and tell the parent when the first attempt is due."""
    start_ns = clock.monotonic_ns() + HEAD_START_NS
    sys.stdout.write(f"{start_ns}\n")
    sys.stdout.flush()
    return [Schedule(probe, start_ns + place * STAGGER_NS, keeper.keep) for place, probe in enumerate(made)]


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


def main(arguments: Sequence[str]) -> int:
    """Run the sampler; return its exit status, 1 after a failure that is told on standard error."""
    # The terminal's Ctrl-C is for the runner: it still needs the probes while it rolls back.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_S)
    # More AWS calls at once than urllib3 keeps connections for: not worth a warning each.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if soft < hard else (soft, hard))
    order = Order.read(Path(arguments[0]))
    runner = asyncio.Runner(loop_factory=precise_loop)
    try:
        with Store.open(order.store) as store:
            runner.run(sample(order, store))
    except DrillError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.stderr.flush()
        return 1
    return 0


if __name__ == "__main__":
    # At once: all is in the store, and an AWS call that hangs in a thread would hold up the end.
    os._exit(main(sys.argv[1:]))
