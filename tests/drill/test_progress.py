"""Telling goes on for as long as somebody listens."""

import pytest

from drill.model import History, Marks
from drill.progress import Steadfast


class HungUp:
    """A terminal that was closed: the first line fails."""

    def __init__(self, problem: Exception) -> None:
        """Take how it fails."""
        self.problem = problem
        self.heard = 0

    def phase(self, name: str, detail: str = "") -> None:
        """Fail."""
        self.heard += 1
        raise self.problem

    def seen(self, history: History) -> None:
        """Fail."""
        self.heard += 1
        raise self.problem

    def said(self, line: str) -> None:
        """Fail."""
        self.heard += 1
        raise self.problem


@pytest.mark.parametrize(
    "problem", [BrokenPipeError(), OSError(5, "EIO"), ValueError("I/O operation on closed file")]
)
def test_a_closed_terminal_stops_nothing(problem: Exception) -> None:
    """What can't be told any more is left out, and it is not tried again."""
    terminal = HungUp(problem)
    progress = Steadfast(terminal)

    progress.phase("roll back")
    progress.said("undone")
    progress.seen(History({}, {}, Marks(0)))

    assert 1 == terminal.heard
