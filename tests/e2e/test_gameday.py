"""Game days on the lab: one whose schedulers are killed and told to end in its drills, and a missed one."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from drill import journal, runs, target
from drill.gameday import folder as days
from drill.target import Target
from tests.e2e.conftest import Lab, tried

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
  - {{scenario: region-outage}}
notify:
  - {{webhook_env: HOOK}}
"""
WAIT_S = 200.0


class Room:
    """Where one test's day and its runs are, and what people were told."""

    def __init__(self, folder: Path, lab: Lab, told: list[str]) -> None:
        """Write a target file with short waits; ``told`` gets what people are told."""
        folder.mkdir(exist_ok=True)
        self.days, self.runs, self.told = folder / "days", folder / "runs", told
        target.dump(quick(lab), folder / "target.yaml")
        self.file, self._folder, self._lab = folder / "day.yaml", folder, lab

    def anew(self) -> "Room":
        """Return another one, in which nothing has happened yet."""
        self.told.clear()
        return Room(self._folder / f"again-{len(list(self._folder.iterdir()))}", self._lab, self.told)

    def day(self, begins: datetime, late_s: float) -> None:
        """Write a game-day file."""
        start = f"{begins:%Y-%m-%dT%H:%M:%S}"
        text = DAY.format(target="target.yaml", start=start, late_s=late_s)
        self.file.write_text(text, encoding="utf-8")

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

    def injected(self) -> set[Path]:
        """Return the runs that broke something."""
        found = set()
        for folder in self.runs.glob("*") if self.runs.is_dir() else ():
            if (folder / journal.FILE).exists():
                found |= {folder for one in journal.read(folder) if one.kind == "injected"}
        return found

    @property
    def kept(self) -> bool:
        """Whether a busy machine kept one of the first two drills from breaking anything."""
        return any(one["outcome"] != "interrupted" for one in self.events("drill") if one["number"] < 2)

    def breaks(self, known: set[Path]) -> Path | None:
        """Wait until another drill breaks something, and return its run; None if that is kept from it."""
        until(lambda: self.injected() - known or self.kept, "a drill to break something")
        return next(iter(self.injected() - known), None)


class Scheduler:
    """A ``drill gameday serve`` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Read where its health endpoint is."""
        assert process.stdout is not None
        found = re.search(r"health: (\S+)", process.stdout.readline())
        assert found is not None
        self.process, self._where = process, found[1]

    def health(self) -> dict[str, Any]:
        """Ask how it goes."""
        try:
            with urllib.request.urlopen(self._where, timeout=30) as answer:  # noqa: S310 (loopback)
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as busy:  # it has not looked for a while; it says so, and how it goes
            with busy:
                found = json.load(busy)
        return found


@contextmanager
def serving(room: Room) -> Iterator[Scheduler]:
    """Start a scheduler, and end what is left of it."""
    command = room.drill("serve", str(room.file), "--health", "127.0.0.1:0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Scheduler(process)
        finally:
            process.kill()


@pytest.fixture
def room(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """Give a room whose people are told by a webhook."""
    told = list[str]()
    with webhook(told) as url:
        monkeypatch.setenv("HOOK", url)
        yield Room(tmp_path / "room", lab, told)


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


def test_nothing_stays_broken_whatever_ends_the_scheduler(room: Room, lab: Lab) -> None:
    """One is killed in a drill, one told to end in the next: both are put back, and the day goes on, once."""
    before = lab.fingerprint()

    held = tried(lambda: held_to_the_third(room.anew(), lab, before), lambda held: held.kept)

    assert not runs.unfinished(held.runs)
    assert before == lab.fingerprint()
    subprocess.run(held.drill("tick", str(held.file)), check=True, capture_output=True)
    check_the_whole_day(held)


def held_to_the_third(room: Room, lab: Lab, before: str) -> Room:
    """Have a day's first two drills interrupted in the midst; nothing goes on when this returns."""
    room.day(datetime.now(UTC) + timedelta(seconds=2), late_s=WAIT_S)
    room.served_since(datetime.now(UTC))
    with ExitStack() as stack:
        schedulers = [stack.enter_context(serving(room)) for _ in range(2)]
        broken = room.breaks(set())
        if broken is None:
            for one in schedulers:
                one.process.terminate()
            assert [0, 0] == [one.process.wait(WAIT_S) for one in schedulers]
            return room
        holder = next(one for one in schedulers if one.process.pid == parent_of_runner(broken))
        survivor = next(one for one in schedulers if one is not holder)
        os.kill(holder.process.pid, signal.SIGKILL)

        until(lambda: room.events("drill"), "the first drill to be put back")
        assert not journal.unfinished(journal.read(broken))
        assert before == lab.fingerprint()

        (held,) = until(lambda: [one for one in days.listed(room.days) if one.waits_for == 1], "the gate")
        subprocess.run([*room.drill("approve", held.id)], check=True, capture_output=True)
        going = room.breaks({broken}) is not None
        assert survivor.health()["serving"]
        survivor.process.terminate()
        if going:  # it puts the drill back first
            until(lambda: survivor.health()["stopping"], "the health endpoint to say so")
        assert 0 == survivor.process.wait(WAIT_S)
    return room


def check_the_whole_day(room: Room) -> None:
    """See that each drill was held once, the last one to its end, and that people were told of all of it."""
    (held,) = days.listed(room.days)
    assert ("ended", "") == (held.state, days.reason(held))
    *interrupted, last = [str(one["outcome"]) for one in held.drills]
    assert ["interrupted", "interrupted"] == interrupted
    assert last in {"met", "inconclusive"}  # a busy machine proves nothing
    assert 3 == len([one for one in room.runs.iterdir() if (one / journal.FILE).exists()])
    assert (room.days / held.id / days.REPORT).exists()
    for occasion, times in {"before": 1, "start": 1, "approval": 1, "end": 1}.items():
        assert times == sum(f": {occasion}*" in text for text in room.told), room.told
    assert 2 + (last != "met") == sum(": breach*" in text for text in room.told), room.told


def parent_of_runner(folder: Path) -> int:
    """Return the process that started a run."""
    runner, _ = journal.writer(journal.read(folder))
    assert runner is not None
    status = Path(f"/proc/{runner.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))


def test_a_missed_day_is_skipped_and_told(room: Room) -> None:
    """What breaks a system on purpose does not fire late: nobody served then, so nothing is held, once."""
    room.day(datetime.now(UTC) - timedelta(hours=2), late_s=0)
    room.served_since(datetime.now(UTC) - timedelta(days=1))

    for _ in range(2):
        subprocess.run(room.drill("tick", str(room.file)), check=True, capture_output=True)

    (held,) = days.listed(room.days)
    assert "skipped" == held.state
    assert "missed" in days.reason(held)
    assert not room.runs.exists()
    assert 1 == sum(": skipped*" in text for text in room.told), room.told


def quick(lab: Lab) -> Target:
    """Return the lab's target with short waits."""
    timing = lab.target.timing.model_copy(update={"warm_up_s": 0.8, "settle_s": 0.8})
    return lab.target.model_copy(update={"timing": timing})
