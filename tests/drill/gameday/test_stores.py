"""A day is held once and gone on with, whichever store it is kept in, and nobody reads the store's password."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.drill.gameday.conftest import Stores
from tests.drill.gameday.quick_day import Room, until

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    """Give a room with a store of each kind."""
    if request.param == "sqlite":
        return Room(tmp_path, "")
    stores: Stores = request.getfixturevalue("stores")
    return Room(tmp_path, stores.url())


@contextmanager
def serving(room: Room, file: Path, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start some schedulers, and end what is left of them."""
    with ExitStack() as stack:
        said = stack.enter_context((room.folder / "said").open("ab"))
        started = [
            stack.enter_context(
                subprocess.Popen(
                    room.typed("serve", str(file)), stdout=said, stderr=said, env=room.environment
                )
            )
            for _ in range(count)
        ]
        for one in started:
            stack.callback(one.kill)
        yield started


def test_a_day_is_held_once_by_two_schedulers_one_of_which_is_killed(room: Room) -> None:
    """One is killed in the first drill: the other goes on, and no drill is begun twice."""
    file = room.due()
    with serving(room, file, 2) as schedulers:
        until(lambda: list(room.days.glob("*/drill-0.log")), "the first drill")
        holder = next(one for one in schedulers if children(one.pid))
        os.kill(holder.pid, signal.SIGKILL)

        until(room.asked, "the gate")
        approved = room.ended("approve", room.held.id)
        until(lambda: room.events("ended"), "the day's end")
        survivor = next(one for one in schedulers if one is not holder)
        survivor.terminate()
        assert 0 == survivor.wait(60)

    assert 0 == approved.returncode, approved.stderr
    assert ["interrupted", "refused"] == [one["outcome"] for one in room.held.drills]
    assert 2 == len(room.events("drill"))
    for number in range(2):
        log = next(room.days.glob(f"*/drill-{number}.log")).read_text(encoding="utf-8")
        assert 1 == log.count("drill: refused"), log
    assert 1 == len(room.asked())
    assert (room.days / room.held.id / "report.html").exists()


def children(pid: int) -> list[str]:
    """Return the processes that a process started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split() + [
        one
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for one in (thread / "children").read_text(encoding="utf-8").split()
        if thread.name != str(pid)
    ]
