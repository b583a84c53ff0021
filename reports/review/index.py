"""The index of the runs: what the list and the trends are made of, kept up by what changed on disk.

A run is read again when one of its files has another size, or another time of change of the file
or of its entry (``ctime``, which no program sets back), so looking costs a few stats a run.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from drill import evidence, journal, record, runs, signing
from drill.errors import DrillError
from drill.record import Record
from reports import numbers
from reports.review import database
from reports.review.keys import Ring
from reports.review.proof import prove
from reports.review.trail import Trail

FINISHED, UNFINISHED, ENDED_EARLY, UNREADABLE = "finished", "unfinished", "ended early", "unreadable"
_FILES = (journal.FILE, runs.OBSERVATIONS, runs.RECORD, evidence.FILE, signing.SIGN_OFFS)
_COLUMNS = 17


@dataclass(frozen=True, slots=True)
class Source:
    """Where the index reads from, and what it proves with."""

    root: Path
    ring: Ring

    @property
    def path(self) -> Path:
        """Return the review's file."""
        return self.root / database.FILE


def refresh(source: Source, told: Callable[[int, int], object] | None = None) -> int:
    """Bring the index up to what is on disk, and return how many runs were read.

    Args:
        source: Where from.
        told: Called with how many runs were read, of how many, now and then.

    Raises:
        DrillError: The review's file can't be used.

    """
    with database.opened(source.path) as connection:
        known = dict(connection.execute("SELECT run_id, stamp FROM run"))
        there = dict(_stamps(source.root))
        stale = [run_id for run_id, stamp in there.items() if known.get(run_id) != stamp]
        gone = [run_id for run_id in known if run_id not in there]
        if not stale and not gone:
            return 0
        rows = []
        for number, run_id in enumerate(stale):
            if told is not None and number % 50 == 0:
                told(number, len(stale))
            rows.append(_read(source, run_id, there[run_id]))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM run WHERE run_id = ?", [(run_id,) for run_id in (*stale, *gone)])
        for run, found in rows:
            connection.execute(f"INSERT INTO run VALUES ({', '.join('?' * _COLUMNS)})", run)  # noqa: S608
            connection.executemany("INSERT INTO number VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", found)
        connection.execute("COMMIT")
    return len(stale)


def earlier(source: Source, mine: Record, most: int = 1) -> Iterator[Record]:
    """Yield the records of the drills before one with which it may be compared: the newest, and the best."""
    leading = numbers.numbers(mine)[:1]
    name, part = leading[0].key if leading else ("", "")
    with database.opened(source.path) as connection:
        where = "series = ? AND started < ? AND state = ?"
        given = (numbers.series(mine).key, mine.started.wall, FINISHED)
        newest = connection.execute(
            f"SELECT run_id FROM run WHERE {where} ORDER BY started DESC LIMIT ?",  # noqa: S608
            (*given, most),
        )
        best = connection.execute(
            f"SELECT run_id FROM run JOIN number USING (run_id) WHERE {where} AND name = ? AND part = ? "  # noqa: S608
            "AND high IS NOT NULL ORDER BY high LIMIT 1",
            (*given, name, part),
        )
        found = [row["run_id"] for row in (*newest, *best)]
    for run_id in dict.fromkeys(found):
        yield record.read(source.root / run_id / runs.RECORD)


def stamp(folder: Path) -> str:
    """Return what changes when one of a run's files does."""
    return json.dumps([_stamp(f"{folder}/{name}") for name in _FILES])


def _stamps(root: Path) -> Iterator[tuple[str, str]]:
    for folder in runs.folders(root):
        yield folder.name, stamp(folder)


def _stamp(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (of thousands of files; a Path each would take most of the time)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read(source: Source, run_id: str, known_by: str) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    """Return the rows of a run, whatever state it is in."""
    folder = source.root / run_id
    finished: Record | None = None
    state, problem = FINISHED, ""
    there = (folder / runs.RECORD).exists()
    try:
        if (folder / journal.FILE).exists() and journal.unfinished(journal.read(folder)):
            state = UNFINISHED
        if there:
            finished = record.read(folder / runs.RECORD)
        elif state == FINISHED:
            state = ENDED_EARLY
    except DrillError as error:
        state, problem = UNREADABLE, str(error)
    faults = prove(folder, Trail(source.path), source.ring, whole_trail=False).faults if there else ()
    return (
        (run_id, known_by, state, problem, *_columns(run_id, finished), faults[0] if faults else ""),
        _numbers(run_id, finished) if finished else [],
    )


def _columns(run_id: str, found: Record | None) -> tuple[object, ...]:
    if found is None:
        day = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:{run_id[11:13]}:{run_id[13:15]}"
        scenario = run_id[16:].rpartition("-")[0]
        return (scenario, "", "", "", "", "", "", day, "", "", None, "")
    its = numbers.series(found)
    return (
        found.scenario,
        found.title,
        found.target,
        found.environment.get("kind", ""),
        its.key,
        its.words,
        found.operator,
        found.started.wall,
        found.ended.wall,
        found.outcome.value,
        found.exit_code,
        found.reason,
    )


def _numbers(run_id: str, found: Record) -> list[tuple[object, ...]]:
    return [
        (
            run_id,
            place,
            one.name,
            one.part,
            one.label,
            one.unit,
            one.low,
            one.high,
            one.objective,
            one.outcome.value if one.outcome else "",
        )
        for place, one in enumerate(numbers.numbers(found))
    ]


def rows(path: Path, query: str, given: Mapping[str, object] | tuple[object, ...]) -> list[sqlite3.Row]:
    """Return the rows of a query of the index.

    Raises:
        DrillError: The review's file can't be used.

    """
    with database.opened(path) as connection:
        return connection.execute(query, given).fetchall()
