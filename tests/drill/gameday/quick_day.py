"""A day whose drills end at once: each is a real ``drill run`` that a guard refuses, since nobody answers.

So what holds of a day in every store (held once, gone on with, answered) costs seconds and no lab.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.gameday import folder as days
from drill.gameday.folder import Held
from tests.drill.test_target import make_document

NOBODY = "http://127.0.0.1:9"
WAIT_S = 120.0
DAY = """\
schema: 1
name: quick
owner: tests
target: target.yaml
schedule: {{rrule: "FREQ=DAILY;COUNT=1", start: {start}, zone: UTC, late_s: 600}}
drills:
  - {{scenario: region-outage}}
  - {{scenario: region-outage, gate: approval, approval_within_s: 600}}
"""


@contextmanager
def silent() -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield an endpoint that takes every call and answers none, and what ends it: nobody is there then.

    So long a drill looks whether it may begin.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", listening.close


class Room:
    """Where one test's days are, and which store they are kept in."""

    def __init__(self, folder: Path, store: str, endpoint: str = NOBODY) -> None:
        """Write the target that nobody answers for."""
        self.folder, self.days, self.store = folder, folder / "days", store
        document = {**make_document(), "endpoint_url": endpoint, "disposable": True}
        (folder / "target.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def due(self) -> Path:
        """Write a day that is due now, and say that it has been served for long."""
        begins = datetime.now(UTC)
        self.days.mkdir()
        (self.days / "quick.since").write_text((begins - timedelta(days=1)).isoformat(), encoding="utf-8")
        path = self.folder / "day.yaml"
        path.write_text(DAY.format(start=f"{begins:%Y-%m-%dT%H:%M:%S}"), encoding="utf-8")
        return path

    def typed(self, *words: str) -> list[str]:
        """Return a command of the game days, with the folder that it works on."""
        where = ["--days", str(self.days)]
        where += ["--runs", str(self.folder / "runs")] if words[0] in {"serve", "run", "tick"} else []
        return [sys.executable, "-m", "drill", "gameday", *words, *where]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a command; the store's address is in one, since it may hold a password."""
        return {**os.environ, "DRILL_GAMEDAY_STORE": self.store}

    def ended(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type a command, and wait for its end."""
        return subprocess.run(
            self.typed(*words),
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            timeout=WAIT_S,
        )

    @property
    def held(self) -> Held:
        """The one day."""
        (held,) = days.listed(self.days)
        return held

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what the one day's folder says of a kind."""
        return [dict(one) for held in days.listed(self.days) for one in held.events if one["kind"] == kind]

    def asked(self) -> list[dict[str, Any]]:
        """Return the notices that a drill waits for an approval."""
        return [one for one in self.events("notified") if one["occasion"] == "approval"]


def until(holds: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
    """Wait for something."""
    over = time.monotonic() + wait_s
    while not (found := holds()):
        if time.monotonic() > over:
            pytest.fail(f"still waiting for {what}")
        time.sleep(0.05)
    return found
