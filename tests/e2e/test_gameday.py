"""A scheduled game day from its notice to its report, with a scheduler that is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from drill import journal, runs, target
from drill.gameday import folder as days
from tests.e2e.conftest import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DAY = """\
schema: 1
name: tests
owner: tests
participants: [{{name: Ada, part: facilitator}}]
target: {target}
schedule: {{rrule: "FREQ=DAILY;COUNT=1", start: {start}, zone: UTC, late_s: {late_s}}}
drills:
  - {{scenario: region-outage}}
  - {{scenario: region-outage, gate: approval, approval_within_s: 300}}
notify:
  - {{webhook_env: HOOK}}
"""
WAIT_S = 200.0


class Room:
    """Where one test's days and runs are, and what people were told."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        """Write a target file with short waits."""
        self.days, self.runs, self.told = folder / "days", folder / "runs", list[str]()
        timing = lab.target.timing.model_copy(update={"warm_up_s": 0.8, "settle_s": 0.8})
        target.dump(lab.target.model_copy(update={"timing": timing}), folder / "target.yaml")
        self._folder = folder

    def day(self, begins: datetime, late_s: float) -> Path:
        """Write a game-day file."""
        path = self._folder / "day.yaml"
        start = f"{begins:%Y-%m-%dT%H:%M:%S}"
        path.write_text(DAY.format(target="target.yaml", start=start, late_s=late_s), encoding="utf-8")
        return path

    def served_since(self, at: datetime) -> None:
        """Have the day served since an instant; what was before would not be missed."""
        self.days.mkdir()
        (self.days / "tests.since").write_text(at.isoformat(), encoding="utf-8")

    def drill(self, *words: str) -> list[str]:
        """Return a command of the game days, with the folders that it works on."""
        where = ["--days", str(self.days)]
        where += ["--runs", str(self.runs)] if words[0] in {"serve", "run", "tick"} else []
        return [sys.executable, "-m", "drill", "gameday", *words, *where]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what the one day's folder says of a kind."""
        return [dict(one) for held in days.listed(self.days) for one in held.events if one["kind"] == kind]

    def injected(self) -> list[Path]:
        """Return the runs that broke something."""
        found = []
        for folder in sorted(self.runs.glob("*")) if self.runs.is_dir() else []:
            if (folder / journal.FILE).exists():
                found += [folder for one in journal.read(folder) if one.kind == "injected"]
        return found


@pytest.fixture
def room(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """Give a room whose people are told by a webhook."""
    made = Room(tmp_path, lab)
    with webhook(made.told) as url:
        monkeypatch.setenv("HOOK", url)
        yield made


@contextmanager
def webhook(told: list[str]) -> Iterator[str]:
    """Yield the address of a webhook that keeps what it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait for something."""
    over = time.monotonic() + WAIT_S
    while not (found := holds()):
        if time.monotonic() > over:
            pytest.fail(f"still waiting for {what}")
        time.sleep(0.05)
    return found


def test_a_day_is_held_once_though_its_scheduler_is_killed(room: Room, lab: Lab) -> None:
    """Two schedulers, one killed in a drill: that drill is put back, the day goes on, all of it once."""
    before = lab.fingerprint()
    file = room.day(datetime.now(UTC) + timedelta(seconds=4), late_s=WAIT_S)
    room.served_since(datetime.now(UTC))
    with ExitStack() as stack:
        schedulers = [
            stack.enter_context(subprocess.Popen(room.drill("serve", str(file)), stdout=subprocess.DEVNULL))
            for _ in range(2)
        ]
        for one in schedulers:
            stack.callback(one.kill)
        (broken,) = until(room.injected, "the first drill to break something")[:1]
        holder = next(one for one in schedulers if one.pid == parent_of_runner(broken))
        os.kill(holder.pid, signal.SIGKILL)

        until(lambda: room.events("drill"), "the first drill to be put back")
        assert not journal.unfinished(journal.read(broken))
        assert before == lab.fingerprint()

        until(lambda: [one for one in room.events("notified") if one["occasion"] == "approval"], "the gate")
        (held,) = days.listed(room.days)
        subprocess.run([*room.drill("approve", held.id)], check=True, capture_output=True)
        until(lambda: room.events("ended"), "the day's end")
        report = until((room.days / held.id / days.REPORT).exists, "the report")
        until(lambda: any(": end" in text for text in room.told), "the last notice")
        survivor = next(one for one in schedulers if one is not holder)
        survivor.terminate()
        assert 0 == survivor.wait(60)

    (held,) = days.listed(room.days)
    assert report
    assert ["interrupted", "met"] == [one["outcome"] for one in held.drills]
    assert 2 == len([one for one in room.runs.iterdir() if (one / journal.FILE).exists()])
    assert not runs.unfinished(room.runs)
    assert before == lab.fingerprint()
    for occasion in ("before", "start", "approval", "breach", "end"):
        assert 1 == sum(f": {occasion}*" in text for text in room.told), room.told


def parent_of_runner(folder: Path) -> int:
    """Return the process that started a run."""
    runner, _ = journal.writer(journal.read(folder))
    assert runner is not None
    status = Path(f"/proc/{runner.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))


def test_a_missed_day_is_skipped_and_told(room: Room) -> None:
    """What breaks a system on purpose does not fire late: nobody served then, so nothing is held, once."""
    file = room.day(datetime.now(UTC) - timedelta(hours=2), late_s=0)
    room.served_since(datetime.now(UTC) - timedelta(days=1))

    for _ in range(2):
        subprocess.run(room.drill("tick", str(file)), check=True, capture_output=True)

    (held,) = days.listed(room.days)
    assert "skipped" == held.state
    assert "missed" in days.reason(held)
    assert not room.runs.exists()
    assert 1 == sum(": skipped*" in text for text in room.told), room.told
