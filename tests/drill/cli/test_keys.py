"""The operator's key, on a real terminal: it asks to stop, and the terminal is as it was."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

_PROGRAM = """
import sys
from drill.cli.keys import heard
class Told:
    def said(self, line):
        print(line, flush=True)
with heard("ada", Told()) as stop:
    stop.wait(60)
    print(f"{stop.reason} {stop.interrupted}", flush=True)
    if sys.argv[1:]:
        raise SystemExit(7)
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Give both ends of a terminal."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def start(theirs: int, *arguments: str) -> subprocess.Popen[str]:
    """Start the program with the terminal as its own, and wait until it listens."""
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    # The session's leader must own the terminal for its keys to reach it.
    leads = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    leads += "os.execv(sys.argv[1], sys.argv[1:])"
    started = subprocess.Popen(
        [sys.executable, "-c", leads, *command],
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    assert "press s" in started.stdout.readline()
    return started


@pytest.mark.parametrize("arguments", [(), ("raise",)])
def test_s_asks_to_stop(terminal: tuple[int, int], arguments: tuple[str, ...]) -> None:
    """Another key does nothing; s stops, which is no interruption; the settings come back either way."""
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    started = start(theirs, *arguments)
    during = termios.tcgetattr(theirs)
    os.write(ours, b"xs")
    said, _ = started.communicate(timeout=30)

    assert "stopped by ada at the terminal False" in said
    assert "put back now" in said
    assert (7 if arguments else 0) == started.returncode
    assert during != before
    assert before == termios.tcgetattr(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_puts_the_terminal_back(terminal: tuple[int, int], number: signal.Signals) -> None:
    """Signals end the block, not the process in the middle of it."""
    _, theirs = terminal
    before = termios.tcgetattr(theirs)
    started = start(theirs)
    started.send_signal(number)
    said, _ = started.communicate(timeout=30)

    assert f"interrupted by {number.name} True" in said
    assert before == termios.tcgetattr(theirs)


def test_without_a_terminal_there_is_no_key() -> None:
    """A drill in a pipeline says nothing of keys."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM.replace("60", "0")],
        input="s",
        capture_output=True,
        text=True,
        check=True,
    )

    assert " False\n" == ended.stdout
