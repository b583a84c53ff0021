"""The store of observations: SQLite in WAL mode, one file a run.

The sampler's process writes while the engine reads: a reader never waits for the writer.
Attempts are kept in segments, those of one probe that were added together, packed to a few bytes
each; what they saw besides is packed beside them and read only when somebody asks for it. Every
row has a checksum and the segments are numbered without a gap, since SQLite has neither: a damaged
file is told, and never read as other numbers. A commit is not synced to disk: a drill whose
machine lost power is not measured again, and a killed process loses nothing that was committed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from drill.clock import Instant
from drill.errors import DrillError
from drill.ledger_rows import Draft, StoredRows
from drill.model import Json, LedgerRead, Observation
from drill.packing import checksum
from drill.reader import Reader
from drill.segments import Segments
from drill.sqlite_file import SqliteFile

SCHEMA = 2
_SEALED = "sealed"

_TABLES = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL);
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    probes INTEGER NOT NULL,
    count INTEGER NOT NULL,
    attempts BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE detail (
    id INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    packed BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    occasion TEXT NOT NULL,
    sent_ns INTEGER NOT NULL,
    done_ns INTEGER NOT NULL,
    region TEXT,
    error TEXT NOT NULL,
    pages INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE ledger_page (
    ledger INTEGER NOT NULL,
    number INTEGER NOT NULL,
    count INTEGER NOT NULL,
    rows BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (ledger, number)
);
CREATE TABLE clock (monotonic_ns INTEGER NOT NULL, wall TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL);
PRAGMA user_version = {SCHEMA};
"""


class Store:
    """Observations, ledgers and clock readings of one run; one thread at a time uses it."""

    def __init__(self, file: SqliteFile) -> None:
        """Wrap an open file; use :meth:`create` or :meth:`open`."""
        self._file = file
        self._segments = Segments(file)
        self.path = file.path

    @classmethod
    def create(cls, path: Path) -> "Store":
        """Make a new file.

        Raises:
            DrillError: There is one already, or it can't be written.

        """
        if path.exists():
            msg = f"observations {path} exist already: each run has a file of its own; see: drill runs"
            raise DrillError(msg)
        return cls(SqliteFile(path, "rwc", _TABLES))

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open the file of a run, to read it or to add to it.

        Raises:
            DrillError: There is none, or it is damaged or of another version.

        """
        if not path.exists():
            msg = f"there are no observations at {path}: nothing was watched; see: drill runs"
            raise DrillError(msg)
        file = SqliteFile(path, "rw")
        if file.version != SCHEMA:
            version = file.version
            file.close()
            msg = (
                f"observations {path} have version {version}, and this drill reads {SCHEMA}: read them with "
                "the drill that wrote them (its version is in record.json); see: drill runs"
            )
            raise DrillError(msg)
        return cls(file)

    def add(self, observations: Iterable[Observation]) -> None:
        """Add observations in one transaction: all of them or none.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        self._segments.add(observations)

    def read(self, after: int = 0) -> tuple[list[Observation], int]:
        """Return what was added after a cursor, each probe's in the order of adding, and the next cursor.

        Args:
            after: A cursor that an earlier call returned; 0 for the beginning.

        Raises:
            DrillError: The file is damaged or gone.

        """
        reader = self.reader(after=after)
        reader.more()
        every = (one for columns in reader.seen.values() for one in columns)
        return [_whole(one) for one in every], reader.cursor

    def by_probe(self, name: str) -> Iterator[Observation]:
        """Yield the observations of one probe, in the order of adding."""
        reader = self.reader([name])
        reader.more()
        yield from map(_whole, reader.seen[name])

    def reader(self, probes: Iterable[str] = (), after: int = 0) -> Reader:
        """Return what reads on and on from here.

        Args:
            probes: Names that are to be there even before anything was observed.
            after: Where to begin; 0 for the beginning.

        """
        return Reader(self._segments, probes, after)

    def draft(self) -> Draft:
        """Begin a reading of a ledger: its rows go into the file as they come."""
        return Draft(self._file)

    def add_ledger(self, read: LedgerRead) -> None:
        """Add what one store of the drilled system held.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        rows = read.rows
        if not isinstance(rows, StoredRows):
            draft = self.draft()
            draft.add(rows)
            rows = draft.rows()
        values = (
            rows.ledger, read.store, read.occasion, read.sent_ns, read.done_ns, read.region, read.error,
            rows.pages,
        )  # fmt: skip
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, checksum(*values))
            )

    def drop_ledger(self, read: LedgerRead) -> None:
        """Delete the rows of a reading that was streamed in and is not added.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        if isinstance(read.rows, StoredRows):
            read.rows.delete()

    def ledgers(self) -> list[LedgerRead]:
        """Return every reading of a ledger, in the order of adding; their rows are read when asked for."""
        reads = []
        for ledger, store, occasion, sent_ns, done_ns, region, error, pages in self._checked("ledger"):
            rows = StoredRows(self._file, ledger, pages)
            reads.append(LedgerRead(store, occasion, sent_ns, done_ns, region, rows, error))
        return reads

    def add_clock(self, instant: Instant) -> None:
        """Add one reading of both clocks, so that a stepped wall clock can be seen afterwards."""
        values = (instant.monotonic_ns, instant.wall)
        with self._file.writing() as connection:
            connection.execute("INSERT INTO clock VALUES (?, ?, ?)", (*values, checksum(*values)))

    def clocks(self) -> list[Instant]:
        """Return every reading of both clocks, in the order of adding."""
        return [Instant(*values) for values in self._checked("clock")]

    def put_meta(self, key: str, value: Json) -> None:
        """Keep one value about the run, in place of an older one of that key."""
        values = (key, json.dumps(value, separators=(",", ":")))
        with self._file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (*values, checksum(*values)))

    def meta(self) -> Mapping[str, Json]:
        """Return the values about the run by key."""
        return {key: json.loads(value) for key, value in self._checked("meta")}

    def seal(self) -> None:
        """Note that no more observations come: from now on a file that holds fewer is a damaged one.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        self.put_meta(_SEALED, self._counted())

    def see_that_all_is_there(self, reader: Reader) -> None:
        """Look whether a reader has read all that was added before the file was sealed.

        Raises:
            DrillError: Some of it is missing, or the file is damaged or gone.

        """
        sealed = self.meta().get(_SEALED)
        if sealed is None:
            return
        found = {**self._counted(), "segment": reader.cursor}
        if sealed != found:
            self._file.give_up(f"it holds {found}, and held {sealed} when it was sealed")

    def close(self) -> None:
        """Close the file; nothing more can be read or added."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _counted(self) -> dict[str, Json]:
        """Return how many rows of each kind there are."""
        with self._file.reading() as connection:
            return {
                table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
                for table in ("segment", "ledger", "clock")
            }

    def _checked(self, table: str) -> list[tuple[Any, ...]]:
        """Return all rows of a table, without the checksum that each ends with."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 (ours)
        for *values, expected in rows:
            if checksum(*values) != expected:
                self._file.give_up(f"a row of its {table} is not as it was written")
        return [row[:-1] for row in rows]


def _whole(observation: Observation) -> Observation:
    """Return an observation whose detail does not need the file any longer."""
    return replace(observation, detail=dict(observation.detail))
