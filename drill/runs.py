"""Where runs live: one folder each, named by the run's id."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drill import clock, journal, plan, record
from drill.errors import DrillError, NoSuchRun, UsageError
from drill.plan import Plan
from drill.process import Process
from drill.record import Record

DEFAULT = Path("runs")
RECORD = "record.json"
OBSERVATIONS = "observations.sqlite"
REPORT = "report.html"
_ID = re.compile(r"^\d{8}t\d{6}-[a-z0-9-]+-[0-9a-f]{4}$")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of runs.

    Attributes:
        run_id: Its id.
        folder: Its folder.
        record: What it came to; None if it did not finish.
        unfinished: How many steps are still to be undone, or dead-man's undos to be disarmed.
        problem: Why it can't be read; empty if it can.

    """

    run_id: str
    folder: Path
    record: Record | None
    unfinished: int
    problem: str = ""


def new_id(the_plan: Plan) -> str:
    """Return the id of a new run of a plan."""
    return new_id_of(the_plan.scenario)


def new_id_of(scenario: str) -> str:
    """Return the id of a new run: when, what, and four digits by chance."""
    stamp = clock.now().wall[:19].replace("-", "").replace(":", "").lower()
    return f"{stamp}-{scenario}-{secrets.token_hex(2)}"


def create(root: Path, run_id: str, the_plan: Plan) -> Path:
    """Make the folder of a new run with its plan in it, and return it.

    Raises:
        DrillError: The folder can't be made.

    """
    folder = root / run_id
    try:
        folder.mkdir(parents=True)
        plan.write(the_plan, folder)
        plan.read(folder)  # a rollback must be able to: better to learn it before anything is touched
    except OSError as problem:
        msg = f"run folder {folder} can't be made: {problem.strerror}; choose another with: --runs DIR"
        raise DrillError(msg) from problem
    return folder


def rollback_command(folder: Path) -> str:
    """Return what to type to put back what a run left."""
    where = "" if folder.parent == DEFAULT else f" --runs {folder.parent}"
    return f"drill recover {folder.name}{where}"


def folders(root: Path) -> Iterator[Path]:
    """Yield the folders of all runs, the oldest first."""
    if root.is_dir():
        yield from sorted(entry for entry in root.iterdir() if entry.is_dir() and _ID.match(entry.name))


def find(root: Path, run_id: str) -> Path:
    """Return the folder of a run by its id, a unique beginning or end of it, or ``latest``.

    Raises:
        NoSuchRun: None answers to it.
        UsageError: Several do.

    """
    every = list(folders(root))
    if run_id == "latest" and every:
        return every[-1]
    exact = [folder for folder in every if folder.name == run_id]
    near = [folder for folder in every if folder.name.startswith(run_id) or folder.name.endswith(run_id)]
    match = exact or near
    if not match:
        msg = f"no run {run_id!r} in {root}; list them with: drill runs"
        raise NoSuchRun(msg)
    if len(match) > 1:
        names = ", ".join(folder.name for folder in match)
        msg = f"{run_id!r} is not one run but {len(match)}: {names}"
        raise UsageError(msg)
    return match[0]


def listed(root: Path) -> Iterator[Listed]:
    """Yield every run with what it came to; one that can't be read says why."""
    for folder in folders(root):
        finished, problem, left = None, "", 0
        try:
            if (folder / journal.FILE).exists():
                entries = journal.read(folder)
                left = len(journal.pending(entries)) or int(journal.armed(entries))
            if (folder / RECORD).exists():
                finished = record.read(folder / RECORD)
        except DrillError as error:
            problem = str(error)
        yield Listed(folder.name, folder, finished, left, problem)


def under_way(folder: Path) -> bool:
    """Say whether another process of this machine that is alive wrote a run's journal last."""
    try:
        runner, _ = journal.writer(journal.read(folder))
    except DrillError:
        return False
    return runner is not None and runner != Process.own() and runner.alive()


def unfinished(root: Path, target: str = "") -> tuple[Path, ...]:
    """Return the runs of a target, or of all, whose journal still has something to undo.

    A journal that can't be read counts too: nobody knows what it would undo.
    """
    found = []
    for folder in folders(root):
        if not (folder / journal.FILE).exists():
            continue
        try:
            entries = journal.read(folder)
        except DrillError:
            found.append(folder)
            continue
        its = entries and (not target or entries[0].fields.get("target") == target)
        if its and journal.unfinished(entries):
            found.append(folder)
    return tuple(found)
