"""One drill of a game day: a ``drill run`` in a process of its own, and what becomes of one cut off.

The run's id is chosen and written down before it starts, so that whoever goes on with the day after a
crash knows which run it was: it is stopped if it is still going, put back, and counted as interrupted.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from drill import abort, clock, exit_codes, journal, record, rollback, runs, target
from drill.errors import DrillError, UsageError
from drill.gameday import blackout, expected, store
from drill.gameday import folder as days
from drill.gameday.form import GameDay, PlannedDrill
from drill.model import Json
from drill.process import Process
from drill.target import objective_option

INTERRUPTED = "interrupted"
_STOPPING_S = 600.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drill of a day runs.

    Attributes:
        root: The folder of all runs.
        folder: The day's folder.
        day: The day.
        number: Which drill of it, from 0.

    """

    root: Path
    folder: Path
    day: GameDay
    number: int

    @property
    def drill(self) -> PlannedDrill:
        """The drill."""
        return self.day.drills[self.number]

    @property
    def marker(self) -> Path:
        """Where the run's id stands before the run begins."""
        return self.folder / f"drill-{self.number}.run"


def run(place: Place, goes_on: Callable[[], bool]) -> Mapping[str, Any]:
    """Run a drill, or take up what is left of one that was cut off; return what became of it.

    Args:
        place: Which drill.
        goes_on: Asked again and again; when it says no the drill is stopped and rolls back.

    """
    if place.marker.exists():
        return _taken_up(place)
    run_id = runs.new_id_of(place.drill.scenario)
    if why := _in_blackout(place):
        return _told(place, run_id, "refused", exit_codes.REFUSED, why)
    place.marker.write_text(run_id, encoding="utf-8")
    log = place.folder / f"drill-{place.number}.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            command(place, run_id),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**_environment(), "DRILL_GAME_DAY": place.folder.name},
        )
        return _became(place, run_id, _ended(process, goes_on))


def _in_blackout(place: Place) -> str:
    """Return why a drill may not begin now: the day may be late, or an event may have been added since."""
    if place.day.blackout is None:
        return ""
    try:
        takes_s = expected.drill_s(place.drill, target.load(place.day.target))
    except DrillError as problem:
        return str(problem)
    return blackout.forbids(place.day, datetime.fromisoformat(clock.now().wall), takes_s)


def _environment() -> dict[str, str]:
    """Return what a drill may know: it does not need the password of the days' store."""
    return {name: value for name, value in os.environ.items() if name != store.VARIABLE}


def _ended(process: subprocess.Popen[bytes], goes_on: Callable[[], bool]) -> int:
    """Wait for a drill's end, and return its exit code."""
    while True:
        try:
            return process.wait(0.5)
        except subprocess.TimeoutExpired:
            if not goes_on():
                process.terminate()  # it rolls back, and a second signal would not hurry it
                return process.wait()


def command(place: Place, run_id: str) -> list[str]:
    """Return what is typed for a drill."""
    day, drill = place.day, place.drill
    words = [sys.executable, "-m", "drill", "run", drill.scenario, "--run-id", run_id]
    words += ["--target", str(day.target), "--runs", str(place.root.resolve())]
    words += ["--confirm", day.confirm] if day.confirm else []
    for name, value in drill.params.items():
        flag = f"--{name.replace('_', '-')}"
        words += ([flag] if value else []) if isinstance(value, bool) else [flag, str(value)]
    for name, limit in drill.objectives:
        words += [objective_option(name), str(limit)] if limit is not None else []
    for text in (*drill.stop_when, *day.stop_when):
        words += ["--stop-when", text]
    return words


def _taken_up(place: Place) -> Mapping[str, Any]:
    """Return what became of a drill that an earlier process began."""
    run_id = place.marker.read_text(encoding="utf-8").strip()
    folder = place.root / run_id
    if not (folder / journal.FILE).exists():
        _end(run_id)
    cut_off = not (folder / runs.RECORD).exists()
    if (folder / journal.FILE).exists():
        cut_off = _put_back(folder) or cut_off
    if cut_off:
        reason = "the scheduler of the game day died; what was broken is put back"
        return _told(place, run_id, INTERRUPTED, exit_codes.INTERRUPTED, reason)
    return _became(place, run_id, record.read(folder / runs.RECORD).exit_code)


def _end(run_id: str) -> None:
    """End a drill that has touched nothing yet, since it still looks whether it may begin, and await its end.

    Raises:
        DrillError: It does not end.

    """
    runner = Process.started_with("--run-id", run_id)
    if runner is None:
        return
    runner.ask_to_end()  # should it have begun meanwhile, it rolls back
    if not abort.ended(runner, _STOPPING_S, 0.2):
        msg = f"{runner} of run {run_id} does not end; look at it, and then: drill recover"
        raise DrillError(msg)


def _put_back(folder: Path) -> bool:
    """Stop a run that is still going, and undo what it left; say whether there was anything to do.

    Raises:
        DrillError: It could not be put back.

    """
    runner, _ = journal.writer(journal.read(folder))
    going = runner is not None and runner.alive()
    left = going or journal.unfinished(journal.read(folder))
    if going:
        stopped = abort.ask(folder, "the game day's scheduler died")
        if not abort.ended(stopped, _STOPPING_S, 0.2):
            msg = f"run {folder.name} does not end; see: drill abort {folder.name}"
            raise DrillError(msg)
    # Its watchdog may be at it; then the journal is closed when it is done.
    until_ns = clock.monotonic_ns() + round(_STOPPING_S * 1e9)
    while journal.unfinished(journal.read(folder)):
        try:
            rollback.replay(folder)
        except UsageError:
            raise
        except DrillError:
            if clock.monotonic_ns() > until_ns:
                raise
        clock.sleep(0.5)
    return left


def _became(place: Place, run_id: str, code: int) -> Mapping[str, Any]:
    folder = place.root / run_id
    if (folder / runs.RECORD).exists():
        finished = record.read(folder / runs.RECORD)
        outcome = INTERRUPTED if code == exit_codes.INTERRUPTED else finished.outcome.value
        return _told(place, run_id, outcome, finished.exit_code, finished.reason)
    outcome = {exit_codes.REFUSED: "refused", exit_codes.INTERRUPTED: INTERRUPTED}.get(code, "failed")
    lines = (place.folder / f"drill-{place.number}.log").read_text(encoding="utf-8").splitlines()
    return _told(place, run_id, outcome, code, lines[-1] if lines else f"it ended with {code}")


def _told(place: Place, run_id: str, outcome: str, code: int, reason: str) -> Mapping[str, Any]:
    told: dict[str, Json] = {
        "number": place.number,
        "scenario": place.drill.scenario,
        "run_id": run_id,
        "outcome": outcome,
        "exit_code": code,
        "reason": reason,
    }
    days.note(place.folder, "drill", **told)
    return told
