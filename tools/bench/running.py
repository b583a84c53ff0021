"""What the benchmarks share: the endpoint, timed processes, the peers' environments, tables."""

import json
import os
import resource
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.probes.contract import Context

TREE = Path(__file__).resolve().parent.parent.parent
PEERS = TREE / ".venv-bench"
DRILL = TREE / ".venv" / "bin" / "drill"
CHAOS = PEERS / "peers" / "bin" / "chaos"
CHAOS_WITH_PLUGINS = PEERS / "plugins" / "bin" / "chaos"
JOURNAL = "journal.json"
LOCUST = PEERS / "peers" / "bin" / "locust"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report.

    Attributes:
        title: What was measured.
        how: How, in one or two sentences.
        heads: The columns' names.
        rows: The cells, as text.
        said: What follows from it, one line each.

    """

    title: str
    how: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    said: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [f"## {self.title}", "", self.how, "", f"| {' | '.join(self.heads)} |"]
        lines.append(f"| {' | '.join('---' for _ in self.heads)} |")
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        lines += ["", *self.said] if self.said else []
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class Endpoint:
    """The running endpoint; ``seen`` is what it told at its end."""

    port: int
    dns_port: int
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://127.0.0.1:{self.port}/health/regional"


def client_context(place: Endpoint) -> Context:
    """Return where this project's probes find the endpoint: by its name, which they resolve each time."""
    resolver = f"127.0.0.1:{place.dns_port}"
    return Context("bench", None, ("east", "west"), "service.bench", place.port, resolver=resolver)


@contextmanager
def endpoint(kind: str = "", after_s: float = 0, lasts_s: float = 0) -> Iterator[Endpoint]:
    """Yield an endpoint, with a scripted outage if a kind is named; afterwards it tells what happened."""
    script = [kind, str(after_s), str(lasts_s)] if kind else []
    command = [sys.executable, str(Path(__file__).with_name("endpoint.py")), *script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, dns_port = process.stdout.readline().split()
        running = Endpoint(int(port), int(dns_port))
        try:
            yield running
        finally:
            process.terminate()
            running.seen = json.loads(process.stdout.readline() or "{}")


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that has ended."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    printed: str


def ran(command: Sequence[str | Path], **environment: str) -> Ran:
    """Run a command to its end; fails if it did."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in {0, 1}:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{printed[-2000:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(wall_s, cpu_s, usage.ru_maxrss / 1024, printed)


def chaos_hypothesis(folder: Path, place: Endpoint, rate: float, lasts_s: float) -> Ran:
    """Have Chaos Toolkit's continuous hypothesis ask the endpoint so often; its journal is in the folder."""
    experiment = folder / "experiment.yaml"
    experiment.write_text(
        textwrap.dedent(f"""
            title: rate
            description: rate
            steady-state-hypothesis:
              title: answers
              probes:
                - type: probe
                  name: answers
                  tolerance: 200
                  provider: {{type: http, url: "{place.url}", timeout: 2}}
            method:
              - type: action
                name: wait
                provider: {{type: process, path: sleep, arguments: "{lasts_s:g}"}}
            rollbacks: []
        """),
        encoding="utf-8",
    )
    strategy = ("--hypothesis-strategy", "during-method-only", "--hypothesis-frequency", str(1 / rate))
    log = ("--log-file", folder / "chaos.log", "--no-version-check")
    return ran([CHAOS, *log, "run", *strategy, "--journal-path", folder / JOURNAL, experiment])


def share(values: Sequence[float], wanted: float) -> float:
    """Return a quantile of some values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(wanted * len(ordered)))]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return median and range of some values as text."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
