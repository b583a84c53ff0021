"""Why a drill ends before its time: a signal, or a condition that must not last."""

import contextlib
import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """The wish to end a drill; the first reason given stays."""

    def __init__(self) -> None:
        """Begin with no wish to stop."""
        # A signal handler runs between any two steps of the main thread, which may be waiting right
        # here: an Event's lock would be held then. Putting into a SimpleQueue is safe in a handler.
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.asked = False
        self.reason = ""
        self.interrupted = False

    def ask(self, reason: str, *, interrupted: bool = False) -> None:
        """Ask for the drill to be rolled back; later reasons are ignored.

        Args:
            reason: One line for the report.
            interrupted: A person or the machine ended it, no condition of the drill.

        """
        if not self.asked:
            self.asked = True
            self.reason = reason
            self.interrupted = interrupted
            self._woken.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for at most so long; return at once, and True, when somebody asks."""
        if not self.asked:
            with contextlib.suppress(queue.Empty):  # nobody asked meanwhile
                self._woken.get(timeout=seconds)
        return self.asked


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into a wish to stop for as long as the block runs.

    A second signal changes nothing: it does not cut a rollback short. A signal that was ignored
    before, as SIGHUP is under ``nohup``, stays ignored.
    """

    def asked(number: int, _frame: FrameType | None) -> None:
        stop.ask(f"interrupted by {signal.Signals(number).name}", interrupted=True)

    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, asked) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
