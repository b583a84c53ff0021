"""Observations into columns and stretches that can be drawn, at any number of attempts.

Attempts stand where they were sent, or where they were due if they never were. A column
keeps its least and its most, so no spike is lost; failures are counted, so no single one is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from drill.model import Goodness, Observation
from reports.series import Failures, Latency, Segment, Spread, Tally, Tone, Window
from reports.wording import instant, seconds_since

MOST_COLUMNS = 360
_FEWEST_COLUMNS = 30
_ATTEMPTS_A_COLUMN = 2
# So many in a row make an outage or end one; it only decides what is shaded.
_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """One observation on the picture's axis.

    Attributes:
        at_s: When it was sent, or due if it never was.
        took_s: From due to done, so that a late start counts; None if it never ended.
        goodness: What it showed.
        answered_by: The region that answered.

    """

    at_s: float
    took_s: float | None
    goodness: Goodness
    answered_by: str | None


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


def attempts(observations: Iterable[Observation], zero_ns: int) -> tuple[Attempt, ...]:
    """Return a probe's observations on the axis, in the order in which they were sent."""
    return tuple(
        sorted(
            (_attempt(observation, zero_ns) for observation in observations), key=lambda attempt: attempt.at_s
        )
    )


def columns_for(window: Window, interval_s: float) -> int:
    """Return how many columns fit a window so that each holds an attempt or two."""
    wanted = int(window.length_s / max(interval_s * _ATTEMPTS_A_COLUMN, 1e-6))
    return min(MOST_COLUMNS, max(_FEWEST_COLUMNS, wanted))


def latency(label: str, every: Sequence[Attempt], window: Window, columns: int) -> Latency:
    """Return the durations of the good attempts per column."""
    spreads: list[Spread | None] = []
    for at_s, column in _columns(every, window, columns):
        took = [a.took_s for a in column if a.goodness is Goodness.GOOD and a.took_s is not None]
        spreads.append(Spread(at_s, min(took), median(took), max(took)) if took else None)
    return Latency(label, tuple(spreads))


def failures(label: str, every: Sequence[Attempt], window: Window, columns: int) -> Failures:
    """Return how many attempts of each column were bad or unknown."""
    tallies = [
        Tally(at_s, _number(column, Goodness.BAD), _number(column, Goodness.UNKNOWN), len(column))
        for at_s, column in _columns(every, window, columns)
    ]
    return Failures(label, tuple(tallies), window.length_s / columns)


def stretches(every: Sequence[Attempt], window: Window, columns: int, key: Key) -> tuple[Segment, ...]:
    """Return who answered over time: neighbouring columns that show the same become one bar."""
    half_s = window.length_s / columns / 2
    before = [one for one in every if window.from_s - key.holds_s <= one.at_s < window.from_s]
    shown = [(window.from_s, window.from_s, *_shows(before[-1:], key))] if before else []
    shown += [
        (at_s - half_s, at_s + half_s, *_shows(column, key))
        for at_s, column in _columns(every, window, columns)
        if column
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
    after = any(window.to_s < one.at_s <= window.to_s + key.holds_s for one in every)
    if drawn and after:
        drawn[-1] = (drawn[-1][0], window.to_s, *drawn[-1][2:])
    return tuple(
        Segment(begin_s, end_s, tone, f"{words}, {instant(begin_s)} to {instant(end_s)}")
        for begin_s, end_s, tone, words in drawn
    )


def outages(every: Sequence[Attempt]) -> tuple[tuple[float, float], ...]:
    """Return where at least three attempts in a row were not good, until three in a row were."""
    found: list[tuple[float, float]] = []
    began_s: float | None = None
    alike = 0
    edge_s = 0.0
    last_bad = False
    for attempt in every:
        bad = attempt.goodness is not Goodness.GOOD
        if bad != last_bad or alike == 0:
            alike, edge_s, last_bad = 0, attempt.at_s, bad
        alike += 1
        if alike == _IN_A_ROW and bad and began_s is None:
            began_s = edge_s
        elif alike == _IN_A_ROW and not bad and began_s is not None:
            found.append((began_s, edge_s))
            began_s = None
    if began_s is not None:
        found.append((began_s, every[-1].at_s))
    return tuple(found)


def _attempt(observation: Observation, zero_ns: int) -> Attempt:
    at_ns = observation.due_ns if observation.sent_ns is None else observation.sent_ns
    took_s = None if observation.done_ns is None else seconds_since(observation.done_ns, observation.due_ns)
    return Attempt(seconds_since(at_ns, zero_ns), took_s, observation.goodness, observation.answered_by)


def _columns(every: Sequence[Attempt], window: Window, columns: int) -> Iterable[tuple[float, list[Attempt]]]:
    filled: list[list[Attempt]] = [[] for _ in range(columns)]
    for attempt in every:
        place = (attempt.at_s - window.from_s) / window.length_s
        if 0 <= place <= 1:
            filled[min(columns - 1, int(place * columns))].append(attempt)
    width_s = window.length_s / columns
    for number, column in enumerate(filled):
        yield window.from_s + (number + 0.5) * width_s, column


def _number(column: Sequence[Attempt], goodness: Goodness) -> int:
    return sum(attempt.goodness is goodness for attempt in column)


def _shows(column: Sequence[Attempt], key: Key) -> tuple[Tone, str]:
    good = [attempt for attempt in column if attempt.goodness is Goodness.GOOD]
    regions = sorted({attempt.answered_by for attempt in good if attempt.answered_by})
    if len(good) * 2 < len(column):
        bad = any(attempt.goodness is Goodness.BAD for attempt in column)
        return ("bad", key.bad) if bad else ("unknown", "unknown")
    if len(regions) > 1:
        return "mixed", " and ".join(regions)
    if regions:
        return key.regions.get(regions[0], "region-3"), regions[0]
    return "good", key.good
