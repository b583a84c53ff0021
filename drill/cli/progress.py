"""Live progress: a few lines that renew themselves on a terminal, plain lines or JSON otherwise."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from drill import clock
from drill.cli.states import newest
from drill.model import History

_TELL_NS = 1_000_000_000


class Shown(Protocol):
    """Where progress is shown."""

    def phase(self, name: str, detail: str = "") -> None:
        """Show that a phase begins."""

    def seen(self, history: History) -> None:
        """Show what the probes have seen by now."""

    def said(self, line: str) -> None:
        """Show a line."""


@contextmanager
def for_terminal(*, as_json: bool) -> Iterator[Shown]:
    """Yield the kind of progress that fits where standard output goes."""
    if as_json:
        yield _Json()
    elif sys.stdout.isatty():
        from drill.cli.live import Live

        with Live() as live:
            yield live
    else:
        yield _Plain()


class _Plain:
    """One line for each thing that happens, with seconds since the start."""

    def __init__(self) -> None:
        self._began_ns = clock.monotonic_ns()

    def phase(self, name: str, detail: str = "") -> None:
        self.said(f"{name}: {detail}" if detail else name)

    def seen(self, history: History) -> None:
        """Show nothing: lines that repeat themselves help nobody in a log."""

    def said(self, line: str) -> None:
        click.echo(f"{(clock.monotonic_ns() - self._began_ns) / 1e9:7.1f} s  {line}")


class _Json:
    """One JSON object a line; what the probes see is told once a second."""

    def __init__(self) -> None:
        self._told_ns = 0

    def phase(self, name: str, detail: str = "") -> None:
        self._write({"event": "phase", "phase": name, "detail": detail})

    def seen(self, history: History) -> None:
        now_ns = clock.monotonic_ns()
        if now_ns - self._told_ns >= _TELL_NS:
            self._told_ns = now_ns
            self._write({"event": "seen", "probes": newest(history)})

    def said(self, line: str) -> None:
        self._write({"event": "said", "line": line})

    @staticmethod
    def _write(event: dict[str, object]) -> None:
        click.echo(json.dumps({"at": clock.now().wall, **event}))
