"""Telling how a drill goes on, to somebody who may have gone."""

from collections.abc import Callable
from typing import Protocol

from drill.model import History


class Progress(Protocol):
    """Who is told how a drill goes on."""

    def phase(self, name: str, detail: str = "") -> None:
        """Hear that a phase begins."""

    def seen(self, history: History) -> None:
        """Hear what the probes have seen by now."""

    def said(self, line: str) -> None:
        """Hear something worth a line."""


class Steadfast:
    """Tells for as long as somebody listens; a closed terminal or pipe never stops a drill."""

    def __init__(self, progress: Progress) -> None:
        """Take who is told."""
        self._progress = progress
        self._gone = False

    def phase(self, name: str, detail: str = "") -> None:
        """Tell that a phase begins."""
        self._tell(lambda: self._progress.phase(name, detail))

    def seen(self, history: History) -> None:
        """Tell what the probes have seen by now."""
        self._tell(lambda: self._progress.seen(history))

    def said(self, line: str) -> None:
        """Tell something worth a line."""
        self._tell(lambda: self._progress.said(line))

    def _tell(self, tell: Callable[[], None]) -> None:
        if self._gone:
            return
        try:
            tell()
        except (OSError, ValueError):  # the terminal hung up, the pipe's reader ended, the stream was closed
            self._gone = True
