"""When this process itself stood still: whoever did not look cannot say that nobody answered."""

import asyncio
from collections import deque

from drill import clock

BEAT_S = 0.02
# What a beat is late by before it counts: less than this is the common lot on a busy machine.
LEAST_NS = 30_000_000
_MOST = 1000
# An attempt that was looked at for less of its time-out than this shows nothing when it times out.
ENOUGH = 0.5


class Stalls:
    """Beats on the running loop, and remembers when a beat was late."""

    def __init__(self) -> None:
        """Begin to beat."""
        self._loop = asyncio.get_running_loop()
        self._kept: deque[tuple[int, int]] = deque(maxlen=_MOST)
        self._due_ns = 0
        self._timer: asyncio.TimerHandle
        self._plan()

    def stop(self) -> None:
        """Beat no more."""
        self._timer.cancel()

    def looked_ns(self, from_ns: int, until_ns: int) -> int:
        """Return for how long of a stretch that ends now the process ran."""
        late_ns = until_ns - self._due_ns
        stalls = [*self._kept, (self._due_ns, until_ns)] if late_ns > LEAST_NS else self._kept
        still_ns = sum(max(0, min(until_ns, end) - max(from_ns, begin)) for begin, end in stalls)
        return until_ns - from_ns - still_ns

    def _plan(self) -> None:
        self._due_ns = clock.monotonic_ns() + round(BEAT_S * 1e9)
        self._timer = self._loop.call_at(self._due_ns / 1e9, self._beat)

    def _beat(self) -> None:
        now_ns = clock.monotonic_ns()
        if now_ns - self._due_ns > LEAST_NS:
            self._kept.append((self._due_ns, now_ns))
        self._plan()
