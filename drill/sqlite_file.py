"""One SQLite file whose errors say what to do, and which must stay where it is.

On Linux a deleted file goes on taking writes and giving answers for as long as it is open, and
nobody would find any of it afterwards: every use looks whether it is still there.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from drill.errors import DrillError

BUSY_TIMEOUT_S = 10.0
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE)


class SqliteFile:
    """An open file; one thread at a time uses it.

    Attributes:
        path: Where it is.
        version: That of the form which it is kept in.

    """

    def __init__(self, path: Path, mode: str, script: str = "") -> None:
        """Open it, run a script and look whether SQLite can read it at all.

        Args:
            path: Where it is.
            mode: ``rw``, or ``rwc`` to make it.
            script: SQL that is run first.

        Raises:
            DrillError: It can't be read or written.

        """
        self.path = path
        with self._explained():
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                check_same_thread=False,
            )
            try:
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(script)
                self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                self.version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            except (sqlite3.Error, UnicodeDecodeError):
                self._connection.close()
                raise
        self._file = self._found()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read; whatever goes wrong is told in one line.

        Raises:
            DrillError: The file is damaged or gone.

        """
        self.see_that_it_is_there()
        with self._explained():
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction: all of it or none.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        self.see_that_it_is_there()
        with self._explained(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def see_that_it_is_there(self) -> None:
        """Look whether the file is still the one that was opened.

        Raises:
            DrillError: Somebody deleted it or put another one in its place.

        """
        if self._found() != self._file:
            msg = f"observations {self.path} are gone: the file was deleted or replaced; see: drill runs"
            raise DrillError(msg)

    def give_up(self, why: str) -> NoReturn:
        """Tell that something in the file can't be as it was written.

        Raises:
            DrillError: Always.

        """
        msg = f"observations {self.path} are damaged: {why}; see: drill runs"
        raise DrillError(msg)

    def close(self) -> None:
        """Close it; nothing more can be read or written."""
        self._connection.close()

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into a line that says what to do."""
        try:
            yield
        # A damaged file may not even have a message that is text.
        except (sqlite3.Error, UnicodeDecodeError) as problem:
            if getattr(problem, "sqlite_errorcode", None) in _NO_ROOM:
                run = self.path.parent.name
                msg = f"observations {self.path} can't grow: {problem}; free space, then: drill recover {run}"
            else:
                msg = f"observations {self.path} can't be used: {problem}; see: drill runs"
            raise DrillError(msg) from problem
