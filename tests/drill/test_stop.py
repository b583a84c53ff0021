"""The wish to stop: heard in a signal handler, kept, and never a reason to hang."""

import os
import signal
import subprocess
import sys
import threading
import time

from drill.stop import Stop, on_signals


def test_the_first_reason_stays() -> None:
    """Who asked first is named in the report."""
    stop = Stop()
    stop.ask("a lost lease")
    stop.ask("interrupted by SIGINT", interrupted=True)

    assert (True, "a lost lease", False) == (stop.asked, stop.reason, stop.interrupted)


def test_waiting_ends_at_once_when_somebody_asks() -> None:
    """A wait of a minute does not last one."""
    stop = Stop()
    waited: list[bool] = []
    waiter = threading.Thread(target=lambda: waited.append(stop.wait(60)))
    waiter.start()
    stop.ask("enough")
    waiter.join(timeout=30)

    assert [True] == waited
    assert stop.wait(60)


def test_signals_during_every_wait_never_hang() -> None:
    """Hundreds of signals against a loop that does nothing but wait: it always gets through."""
    program = (
        "import os, signal, threading\n"
        "from drill.stop import Stop, on_signals\n"
        "for _ in range(300):\n"
        "    stop = Stop()\n"
        "    with on_signals(stop):\n"
        "        kill = lambda: [os.kill(os.getpid(), signal.SIGTERM) for _ in range(3)]\n"
        "        sender = threading.Thread(target=kill)\n"
        "        sender.start()\n"
        "        while not stop.wait(0.0001):\n"
        "            pass\n"
        "        sender.join()\n"
        "print('through')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )

    assert "through" in ended.stdout, ended


def test_what_was_ignored_stays_ignored() -> None:
    """Under nohup a hang-up does not end a drill."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop()
        with on_signals(stop):
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.05)

        assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_given_back() -> None:
    """After the drill Ctrl-C is Python's again."""
    before = signal.getsignal(signal.SIGINT)
    with on_signals(Stop()):
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before
