"""What a picture shows, before it is drawn: plain values in seconds relative to the fault.

A :class:`Picture` is a stack of panels on one time axis. ``reports.charts`` draws it,
``reports.timeline`` and ``reports.clients`` fill it. Tones name a meaning; the style sheet
gives each a colour for light, dark and paper.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from drill.model import Outcome

Tone: TypeAlias = Literal[
    "region-1",
    "region-2",
    "region-3",
    "mixed",
    "good",
    "bad",
    "unknown",
    "phase",
    "skipped",
    "stage",
    "fault",
]


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that a picture covers, in seconds relative to the fault."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Return how long it is, never zero."""
        return max(self.to_s - self.from_s, 1e-6)


@dataclass(frozen=True, slots=True)
class Segment:
    """One bar of a lane.

    Attributes:
        from_s: Where it certainly has begun.
        to_s: Where it certainly has not ended.
        tone: What it means.
        title: The whole story, for a pointer and for a screen reader.
        text: What stands in or beside it; empty for none.
        earliest_s: Where it may already have begun.
        latest_s: Where it may still not have ended.

    """

    from_s: float
    to_s: float
    tone: Tone
    title: str
    text: str = ""
    earliest_s: float | None = None
    latest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """One labelled row of bars."""

    label: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """What the attempts of one column took: least, middle and most, in seconds."""

    at_s: float
    low_s: float
    median_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Latency:
    """A panel of durations: an envelope from least to most with the median; None where nothing was."""

    label: str
    columns: tuple[Spread | None, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many attempts of one column were bad and how many unknown, of how many."""

    at_s: float
    bad: int
    unknown: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Failures:
    """A panel of failures, counted per column so that a single one is never lost."""

    label: str
    columns: tuple[Tally, ...]
    column_s: float


Panel: TypeAlias = Lane | Latency | Failures


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment drawn across all panels."""

    at_s: float
    label: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch shaded behind all panels, for example an outage."""

    from_s: float
    to_s: float
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture with its words.

    Attributes:
        key: Unique on the page.
        title: What it shows.
        description: What can be seen in it, for a reader who can't see it.
        window: The time that it covers.
        panels: From top to bottom.
        marks: Moments drawn across.
        shades: Stretches drawn behind.

    """

    key: str
    title: str
    description: str
    window: Window
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...] = ()
    shades: tuple[Shade, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval against an objective, drawn on a scale that begins at zero.

    Attributes:
        description: The same in words.
        low: Lower bound.
        high: Upper bound; None if nothing bounds it.
        limit: The objective.
        limit_text: The objective with its unit.
        tone: How it was judged.

    """

    description: str
    low: float
    high: float | None
    limit: float
    limit_text: str
    tone: Outcome


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ready strings.

    Attributes:
        caption: What it holds.
        head: The columns' heads.
        rows: Each begins with its row's head.
        numeric: Which columns are set flush right.

    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
