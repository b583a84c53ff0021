"""Observations into columns and stretches that can be drawn, at any number of attempts.

Attempts stand where they were sent, or where they were due if they never were. A column
keeps its least and its most, so no spike is lost; failures are counted, so no single one is.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import compress, repeat
from math import isnan, nan
from statistics import median

from drill.columns import CODES, GOOD, NEVER, NOWHERE, Columns
from drill.model import Goodness
from reports.series import Failures, Latency, Segment, Spread, Tally, Tone, Window
from reports.wording import instant, seconds_since

MOST_COLUMNS = 360
_FEWEST_COLUMNS = 30
_ATTEMPTS_A_COLUMN = 2
# So many in a row make an outage or end one; it only decides what is shaded.
_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Attempts:
    """One probe's attempts on the picture's axis, in columns, in the order in which they stand there.

    Attributes:
        at_s: When it was sent, or due if it never was.
        took_s: From due to done, so that a late start counts; not a number if it never ended.
        goodness: What it showed, as codes of :mod:`drill.columns`.
        region: Who answered, as keys of ``regions``.
        regions: The regions by their codes.

    """

    at_s: "array[float]"
    took_s: "array[float]"
    goodness: bytes
    region: "array[int]"
    regions: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.at_s)

    def __getitem__(self, places: slice) -> "Attempts":
        columns = (self.at_s[places], self.took_s[places], self.goodness[places], self.region[places])
        return Attempts(*columns, self.regions)

    def within(self, from_s: float, before_s: float) -> "Attempts":
        """Return those from one instant to before another."""
        return self[bisect_left(self.at_s, from_s) : bisect_left(self.at_s, before_s)]

    def count(self, goodness: Goodness) -> int:
        """Return how many showed this."""
        return self.goodness.count(CODES[goodness])

    def took(self) -> list[float]:
        """Return how long the good ones took, the shortest first."""
        good = self.goodness.translate(_GOOD)
        return sorted(took_s for took_s in compress(self.took_s, good) if not isnan(took_s))

    def answered(self) -> Mapping[str, int]:
        """Return how many each region answered, in the order of their names."""
        counted = {self.regions[code]: number for code, number in Counter(self.region).items() if code}
        return dict(sorted(counted.items()))

    def good_regions(self) -> list[str]:
        """Return which regions gave good answers, in the order of their names."""
        good = compress(self.region, self.goodness.translate(_GOOD))
        return sorted(self.regions[code] for code in {*good} - {NOWHERE})


_GOOD = bytes(code == GOOD for code in range(256))


@dataclass(frozen=True, slots=True)
class Key:
    """What the bars of a lane mean.

    Attributes:
        regions: The tone of each region that may answer.
        holds_s: How long a reading is taken to hold if no other follows.
        good: What a good attempt without a region is called.
        bad: What a bad one is called.

    """

    regions: Mapping[str, Tone]
    holds_s: float
    good: str = "good"
    bad: str = "failed"


def attempts(seen: Columns, zero_ns: int) -> Attempts:
    """Return a probe's observations on the axis, in the order in which they were sent."""
    pairs = zip(seen.sent_ns, seen.due_ns, strict=True)
    at_ns = array("q", (due if sent == NEVER else sent for sent, due in pairs))
    order = sorted(range(len(seen)), key=at_ns.__getitem__)
    done_ns, due_ns = (map(column.__getitem__, order) for column in (seen.done_ns, seen.due_ns))
    return Attempts(
        array("d", map(seconds_since, map(at_ns.__getitem__, order), repeat(zero_ns))),
        array(
            "d",
            (
                nan if done == NEVER else seconds_since(done, due)
                for done, due in zip(done_ns, due_ns, strict=True)
            ),
        ),
        bytes(map(seen.goodness.__getitem__, order)),
        array("I", map(seen.region.__getitem__, order)),
        seen.regions,
    )


def columns_for(window: Window, interval_s: float) -> int:
    """Return how many columns fit a window so that each holds an attempt or two."""
    wanted = int(window.length_s / max(interval_s * _ATTEMPTS_A_COLUMN, 1e-6))
    return min(MOST_COLUMNS, max(_FEWEST_COLUMNS, wanted))


def latency(label: str, every: Attempts, window: Window, columns: int) -> Latency:
    """Return the durations of the good attempts per column."""
    spreads: list[Spread | None] = []
    for at_s, column in _columns(every, window, columns):
        took = column.took()
        spreads.append(Spread(at_s, took[0], median(took), took[-1]) if took else None)
    return Latency(label, tuple(spreads))


def failures(label: str, every: Attempts, window: Window, columns: int) -> Failures:
    """Return how many attempts of each column were bad or unknown."""
    tallies = [
        Tally(at_s, column.count(Goodness.BAD), column.count(Goodness.UNKNOWN), len(column))
        for at_s, column in _columns(every, window, columns)
    ]
    return Failures(label, tuple(tallies), window.length_s / columns)


def stretches(every: Attempts, window: Window, columns: int, key: Key) -> tuple[Segment, ...]:
    """Return who answered over time: neighbouring columns that show the same become one bar."""
    half_s = window.length_s / columns / 2
    before = every.within(window.from_s - key.holds_s, window.from_s)
    shown = [(window.from_s, window.from_s, *_shows(before[-1:], key))] if len(before) else []
    shown += [
        (at_s - half_s, at_s + half_s, *_shows(column, key))
        for at_s, column in _columns(every, window, columns)
        if len(column)
    ]
    drawn: list[tuple[float, float, Tone, str]] = []
    for begin_s, end_s, tone, words in shown:
        near = bool(drawn) and begin_s - drawn[-1][1] <= key.holds_s
        if near and drawn[-1][2:] == (tone, words):
            drawn[-1] = (drawn[-1][0], end_s, tone, words)
        else:
            if near:
                drawn[-1] = (drawn[-1][0], begin_s, *drawn[-1][2:])
            drawn.append((begin_s, end_s, tone, words))
    after = bisect_right(every.at_s, window.to_s) < bisect_right(every.at_s, window.to_s + key.holds_s)
    if drawn and after:
        drawn[-1] = (drawn[-1][0], window.to_s, *drawn[-1][2:])
    return tuple(
        Segment(begin_s, end_s, tone, f"{words}, {instant(begin_s)} to {instant(end_s)}")
        for begin_s, end_s, tone, words in drawn
    )


def outages(every: Attempts) -> tuple[tuple[float, float], ...]:
    """Return where at least three attempts in a row were not good, until three in a row were."""
    good = every.goodness.translate(_GOOD)
    found: list[tuple[float, float]] = []
    begin = good.find(bytes(_IN_A_ROW))
    while begin >= 0:
        end = good.find(b"\x01" * _IN_A_ROW, begin)
        if end < 0:
            found.append((every.at_s[begin], every.at_s[-1]))
            break
        found.append((every.at_s[begin], every.at_s[end]))
        begin = good.find(bytes(_IN_A_ROW), end)
    return tuple(found)


def _columns(every: Attempts, window: Window, columns: int) -> Iterable[tuple[float, Attempts]]:
    """Yield each column's middle and the attempts in it; both ends of the window belong to it."""

    def column_of(at_s: float) -> int:
        place = (at_s - window.from_s) / window.length_s
        return -1 if place < 0 else columns if place > 1 else min(columns - 1, int(place * columns))

    width_s = window.length_s / columns
    begin = bisect_left(every.at_s, 0, key=column_of)
    for number in range(columns):
        end = bisect_left(every.at_s, number + 1, begin, key=column_of)
        yield window.from_s + (number + 0.5) * width_s, every[begin:end]
        begin = end


def _shows(column: Attempts, key: Key) -> tuple[Tone, str]:
    if column.count(Goodness.GOOD) * 2 < len(column):
        return ("bad", key.bad) if column.count(Goodness.BAD) else ("unknown", "unknown")
    regions = column.good_regions()
    if len(regions) > 1:
        return "mixed", " and ".join(regions)
    if regions:
        return key.regions.get(regions[0], "region-3"), regions[0]
    return "good", key.good
