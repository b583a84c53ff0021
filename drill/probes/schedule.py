"""The open-loop schedule of one probe: what the earlier attempts did delays none.

An attempt that can't be sent in time is kept as one that was due and never sent, so that a
gap is seen and never taken for health. So is one that timed out while this process itself stood
still: nobody looked whether it was answered, and it must not be taken for an outage either.
"""

import asyncio
from collections.abc import Callable

from drill import clock
from drill.model import Goodness, Json, Observation
from drill.probes.contract import Probe, Seen
from drill.probes.stalls import ENOUGH, Stalls

# An attempt later than this, and than its probe's interval, is not sent any more.
LATE_S = 0.1
_TIME_OUTS = frozenset({"timeout", "dns"})


class Schedule:
    """Sends a probe's attempts when they are due and hands what they showed to ``keep``."""

    def __init__(
        self, probe: Probe, start_ns: int, keep: Callable[[Observation], None], stalls: Stalls
    ) -> None:
        """Plan the first attempt for ``start_ns``; the n-th is due n intervals later."""
        self._probe = probe
        self._stalls = stalls
        self._name = probe.spec.name
        self._slots = probe.slots
        self._start_ns = start_ns
        self._interval_ns = probe.spec.interval_s * 1e9
        self._late_ns = max(probe.spec.interval_s, LATE_S) * 1e9
        self._keep = keep
        self._number = 0
        self._running: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle
        self._arm()

    def stop(self) -> None:
        """Send nothing more; account for what was due by now."""
        self._send_due()
        self._timer.cancel()

    async def drain(self, limit_s: float) -> None:
        """Wait for the attempts in flight, and give them up after a while."""
        if self._running:
            await asyncio.wait(self._running, timeout=limit_s)
        for task in self._running:
            task.cancel()
        while self._running:
            await asyncio.wait(self._running)

    def _due_ns(self) -> int:
        return self._start_ns + round(self._number * self._interval_ns)

    def _arm(self) -> None:
        self._timer = self._loop.call_at(self._due_ns() / 1e9, self._tick)

    def _tick(self) -> None:
        self._send_due()
        self._arm()

    def _send_due(self) -> None:
        now_ns = clock.monotonic_ns()
        while (due_ns := self._due_ns()) <= now_ns:
            if now_ns - due_ns > self._late_ns:
                self._unsent(self._number, due_ns, "late")
            elif len(self._running) >= self._slots:
                self._unsent(self._number, due_ns, "no_free_slot")
            else:
                task = self._loop.create_task(self._attempt(self._number, due_ns))
                self._running.add(task)
                task.add_done_callback(self._ended)
            self._number += 1

    def _unsent(self, number: int, due_ns: int, why: str) -> None:
        detail: dict[str, Json] = {"error": why}
        self._keep(Observation(self._name, number, due_ns, None, None, Goodness.UNKNOWN, None, detail))

    def _unseen(self, seen: Seen, sent_ns: int, done_ns: int) -> bool:
        """Say whether an attempt timed out and this process had stood still for a good part of that time."""
        if seen.goodness is not Goodness.BAD or seen.detail.get("error") not in _TIME_OUTS:
            return False
        return self._stalls.looked_ns(sent_ns, done_ns) < ENOUGH * self._probe.spec.timeout_s * 1e9

    async def _attempt(self, number: int, due_ns: int) -> None:
        sent_ns = clock.monotonic_ns()
        try:
            seen = await self._probe.attempt(number)
        except asyncio.CancelledError:
            # Only drain() cancels: the attempt was sent, and nobody waits for its answer any more.
            seen = Seen(Goodness.UNKNOWN, None, {"error": "stopped"})
        done_ns = seen.done_ns or clock.monotonic_ns()
        if self._unseen(seen, sent_ns, done_ns):
            self._unsent(number, due_ns, "stalled")
            return
        self._keep(
            Observation(
                self._name,
                number,
                due_ns,
                sent_ns,
                done_ns,
                seen.goodness,
                seen.answered_by,
                seen.detail,
            )
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem is not None and not self.failed.done():
            self.failed.set_exception(problem)
