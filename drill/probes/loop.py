"""An asyncio event loop whose timers keep to some tens of microseconds.

epoll waits in whole milliseconds, so that asyncio's timers are up to one late
(https://docs.python.org/3/library/select.html#select.epoll.poll). select() waits in
microseconds but knows only small descriptors: here it waits for the epoll descriptor itself.
"""

import asyncio
import select
import selectors


class _PreciseSelector(selectors.EpollSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            select.select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)


def precise_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop with such timers; its clock is the one of :mod:`drill.clock`."""
    return asyncio.SelectorEventLoop(_PreciseSelector())
