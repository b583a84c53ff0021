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

# More attempts than this, added together, become several segments.
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
        parts = [named[begin : begin + MOST_ATTEMPTS] for begin in range(0, len(named), MOST_ATTEMPTS)]
        details = [_packed_details(part) for part in parts]
        with self._file.writing() as connection:
            newest = int(connection.execute("SELECT ifnull(max(id), 0) FROM segment").fetchone()[0])
            for number, (part, packed) in enumerate(zip(parts, details, strict=True), start=newest + 1):
                connection.execute(
                    "INSERT INTO segment VALUES (?, ?, ?, ?, ?)", _row(connection, number, part)
                )
                rows = [
                    (at := detail_id(number, place), count, text, checksum(at, count, packed=text))
                    for place, (count, text) in enumerate(packed)
                ]
                connection.executemany("INSERT INTO detail VALUES (?, ?, ?, ?)", rows)

    def after(self, number: int) -> Iterator[tuple[int, Attempts]]:
        """Yield the number and the attempts of each segment that was added after another.

        Raises:
            DrillError: The file is damaged or gone.

        """
        with self._file.reading() as connection:
            asked = "SELECT id, probes, count, attempts, checksum FROM segment WHERE id > ? ORDER BY id"
            for found, probes, count, packed, expected in connection.execute(asked, (number,)):
                number += 1
                if found != number:
                    self._file.give_up(f"segment {number} is missing")
                if checksum(found, probes, count, packed=packed) != expected:
                    self._file.give_up(f"segment {number} is not as it was written")
                attempts = unpack(packed, probes, count)
                self._learn({*attempts.region, *(probe for probe, _ in attempts.probes)} - {NOWHERE})
                yield number, attempts

    def details(self, detail: int, count: int) -> Sequence[Mapping[str, Json]]:
        """Return what attempts that were added together saw besides, in their order.

        Args:
            detail: Their :func:`detail_id`.
            count: How many they are.

        Raises:
            DrillError: The file is damaged or gone.

        """
        with self._file.reading() as connection:
            found = connection.execute("SELECT * FROM detail WHERE id = ?", (detail,)).fetchone()
        if found is None or found[1] != count or checksum(detail, count, packed=found[2]) != found[3]:
            self._file.give_up(f"details {detail} are not as they were written")
        listed: Sequence[Mapping[str, Json]] = unpack_json(found[2])
        return listed

    def _learn(self, numbers: set[int]) -> None:
        """Learn names that are not known yet."""
        if numbers <= self.names.keys():
            return
        with self._file.reading() as connection:
            rows = connection.execute("SELECT * FROM name").fetchall()
        for number, text, expected in rows:
            if checksum(number, text) != expected:
                self._file.give_up(f"name {number} is not as it was written")
            self.names[number] = text
        for number in numbers - self.names.keys():
            self._file.give_up(f"name {number} is missing")


def detail_id(segment: int, place: int) -> int:
    """Return where the details of a segment's so-manieth probe are."""
    return segment * MOST_ATTEMPTS + place


def _row(connection: Connection, number: int, every: Sequence[Observation]) -> tuple[object, ...]:
    codes: dict[str | None, int] = {None: NOWHERE}
    for one in every:
        if one.answered_by not in codes and one.answered_by is not None:
            codes[one.answered_by] = _number(connection, one.answered_by)
    probes = [(_number(connection, probe), len(own)) for probe, own in _by_probe(every)]
    head = (number, len(probes), len(every))
    packed = pack(probes, every, codes)
    return *head, packed, checksum(*head, packed=packed)


def _number(connection: Connection, name: str) -> int:
    """Return the number of a probe's or region's name, a new one if it has none yet."""
    found = connection.execute("SELECT id FROM name WHERE text = ?", (name,)).fetchone()
    if found is not None:
        return int(found[0])
    number = int(connection.execute("SELECT ifnull(max(id), 0) + 1 FROM name").fetchone()[0])
    connection.execute("INSERT INTO name VALUES (?, ?, ?)", (number, name, checksum(number, name)))
    return number


def _by_probe(every: Sequence[Observation]) -> Iterator[tuple[str, Sequence[Observation]]]:
    for probe, own in groupby(every, key=attrgetter("probe")):
        yield probe, tuple(own)


def _packed_details(every: Sequence[Observation]) -> list[tuple[int, bytes]]:
    """Return how many attempts each probe has, and their details as bytes."""
    return [(len(own), pack_json([dict(one.detail) for one in own])) for _, own in _by_probe(every)]
