"""The operator's key: ``s`` at the terminal stops the drill, which is then rolled back."""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from drill.stop import Stop, on_signals

STOP = b"s"
# How long a job that was put into the background waits before it looks whether it is in front again.
_LOOK_S = 0.5
# A process in the background that touches its terminal is stopped by the kernel; with these two
# blocked it is not: https://man7.org/linux/man-pages/man3/tcsetattr.3p.html
_TERMINAL_SIGNALS = (signal.SIGTTIN, signal.SIGTTOU)


class _Told(Protocol):
    def said(self, line: str) -> None: ...


@contextmanager
def heard(operator: str, told: _Told) -> Iterator[Stop]:
    """Yield a wish to stop that the operator's key asks for, as long as the block runs.

    Where standard input is no terminal, or belongs to a job in the background, there is no key.
    The terminal's settings are put back however the block ends: signals become a wish to stop too,
    and kill nobody.
    """
    stop = Stop()
    with on_signals(stop), contextlib.ExitStack() as stack:
        if _in_front():
            stack.enter_context(_one_by_one(sys.stdin.fileno()))
            stack.enter_context(_listening(sys.stdin.fileno(), stop, operator, told))
        yield stop


def _in_front() -> bool:
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):  # no standard input, or a closed one
        return False


@contextmanager
def _one_by_one(terminal: int) -> Iterator[None]:
    """Give each key at once and without an echo; Ctrl-C still interrupts."""
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _TERMINAL_SIGNALS)
        with contextlib.suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def _listening(terminal: int, stop: Stop, operator: str, told: _Told) -> Iterator[None]:
    ended_read, ended_write = os.pipe()

    def listen() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _TERMINAL_SIGNALS)
        while not stop.asked and ended_read not in select.select([terminal, ended_read], [], [])[0]:
            if os.tcgetpgrp(terminal) != os.getpgrp():
                select.select([ended_read], [], [], _LOOK_S)
                continue
            typed = os.read(terminal, 1)
            if not typed:
                return
            if typed.lower() == STOP:
                stop.ask(f"stopped by {operator} at the terminal")
                with contextlib.suppress(OSError, ValueError):  # nobody reads any more
                    told.said("stopping: what was broken is put back now")

    def listen_on() -> None:
        # A terminal that hung up takes no more keys; the hang-up itself is a signal.
        with contextlib.suppress(OSError):
            listen()

    with contextlib.suppress(OSError, ValueError):
        told.said("press s to stop the drill and put everything back")
    thread = threading.Thread(target=listen_on, name="keys", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(ended_write)
        thread.join()
        os.close(ended_read)
