"""A probe's attempts as the measures read them: in the order in which they were sent.

Reading attempts by completion would lose a whole time-out when a fault makes them hang.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import and_, sub
from typing import overload

from drill.columns import GOOD, Columns, columns
from drill.model import History, Observation
from drill.predicates import accepted


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was really sent.

    Attributes:
        sent_ns: When it was sent.
        done_ns: When its answer, or the lack of one, was known.
        good: Whether the client got what it asked for, from where it was awaited.

    """

    sent_ns: int
    done_ns: int
    good: bool


@dataclass(frozen=True, slots=True)
class Attempts(Sequence[Attempt]):
    """Attempts in columns, in the order of sending.

    Attributes:
        sent_ns: When each was sent.
        done_ns: When its answer, or the lack of one, was known.
        good: 1 where it was good, else 0.

    """

    sent_ns: "array[int]"
    done_ns: "array[int]"
    good: bytes

    def __len__(self) -> int:
        return len(self.sent_ns)

    @overload
    def __getitem__(self, place: int) -> Attempt: ...
    @overload
    def __getitem__(self, place: slice) -> "Attempts": ...
    def __getitem__(self, place: int | slice) -> "Attempt | Attempts":
        if isinstance(place, slice):
            return Attempts(self.sent_ns[place], self.done_ns[place], self.good[place])
        return Attempt(self.sent_ns[place], self.done_ns[place], bool(self.good[place]))

    def before(self, instant_ns: int | None) -> "Attempts":
        """Return those sent before an instant; all of them if it is None."""
        return self if instant_ns is None else self[: self.place_since(instant_ns)]

    def place_since(self, instant_ns: int) -> int:
        """Return the place of the first that was sent at an instant or later."""
        return bisect_left(self.sent_ns, instant_ns)

    def next_good(self, place: int) -> int | None:
        """Return the place of the first good one from a place on."""
        found = self.good.find(1, place)
        return None if found < 0 else found

    def last_bad(self, before: int | None = None) -> int | None:
        """Return the place of the last bad one before a place."""
        found = self.good.rfind(0, 0, before)
        return None if found < 0 else found

    def bad_places(self) -> Iterator[int]:
        """Yield the places of the bad ones."""
        place = self.good.find(0)
        while place >= 0:
            yield place
            place = self.good.find(0, place + 1)

    def only_good(self) -> "Attempts":
        """Return the good ones."""
        goods = array("q", compress(self.sent_ns, self.good)), array("q", compress(self.done_ns, self.good))
        return Attempts(*goods, b"\x01" * len(goods[0]))

    def took_ns(self) -> "array[int]":
        """Return how long each took."""
        return array("q", map(sub, self.done_ns, self.sent_ns))

    def healthy_ns(self, until_ns: int) -> list[int]:
        """Return how long each good one took that was answered before an instant."""
        goods = self.only_good()
        return list(compress(goods.took_ns(), (done_ns < until_ns for done_ns in goods.done_ns)))


def attempts(
    history: History, probe: str, served_by: str | None = None, store: str | None = None
) -> Attempts:
    """Return the attempts that were sent, in the order of sending.

    A client that got no answer was not served: what was sent and stayed unknown is not good.
    Attempts that were due and never sent are not here at all; they show nothing.

    Args:
        history: What was observed.
        probe: Whose attempts.
        served_by: Count an attempt as good only when this region answered it.
        store: Count a write as good only when the answer says that this store holds it.

    """
    seen = columns(history, probe)
    good = _good(seen, served_by)
    if store is not None:
        good = bytes(map(and_, good, (accepted(one, store) == "written" for one in seen)))
    return chosen(seen, seen.by_sending(), good)


def sent_in_order(history: History, probe: str) -> tuple[Observation, ...]:
    """Return a probe's observations that were sent and ended, whole, in the order of sending.

    For probes of seldom attempts whose details are the point; the others are read as columns.
    """
    sent = (
        (seen.sent_ns, seen.number, seen)
        for seen in history.observations.get(probe, ())
        if seen.sent_ns is not None and seen.done_ns is not None
    )
    return tuple(seen for _, _, seen in sorted(sent, key=lambda one: one[:2]))


def chosen(seen: Columns, places: Sequence[int], good: Sequence[int]) -> Attempts:
    """Return the attempts at some places, in the order of sending.

    Args:
        seen: All of them.
        places: Which, in their order.
        good: 1 for each of all that is good, else 0.

    """
    if places == range(len(seen)):
        return Attempts(seen.sent_ns[:], seen.done_ns[:], bytes(good))
    sent_ns, done_ns = (array("q", map(one.__getitem__, places)) for one in (seen.sent_ns, seen.done_ns))
    return Attempts(sent_ns, done_ns, bytes(map(good.__getitem__, places)))


def _good(seen: Columns, served_by: str | None) -> bytes:
    good = seen.goodness.translate(_table({GOOD: 1}))
    if served_by is None:
        return bytes(good)
    code = seen.code_of(served_by)
    if code is None:
        return bytes(len(seen))
    return bytes(map(and_, good, map(code.__eq__, seen.region)))


def _table(values: Mapping[int, int]) -> bytes:
    return bytes(values.get(code, 0) for code in range(256))
