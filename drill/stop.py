"""Why a drill ends before its time: a signal, or a condition that must not last."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """The wish to end a drill; the first reason given stays."""

    def __init__(self) -> None:
        """Begin with no wish to stop."""
        self._event = threading.Event()
        self.reason = ""
        self.interrupted = False

    def ask(self, reason: str, *, interrupted: bool = False) -> None:
        """Ask for the drill to be rolled back; later reasons are ignored.

        Args:
            reason: One line for the report.
            interrupted: A person or the machine ended it, no condition of the drill.

        """
        if not self._event.is_set():
            self.reason = reason
            self.interrupted = interrupted
            self._event.set()

    @property
    def asked(self) -> bool:
        """Say whether somebody asked."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for at most so long; return at once, and True, when somebody asks."""
        return self._event.wait(seconds)


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into a wish to stop for as long as the block runs.

    A second signal changes nothing: it does not cut a rollback short.
    """

    def asked(number: int, _frame: FrameType | None) -> None:
        stop.ask(f"interrupted by {signal.Signals(number).name}", interrupted=True)

    before = {number: signal.signal(number, asked) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
