"""From windows in local time to spans on the time line, right where clocks are moved. Pure.

A time that a change of clocks skips or repeats is taken so that the window is the shorter one:
nobody can then tell whether it was meant, and a drill waits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drill.restraints import Window

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to another, both with a time zone.

    Attributes:
        begins_at: The first instant in it.
        ends_at: The first instant after it.

    """

    begins_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; instants of two zones are told apart by UTC, as Python does."""
        return self.ends_at - self.begins_at

    def holds(self, other: "Span") -> bool:
        """Say whether another lies wholly inside."""
        return self.begins_at <= other.begins_at and other.ends_at <= self.ends_at

    def meets(self, other: "Span") -> bool:
        """Say whether any instant is in both; one without length is at its beginning."""
        later = max(self.begins_at, other.begins_at)
        return later < min(self.ends_at, other.ends_at) or (
            not (self.length and other.length) and self.begins_at <= later < max(self.ends_at, other.ends_at)
        )


def opened(windows: Iterable[Window], wanted: Span) -> tuple[Span, ...]:
    """Return the spans, in UTC, in which windows are open around a wanted one, the earliest first.

    Windows that follow one another without a gap are one span.
    """
    every = sorted((one for window in windows for one in _spans(window, wanted)), key=lambda it: it.begins_at)
    joined: list[Span] = []
    for one in every:
        if joined and one.begins_at <= joined[-1].ends_at:
            joined[-1] = Span(joined[-1].begins_at, max(joined[-1].ends_at, one.ends_at))
        else:
            joined.append(one)
    return tuple(joined)


def next_after(spans: Sequence[Span], wanted: Span) -> Span | None:
    """Return the first span that begins after a wanted one does and is as long; None if there is none."""
    return next(
        (one for one in spans if one.begins_at > wanted.begins_at and one.length >= wanted.length), None
    )


def _spans(window: Window, wanted: Span) -> Iterator[Span]:
    """Yield a window's spans from two days before to two weeks after a wanted one."""
    zone = ZoneInfo(window.zone)
    begins, ends = time.fromisoformat(window.begins), time.fromisoformat(window.ends)
    day = wanted.begins_at.astimezone(zone).date() - 2 * _ONE
    last = wanted.ends_at.astimezone(zone).date() + 14 * _ONE
    while day <= last:
        if _DAYS[day.weekday()] in window.days:
            begins_at = latest(day, begins, zone)
            ends_at = earliest(day if ends > begins else day + _ONE, ends, zone)
            if begins_at < ends_at:
                yield Span(begins_at, ends_at)
        day += _ONE


def earliest(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, that a local time can mean."""
    return min(_meanings(day, at, zone))


def latest(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the last instant, in UTC, that a local time can mean."""
    return max(_meanings(day, at, zone))


def _meanings(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    # https://docs.python.org/3/library/datetime.html#datetime.datetime.fold
    first, second = (datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))
    return first, second
