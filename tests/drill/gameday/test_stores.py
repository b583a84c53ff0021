"""A PostgreSQL store: a day is held once and gone on with, one serves, and nobody is told its password."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drill import cli, exit_codes
from drill.gameday import folder, form, store
from drill.process import Process
from tests.drill.gameday.conftest import Stores
from tests.drill.gameday.quick_day import Room, silent, until
from tests.reports.review import held

pytestmark = pytest.mark.timeout(400)


@contextmanager
def serving(room: Room, file: Path, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start some schedulers, and end what is left of them."""
    with ExitStack() as stack:
        said = stack.enter_context((room.folder / "said").open("ab"))
        started = [
            stack.enter_context(
                subprocess.Popen(
                    room.typed("serve", str(file), "--health", "127.0.0.1:0"),
                    stdout=said,
                    stderr=said,
                    env=room.environment,
                )
            )
            for _ in range(count)
        ]
        for one in started:
            stack.callback(one.kill)
        yield started


def test_a_day_is_held_once_whatever_ends_its_schedulers(stores: Stores, tmp_path: Path) -> None:
    """One is killed in a drill, one is told to end while the day waits: the next goes on, all of it once."""
    with ExitStack() as stack:
        endpoint, close = stack.enter_context(silent())
        room = Room(tmp_path, stores.url(), endpoint)
        file = room.due()
        schedulers = stack.enter_context(serving(room, file, 2))
        drill = until(lambda: begun(room), "the first drill")
        holder = next(one for one in schedulers if one.pid == parent(drill.pid))
        os.kill(holder.pid, signal.SIGKILL)
        close()

        until(lambda: room.held.waits_for == 1, "the gate")
        assert not drill.alive()
        survivor = next(one for one in schedulers if one is not holder)
        survivor.terminate()
        assert 0 == survivor.wait(60)

    # Nobody serves now: the answer waits in the store.
    held.approve(room.days, room.folder / "runs", room.store, room.held.id)
    ticked = room.ended("tick", str(file))

    assert (0, "ended") == (ticked.returncode, room.held.state), ticked.stderr
    assert ["Nora"] == [one["by"] for one in room.events("approved")]
    assert ["interrupted", "refused"] == [one["outcome"] for one in room.held.drills]
    assert 2 == len(room.events("drill"))
    logs = [one.read_text(encoding="utf-8") for one in sorted(room.days.glob("*/drill-*.log"))]
    # The first may have been ended before it said anything.
    assert [log.count("guard: checking") for log in logs] in ([0, 1], [1, 1]), logs
    told = Counter(one["occasion"] for one in room.events("notified"))
    assert {"before": 1, "start": 1, "breach": 2, "approval": 1, "end": 1} == told
    assert (room.days / room.held.id / "report.html").exists()
    every = [one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()]
    assert not [one for one in every if stores.password.encode() in one]
    assert stores.password not in ticked.stdout + ticked.stderr


def begun(room: Room) -> Process | None:
    """Return the process of the day's first drill, once there is one."""
    for marker in room.days.glob("*/drill-0.run"):
        return Process.started_with("--run-id", marker.read_text(encoding="utf-8"))
    return None


def parent(pid: int) -> int:
    """Return the process that started a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"^PPid:\s+(\d+)", status, re.MULTILINE)[0])


SECRET = "s3cret-and-long"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:9/days",
        f"postgresql://127.0.0.1:9/days?user=me&password={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:54x/days",
        f"postgresql:/me:{SECRET}@127.0.0.1/days",
        f"postgresql://me:with@{SECRET}@127.0.0.1:9/days",
        f"postgresql://me:{SECRET}@127.0.0.1:9/days?no_such_option=1",
        f"mysql://me:{SECRET}@127.0.0.1:9/days",
        f"postgresql://me:{SECRET}@127.0.0.1:9",
    ],
)
@pytest.mark.parametrize("words", [["tick", "day.yaml"], ["veto", "latest"]])
def test_a_store_that_can_not_be_used_is_told_without_its_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    url: str,
    words: list[str],
) -> None:
    """Nobody there, no such option, no address: one line that says what to correct, and nothing is begun."""
    room = Room(tmp_path, url)
    planned(room)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(store.VARIABLE, url)

    code = cli.outcome_of(["gameday", *words, "--days", str(room.days)])

    said = capfd.readouterr()
    assert exit_codes.USAGE == code
    assert 1 == len(said.err.splitlines()), said.err
    assert store.VARIABLE in said.err
    assert SECRET not in said.out + said.err


def test_a_wrong_password_is_told_and_not_quoted(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the database server says of a login is told, without what was typed."""
    room = Room(tmp_path, stores.url().replace(stores.password, SECRET))
    file = planned(room)
    monkeypatch.setenv(store.VARIABLE, room.store)

    code = cli.outcome_of(["gameday", "tick", str(file), "--days", str(room.days)])

    said = capfd.readouterr().err
    assert exit_codes.USAGE == code
    assert "password authentication failed" in said
    assert SECRET not in said
    assert "planned" == room.held.state


def test_a_lock_is_of_one_scheduler_until_its_session_ends(stores: Stores) -> None:
    """A second one waits; when the first one's session is cut, it sees so, and may have lost the lock."""
    url = store.address(Path(), stores.url())
    with store.lock(url) as first, store.lock(url) as second:
        assert (True, False) == (first.take(), second.take())
        assert first.take() is True

        stores.cut()

        assert (None, None) == (first.take(), second.take())
        assert "terminat" in first.why
        until(lambda: second.take() is True, "the cut session's end")
        assert first.take() is False


def test_a_scheduler_that_lost_the_lock_to_another_ends(stores: Stores, tmp_path: Path) -> None:
    """Its session is cut and another takes the lock: it serves no more, and says why."""
    room = Room(tmp_path, stores.url())
    file = room.due()
    file.write_text(re.sub("start: [^,]+", "start: 2099-01-01T10:00:00", file.read_text(encoding="utf-8")))
    with serving(room, file, 1) as (scheduler,), store.lock(store.address(Path(), room.store)) as mine:
        until(lambda: healthy(tmp_path / "said"), "the scheduler to serve")

        def taken() -> bool:
            stores.cut()
            return mine.take() is True or mine.take() is True  # the first finds its own session cut

        until(taken, "the lock to be taken from it")
        assert exit_codes.USAGE == scheduler.wait(60)
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert "another scheduler serves it now" in said
    assert stores.password not in said


def healthy(said: Path) -> bool:
    """Ask the scheduler whether it serves."""
    where = re.search(r"health: (\S+)", said.read_text(encoding="utf-8"))
    if where is None:
        return False
    try:
        with urllib.request.urlopen(where[1], timeout=30) as answer:  # noqa: S310 (loopback)
            return bool(json.load(answer)["serving"])
    except urllib.error.HTTPError as busy:  # it has not looked for a while
        busy.close()
        return False


def planned(room: Room) -> Path:
    """Write a day that is planned and not begun."""
    file = room.due()
    day = form.load(file)
    folder.begin(room.days, folder.day_id(day.name, datetime.now(UTC)), day)
    return file
