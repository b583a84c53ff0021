"""The attempts in a run's file: segments of those of one probe that were added together.

They are numbered from 1 without a gap, and each has a checksum of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from sqlite3 import Connection

from drill.columns import NOWHERE
from drill.model import Json, Observation
from drill.packing import Attempts, checksum, pack, pack_json, unpack, unpack_json
from drill.sqlite_file import SqliteFile

# More attempts of one probe than this, added together, become several segments.
MOST_ATTEMPTS = 4096


class Segments:
    """Writes and reads segments.

    Attributes:
        names: The probes and regions by their numbers, as far as they were read.

    """

    def __init__(self, file: SqliteFile) -> None:
        """Take the file they are in."""
        self._file = file
        self.names: dict[int, str] = {}

    def add(self, observations: Iterable[Observation]) -> None:
        """Add observations in one transaction: all of them or none.

        Raises:
            DrillError: The file is full, damaged or gone.

        """
        named = sorted(observations, key=attrgetter("probe"))  # stable: each probe's in the order of adding
        packed = [(segment, _packed_details(segment)) for segment in _in_segments(named)]
        with self._file.writing() as connection:
            newest = int(connection.execute("SELECT ifnull(max(id), 0) FROM segment").fetchone()[0])
            rows = [
                self._row(connection, newest + place, segment, details)
                for place, (segment, details) in enumerate(packed, start=1)
            ]
            connection.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def after(self, number: int) -> Iterator[tuple[int, str, Attempts]]:
        """Yield the number, probe and attempts of each segment that was added after another.

        Raises:
            DrillError: The file is damaged or gone.

        """
        with self._file.reading() as connection:
            asked = "SELECT id, probe, count, attempts, checksum FROM segment WHERE id > ? ORDER BY id"
            for found, probe, count, packed, expected in connection.execute(asked, (number,)):
                if found != number + 1:
                    raise self._file.damaged(f"segment {number + 1} is missing")
                if checksum(found, probe, count, packed) != expected:
                    raise self._file.damaged(f"segment {found} is not as it was written")
                attempts = unpack(packed, count)
                for region in {*attempts.region} - self.names.keys() - {NOWHERE}:
                    self._name(region)
                yield found, self._name(probe), attempts
                number = found

    def details(self, segment: int) -> Sequence[Mapping[str, Json]]:
        """Return what the attempts of a segment saw besides, in their order.

        Raises:
            DrillError: The file is damaged or gone.

        """
        with self._file.reading() as connection:
            asked = "SELECT probe, count, details, details_checksum FROM segment WHERE id = ?"
            found = connection.execute(asked, (segment,)).fetchone()
        if found is None or checksum(segment, *found[:3]) != found[3]:
            raise self._file.damaged(f"the details of segment {segment} are not as they were written")
        _, count, packed, _ = found
        listed: Sequence[Mapping[str, Json]] = [{}] * count if packed is None else unpack_json(packed)
        return listed

    def _name(self, number: int) -> str:
        if number not in self.names:
            with self._file.reading() as connection:
                for found, text, expected in connection.execute("SELECT * FROM name").fetchall():
                    if checksum(found, text) != expected:
                        raise self._file.damaged(f"name {found} is not as it was written")
                    self.names[found] = text
        if number not in self.names:
            raise self._file.damaged(f"name {number} is missing")
        return self.names[number]

    @staticmethod
    def _row(
        connection: Connection, number: int, every: Sequence[Observation], details: bytes | None
    ) -> tuple[object, ...]:
        codes: dict[str | None, int] = {None: NOWHERE}
        for one in every:
            if one.answered_by not in codes and one.answered_by is not None:
                codes[one.answered_by] = _number(connection, one.answered_by)
        head = (number, _number(connection, every[0].probe), len(every))
        packed = pack(every, codes)
        return *head, packed, checksum(*head, packed), details, checksum(*head, details)


def _number(connection: Connection, name: str) -> int:
    """Return the number of a probe's or region's name, a new one if it has none yet."""
    found = connection.execute("SELECT id FROM name WHERE text = ?", (name,)).fetchone()
    if found is not None:
        return int(found[0])
    number = int(connection.execute("SELECT ifnull(max(id), 0) + 1 FROM name").fetchone()[0])
    connection.execute("INSERT INTO name VALUES (?, ?, ?)", (number, name, checksum(number, name)))
    return number


def _in_segments(named: Sequence[Observation]) -> Iterator[tuple[Observation, ...]]:
    for _, group in groupby(named, key=attrgetter("probe")):
        every = tuple(group)
        for begin in range(0, len(every), MOST_ATTEMPTS):
            yield every[begin : begin + MOST_ATTEMPTS]


def _packed_details(every: Sequence[Observation]) -> bytes | None:
    """Return the details of attempts as bytes; None if none has any."""
    if not any(one.detail for one in every):
        return None
    return pack_json([dict(one.detail) for one in every])
