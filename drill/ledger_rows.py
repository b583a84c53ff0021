"""The rows of a ledger as the run's file holds them: a page at a time, never all at once.

A reading of a million writes is streamed into the file while it is read, and streamed out again
while it is compared.
"""

from collections.abc import Collection, Iterable, Iterator

from drill.model import LedgerRow
from drill.packing import checksum, pack_json, unpack_json
from drill.sqlite_file import SqliteFile

PAGE_ROWS = 2000


class StoredRows(Collection[LedgerRow]):
    """All rows of one reading, in the order of the answer; every pass over them reads them again."""

    def __init__(self, file: SqliteFile, ledger: int, pages: int) -> None:
        """Take where they are."""
        self._file = file
        self.ledger = ledger
        self.pages = pages

    def __iter__(self) -> Iterator[LedgerRow]:
        for number in range(self.pages):
            for row in self._page(number):
                yield LedgerRow(*row)

    def __len__(self) -> int:
        return sum(len(self._page(number)) for number in range(self.pages))

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Collection) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it is what the file holds

    def delete(self) -> None:
        """Delete them from the file."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM ledger_page WHERE ledger = ?", (self.ledger,))

    def _page(self, number: int) -> list[tuple[int, str]]:
        with self._file.reading() as connection:
            asked = "SELECT count, rows, checksum FROM ledger_page WHERE ledger = ? AND number = ?"
            found = connection.execute(asked, (self.ledger, number)).fetchone()
        if found is None:
            self._file.give_up(f"page {number} of ledger {self.ledger} is missing")
        count, rows, expected = found
        if checksum(self.ledger, number, count, packed=rows) != expected:
            self._file.give_up(f"page {number} of ledger {self.ledger} is not as it was written")
        listed: list[tuple[int, str]] = unpack_json(rows)
        return listed


class Draft:
    """A reading under way: its rows go into the file as they come."""

    def __init__(self, file: SqliteFile) -> None:
        """Begin a new one."""
        self._file = file
        self._pages = 0
        self._waiting: list[tuple[int, str]] = []
        with file.reading() as connection:
            newest = "SELECT max(id) FROM (SELECT id FROM ledger UNION SELECT ledger FROM ledger_page)"
            self._ledger = int(connection.execute(newest).fetchone()[0] or 0) + 1

    def add(self, rows: Iterable[LedgerRow]) -> None:
        """Add rows.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        self._waiting.extend((row.number, row.nonce) for row in rows)
        while len(self._waiting) >= PAGE_ROWS:
            self._write(self._waiting[:PAGE_ROWS])
            del self._waiting[:PAGE_ROWS]

    def clear(self) -> None:
        """Forget all rows: reading begins again, or is given up."""
        self._waiting.clear()
        self._pages = 0
        StoredRows(self._file, self._ledger, 0).delete()

    def rows(self) -> StoredRows:
        """Return all rows that were added."""
        if self._waiting:
            self._write(self._waiting)
            self._waiting.clear()
        return StoredRows(self._file, self._ledger, self._pages)

    def _write(self, page: list[tuple[int, str]]) -> None:
        packed = pack_json(page)
        check = checksum(self._ledger, self._pages, len(page), packed=packed)
        with self._file.writing() as connection:
            row = (self._ledger, self._pages, len(page), packed, check)
            connection.execute("INSERT INTO ledger_page VALUES (?, ?, ?, ?, ?)", row)
        self._pages += 1
