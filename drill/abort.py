"""Stops a drill from another process: it rolls back and ends with 5."""

from pathlib import Path

from drill import clock, journal
from drill.errors import DrillError
from drill.process import Process

FILE = "abort"


def asked(folder: Path) -> str:
    """Return why somebody wants the run to stop; empty if nobody does."""
    try:
        return (folder / FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def ask(folder: Path, reason: str) -> Process:
    """Ask a run to stop, and return its runner.

    Raises:
        DrillError: Nobody runs it on this machine.

    """
    runner, _ = journal.writer(journal.read(folder))
    if runner is None or not runner.alive():
        msg = f"run {folder.name} is not going on this machine; put back what it left with: drill recover"
        raise DrillError(msg)
    beside = folder / f"{FILE}.new"
    beside.write_text(f"{reason}\n", encoding="utf-8")
    beside.replace(folder / FILE)
    return runner


def ended(runner: Process, at_most_s: float, poll_s: float) -> bool:
    """Wait until a runner is gone; return False when it is still there after all that time."""
    until_ns = clock.monotonic_ns() + round(at_most_s * 1e9)
    while runner.alive():
        if clock.monotonic_ns() >= until_ns:
            return False
        clock.sleep(poll_s)
    return True
