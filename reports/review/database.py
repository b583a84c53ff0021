"""The review's own file: SQLite beside the runs, with the trail and an index of the runs.

The trail can only be added to: the file itself refuses to change or delete a line. The index is
made of the runs and can be thrown away.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from drill.errors import DrillError, UsageError

FILE = "review.sqlite"
SCHEMA = 1
# So long one writer waits for the others; each is done in a fraction of a second.
_BUSY_S = 30.0

_TABLES = f"""
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS trail (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    key TEXT NOT NULL,
    signature TEXT NOT NULL,
    run_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.run_id')) STORED,
    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) STORED,
    who TEXT GENERATED ALWAYS AS (json_extract(body, '$.who')) STORED,
    at TEXT GENERATED ALWAYS AS (json_extract(body, '$.at')) STORED
);
CREATE INDEX IF NOT EXISTS trail_run ON trail (run_id, kind, seq);
CREATE TRIGGER IF NOT EXISTS trail_unchanged BEFORE UPDATE ON trail
    BEGIN SELECT raise(ABORT, 'the trail can only be added to'); END;
CREATE TRIGGER IF NOT EXISTS trail_undeleted BEFORE DELETE ON trail
    BEGIN SELECT raise(ABORT, 'the trail can only be added to'); END;
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY,
    stamp TEXT NOT NULL,
    state TEXT NOT NULL,
    problem TEXT NOT NULL,
    scenario TEXT NOT NULL,
    title TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    series TEXT NOT NULL,
    series_words TEXT NOT NULL,
    operator TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    outcome TEXT NOT NULL,
    exit_code INTEGER,
    reason TEXT NOT NULL,
    changed TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS run_series ON run (scenario, series, started);
CREATE INDEX IF NOT EXISTS run_started ON run (started);
CREATE TABLE IF NOT EXISTS number (
    run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    part TEXT NOT NULL,
    label TEXT NOT NULL,
    unit TEXT NOT NULL,
    low REAL NOT NULL,
    high REAL,
    objective REAL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (run_id, place)
);
PRAGMA user_version = {SCHEMA};
COMMIT;
"""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to the review's file, which is made if it is not there; close it afterwards.

    Raises:
        DrillError: It can't be used, or is of another version.

    """
    with explained(path), closing(_connected(path)) as connection:
        yield connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a line that says what to do."""
    try:
        yield
    except sqlite3.Error as problem:
        msg = f"review file {path} can't be used: {problem}; bring it back from a backup, or free some space"
        raise DrillError(msg) from problem


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            connection.executescript(_TABLES)
        elif version != SCHEMA:
            _refuse(path, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse(path: Path, version: int) -> None:
    msg = (
        f"review file {path} has version {version}, not {SCHEMA}: another drill made it; see: drill --version"
    )
    raise UsageError(msg)
