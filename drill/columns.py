"""A probe's observations as columns: a long drill takes some 40 bytes for each, not a thousand.

:class:`Columns` reads like a sequence of :class:`~drill.model.Observation` in the order of
adding; each is made when it is asked for, and its detail is read when a key of it is. Who looks
at many goes over the columns themselves.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice, pairwise
from operator import le
from typing import Protocol, overload

from drill.model import Goodness, History, Json, Observation

# Stands for an instant that never was; below every instant, so that it is never "since" one.
NEVER = -(2**63)
GOODNESS = tuple(Goodness)
CODES: Mapping[Goodness, int] = {goodness: code for code, goodness in enumerate(GOODNESS)}
GOOD, BAD, UNKNOWN = (CODES[one] for one in (Goodness.GOOD, Goodness.BAD, Goodness.UNKNOWN))
NOWHERE = 0
_BLOCK = 512


class Details(Protocol):
    """What a probe's attempts saw besides, by their places."""

    def __getitem__(self, place: int, /) -> Mapping[str, Json]:
        """Return one attempt's."""


class _Detail(Mapping[str, Json]):
    """The detail of one attempt, read when a key of it is asked for."""

    __slots__ = ("_details", "_place")

    def __init__(self, details: Details, place: int) -> None:
        self._details = details
        self._place = place

    def __getitem__(self, key: str) -> Json:
        return self._details[self._place][key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._details[self._place])

    def __len__(self) -> int:
        return len(self._details[self._place])

    def __repr__(self) -> str:
        return f"<detail {self._place}>"  # without reading it: who prints it may have closed the file


class _Tops:
    """The greatest value up to the end of each block of a column: where to begin to look for later ones."""

    def __init__(self, column: "array[int]") -> None:
        self._column = column
        self._tops: array[int] = array("q")

    def start(self, instant_ns: int) -> int:
        """Return a place before which every value is less."""
        self._keep_up()
        return bisect_left(self._tops, instant_ns) * _BLOCK

    def greatest(self, otherwise: int) -> int:
        """Return the greatest value of all."""
        self._keep_up()
        tail = self._column[len(self._tops) * _BLOCK :]
        return max((*self._tops[-1:], *tail), default=otherwise)

    def _keep_up(self) -> None:
        while (begin := len(self._tops) * _BLOCK) + _BLOCK <= len(self._column):
            block = max(self._column[begin : begin + _BLOCK])
            self._tops.append(max(block, self._tops[-1]) if self._tops else block)


class Columns(Sequence[Observation]):
    """Every observation of one probe, in the order of adding.

    Attributes:
        probe: The probe's name.
        number: The attempts' numbers.
        due_ns: When each was due.
        sent_ns: When it was sent; :data:`NEVER` if it was not.
        done_ns: When its result was known; :data:`NEVER` if it was not.
        goodness: What it showed, as a place in :data:`GOODNESS`.
        region: Who answered, as a key of ``regions``; :data:`NOWHERE` where the answer did not tell.
        regions: The regions by their codes.
        details: What each saw besides, by place.

    """

    def __init__(self, probe: str, details: Details, regions: Mapping[int, str]) -> None:
        """Begin with none; see :meth:`of` for those that are there already."""
        self.probe = probe
        self.number: array[int] = array("q")
        self.due_ns: array[int] = array("q")
        self.sent_ns: array[int] = array("q")
        self.done_ns: array[int] = array("q")
        self.goodness = bytearray()
        self.region: array[int] = array("I")
        self.regions = regions
        self.details = details
        self._due_tops = _Tops(self.due_ns)
        self._sent_tops = _Tops(self.sent_ns)
        self._order: Sequence[int] = ()
        self._ordered = 0
        self._first: int | None = None
        self._counted = 0

    @classmethod
    def of(cls, probe: str, observations: Iterable[Observation]) -> "Columns":
        """Return observations that are in memory as columns."""
        every = tuple(observations)
        codes: dict[str | None, int] = {None: NOWHERE}
        for one in every:
            codes.setdefault(one.answered_by, len(codes))
        regions = {code: name for name, code in codes.items() if name is not None}
        made = cls(probe, [one.detail for one in every], regions)
        made.number.extend(one.number for one in every)
        made.due_ns.extend(one.due_ns for one in every)
        made.sent_ns.extend(NEVER if one.sent_ns is None else one.sent_ns for one in every)
        made.done_ns.extend(NEVER if one.done_ns is None else one.done_ns for one in every)
        made.goodness.extend(CODES[one.goodness] for one in every)
        made.region.extend(codes[one.answered_by] for one in every)
        return made

    def __len__(self) -> int:
        return len(self.number)

    @overload
    def __getitem__(self, place: int) -> Observation: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Observation]: ...
    def __getitem__(self, place: int | slice) -> Observation | Sequence[Observation]:
        """Return the observation at a place, or those at several."""
        if isinstance(place, slice):
            return [self._at(one) for one in range(*place.indices(len(self)))]
        return self._at(range(len(self))[place])

    def __iter__(self) -> Iterator[Observation]:
        place = 0
        while place < len(self):
            yield self._at(place)
            place += 1

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it grows

    def _at(self, place: int) -> Observation:
        sent_ns, done_ns = self.sent_ns[place], self.done_ns[place]
        return Observation(
            self.probe,
            self.number[place],
            self.due_ns[place],
            None if sent_ns == NEVER else sent_ns,
            None if done_ns == NEVER else done_ns,
            GOODNESS[self.goodness[place]],
            self.regions.get(self.region[place]),
            _Detail(self.details, place),
        )

    def due_since(self, instant_ns: int) -> Sequence[Observation]:
        """Return what was due at an instant or later; takes no longer the more came before."""
        due_ns = self.due_ns
        start = self._due_tops.start(instant_ns)
        return [self._at(place) for place in range(start, len(self)) if due_ns[place] >= instant_ns]

    def sent_since(self, instant_ns: int, goodness: Goodness | None = None) -> Iterator[Observation]:
        """Yield what was sent at an instant or later and showed this; no slower the more came before."""
        sent_ns, codes = self.sent_ns, self.goodness
        wanted = set(range(len(GOODNESS)) if goodness is None else (CODES[goodness],))
        for place in range(self._sent_tops.start(instant_ns), len(self)):
            if sent_ns[place] >= instant_ns and codes[place] in wanted:
                yield self._at(place)

    def last_due_ns(self, otherwise: int) -> int:
        """Return when the newest was due."""
        return self._due_tops.greatest(otherwise)

    def first_number(self) -> int | None:
        """Return the least number; None if there is none."""
        fresh = self.number[self._counted :]
        if fresh:
            self._counted, least = len(self.number), min(fresh)
            self._first = least if self._first is None else min(self._first, least)
        return self._first

    def by_sending(self) -> Sequence[int]:
        """Return the places of what was sent and is done, in the order of sending (then of numbers)."""
        if self._ordered != len(self):
            self._order, self._ordered = self._sorted(), len(self)
        return self._order

    def code_of(self, region: str) -> int | None:
        """Return the code of a region; None if it never answered."""
        return next((code for code, name in self.regions.items() if name == region), None)

    def _sorted(self) -> Sequence[int]:
        sent_ns, done_ns, number = self.sent_ns, self.done_ns, self.number
        every: Sequence[int] = range(len(self))
        if NEVER in done_ns or NEVER in sent_ns:
            known = [NEVER not in (sent_ns[place], done_ns[place]) for place in every]
            every = array("I", compress(every, known))
        sent = array("q", map(sent_ns.__getitem__, every))
        if all(map(le, sent, islice(sent, 1, None))):
            order = every
        else:
            order = array("I", sorted(every, key=sent_ns.__getitem__))
            sent = array("q", map(sent_ns.__getitem__, order))
        if any(one == after for one, after in pairwise(sent)):
            order = array(
                "I",
                sorted(
                    every,
                    key=lambda at: (sent_ns[at], number[at], done_ns[at], self.goodness[at], self.region[at]),
                ),
            )
        return order


def columns(history: History, probe: str) -> Columns:
    """Return what a probe observed as columns, whatever the history holds it in."""
    seen = history.observations.get(probe, ())
    return seen if isinstance(seen, Columns) else Columns.of(probe, seen)
