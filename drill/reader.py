"""Reading a run's file on and on: into columns, with details that are read when asked for."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from drill.columns import Columns
from drill.model import Json
from drill.segments import Segments, detail_id


class Reader:
    """Reads a store on and on into columns.

    Attributes:
        seen: Every probe's observations, which grow with each reading.
        cursor: Up to where it has read.

    """

    def __init__(self, segments: Segments, probes: Iterable[str], after: int) -> None:
        """Begin with nothing read; see :meth:`drill.observations.Store.reader`."""
        self._segments = segments
        self.seen: dict[str, Columns] = {}
        self.cursor = after
        self._details: dict[str, _Details] = {}
        for probe in probes:
            self._begin(probe)

    def more(self) -> None:
        """Read what is new.

        Raises:
            DrillError: The file is damaged or gone; what was read up to there is kept.

        """
        for segment, attempts in self._segments.after(self.cursor):
            begin = 0
            for place, (number, count) in enumerate(attempts.probes):
                probe = self._segments.names[number]
                if probe not in self.seen:
                    self._begin(probe)
                self._details[probe].expect(detail_id(segment, place), len(self.seen[probe]), count)
                attempts.append_to(self.seen[probe], begin, begin + count)
                begin += count
            self.cursor = segment

    def _begin(self, probe: str) -> None:
        self._details[probe] = details = _Details(self._segments)
        self.seen[probe] = Columns(probe, details, self._segments.names)


class _Details:
    """What the attempts of one probe saw besides: read when asked for, those that were added together."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._begins: array[int] = array("q")
        self._ids: array[int] = array("q")
        self._read: tuple[int, int, Sequence[Mapping[str, Json]]] = (0, 0, ())
        self._end = 0

    def expect(self, detail: int, begin: int, count: int) -> None:
        """Learn where those of some attempts are."""
        self._begins.append(begin)
        self._ids.append(detail)
        self._end = begin + count

    def __getitem__(self, place: int) -> Mapping[str, Json]:
        begin, end, details = self._read
        if not begin <= place < end:
            found = bisect_right(self._begins, place) - 1
            begin = self._begins[found]
            end = self._begins[found + 1] if found + 1 < len(self._begins) else self._end
            details = self._segments.details(self._ids[found], end - begin)
            self._read = (begin, end, details)
        return details[place - begin]
