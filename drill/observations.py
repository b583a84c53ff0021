"""The store of observations: SQLite in WAL mode, one file a run.

The sampler's process writes while the engine reads: a reader never waits for the writer.
Instants are kept as differences (sent minus due, done minus sent), which SQLite packs in a
few bytes. A commit is not synced to disk: a drill whose machine lost power is not measured
again, and a killed process loses nothing that was committed.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from drill.clock import Instant
from drill.errors import DrillError
from drill.model import Goodness, Json, LedgerRead, LedgerRow, Observation

SCHEMA = 1
BUSY_TIMEOUT_S = 10.0

_TABLES = f"""
CREATE TABLE probe (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE observation (
    id INTEGER PRIMARY KEY,
    probe INTEGER NOT NULL REFERENCES probe,
    number INTEGER NOT NULL,
    due_ns INTEGER NOT NULL,
    lag_ns INTEGER,
    took_ns INTEGER,
    goodness TEXT NOT NULL,
    answered_by TEXT,
    detail TEXT
);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    occasion TEXT NOT NULL,
    sent_ns INTEGER NOT NULL,
    done_ns INTEGER NOT NULL,
    region TEXT,
    error TEXT NOT NULL
);
CREATE TABLE ledger_row (
    ledger INTEGER NOT NULL REFERENCES ledger,
    number INTEGER NOT NULL,
    nonce TEXT NOT NULL
);
CREATE TABLE clock (monotonic_ns INTEGER NOT NULL, wall TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
PRAGMA user_version = {SCHEMA};
"""

_COLUMNS = """
SELECT o.id, p.name, o.number, o.due_ns, o.lag_ns, o.took_ns, o.goodness, o.answered_by, o.detail
FROM observation o JOIN probe p ON p.id = o.probe
"""


class Store:
    """Observations, ledgers and clock readings of one run; one thread at a time uses it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Wrap an open file; use :meth:`create` or :meth:`open`."""
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path) -> "Store":
        """Make a new file.

        Raises:
            DrillError: There is one already, or it can't be written.

        """
        if path.exists():
            msg = f"observations {path} exist already: each run has a file of its own; see: drill runs"
            raise DrillError(msg)
        return cls(path, _opened(path, "rwc", "PRAGMA journal_mode = WAL;" + _TABLES))

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open the file of a run, to read it or to add to it.

        Raises:
            DrillError: There is none, or it is damaged or of another version.

        """
        if not path.exists():
            msg = f"there are no observations at {path}: nothing was watched; see: drill runs"
            raise DrillError(msg)
        connection = _opened(path, "rw", "")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA:
            connection.close()
            msg = f"observations {path} have version {version}, not {SCHEMA}; see: drill runs"
            raise DrillError(msg)
        return cls(path, connection)

    def add(self, observations: Iterable[Observation]) -> None:
        """Add observations in one transaction: all of them or none.

        Raises:
            DrillError: The file is full or damaged.

        """
        batch = list(observations)
        with _explained(self.path), self._connection:
            probes = {name: self._probe_id(name) for name in {each.probe for each in batch}}
            self._connection.executemany(
                "INSERT INTO observation VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(probes[each.probe], each) for each in batch],
            )

    def read(self, after: int = 0) -> tuple[list[Observation], int]:
        """Return what was added after a cursor, in the order of adding, and the next cursor.

        Args:
            after: A cursor that an earlier call returned; 0 for the beginning.

        Raises:
            DrillError: The file is damaged.

        """
        with _explained(self.path):
            rows = self._connection.execute(_COLUMNS + "WHERE o.id > ? ORDER BY o.id", (after,)).fetchall()
        return [_observation(row) for row in rows], rows[-1][0] if rows else after

    def by_probe(self, name: str) -> Iterator[Observation]:
        """Yield the observations of one probe, in the order of adding."""
        with _explained(self.path):
            rows = self._connection.execute(_COLUMNS + "WHERE p.name = ? ORDER BY o.id", (name,))
            yield from map(_observation, rows)

    def add_ledger(self, read: LedgerRead) -> None:
        """Add what one store of the drilled system held.

        Raises:
            DrillError: The file is full or damaged.

        """
        with _explained(self.path), self._connection:
            cursor = self._connection.execute(
                "INSERT INTO ledger VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                (read.store, read.occasion, read.sent_ns, read.done_ns, read.region, read.error),
            )
            self._connection.executemany(
                "INSERT INTO ledger_row VALUES (?, ?, ?)",
                [(cursor.lastrowid, row.number, row.nonce) for row in read.rows],
            )

    def ledgers(self) -> list[LedgerRead]:
        """Return every reading of a ledger, in the order of adding."""
        with _explained(self.path):
            reads = self._connection.execute("SELECT * FROM ledger ORDER BY id").fetchall()
            return [
                LedgerRead(store, occasion, sent, done, region, self._ledger_rows(ledger), error)
                for ledger, store, occasion, sent, done, region, error in reads
            ]

    def add_clock(self, instant: Instant) -> None:
        """Add one reading of both clocks, so that a stepped wall clock can be seen afterwards."""
        with _explained(self.path), self._connection:
            self._connection.execute("INSERT INTO clock VALUES (?, ?)", (instant.monotonic_ns, instant.wall))

    def clocks(self) -> list[Instant]:
        """Return every reading of both clocks, in the order of adding."""
        with _explained(self.path):
            return [
                Instant(*row)
                for row in self._connection.execute("SELECT * FROM clock ORDER BY rowid").fetchall()
            ]

    def put_meta(self, key: str, value: Json) -> None:
        """Keep one value about the run, in place of an older one of that key."""
        with _explained(self.path), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, _compact(value)))

    def meta(self) -> Mapping[str, Json]:
        """Return the values about the run by key."""
        with _explained(self.path):
            return {key: json.loads(value) for key, value in self._connection.execute("SELECT * FROM meta")}

    def close(self) -> None:
        """Close the file; nothing more can be read or added."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _probe_id(self, name: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO probe (name) VALUES (?)", (name,))
        row = self._connection.execute("SELECT id FROM probe WHERE name = ?", (name,)).fetchone()
        return int(row[0])

    def _ledger_rows(self, ledger: int) -> tuple[LedgerRow, ...]:
        rows = self._connection.execute(
            "SELECT number, nonce FROM ledger_row WHERE ledger = ? ORDER BY rowid", (ledger,)
        )
        return tuple(LedgerRow(*row) for row in rows)


def _opened(path: Path, mode: str, script: str) -> sqlite3.Connection:
    """Connect to a file, run a script and look whether SQLite can read it at all."""
    with _explained(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(script)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a line that says what to do."""
    try:
        yield
    except sqlite3.Error as problem:
        if getattr(problem, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            run = path.parent.name
            msg = f"observations {path} can't grow: {problem}; free space, then: drill rollback {run}"
        else:
            msg = f"observations {path} can't be used: {problem}; see: drill runs"
        raise DrillError(msg) from problem


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _row(probe: int, each: Observation) -> tuple[object, ...]:
    lag = None if each.sent_ns is None else each.sent_ns - each.due_ns
    took = None if each.sent_ns is None or each.done_ns is None else each.done_ns - each.sent_ns
    detail = _compact(each.detail) if each.detail else None
    return probe, each.number, each.due_ns, lag, took, each.goodness.value, each.answered_by, detail


def _observation(
    row: tuple[int, str, int, int, int | None, int | None, str, str | None, str | None],
) -> Observation:
    _, probe, number, due, lag, took, goodness, answered_by, detail = row
    sent = None if lag is None else due + lag
    done = None if sent is None or took is None else sent + took
    return Observation(
        probe, number, due, sent, done, Goodness(goodness), answered_by, json.loads(detail) if detail else {}
    )
