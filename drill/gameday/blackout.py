"""The blackout calendar of a game day, read anew each time: events may be added until the last drill."""

from datetime import UTC, datetime, timedelta

from drill.errors import UsageError
from drill.gameday.dates import met
from drill.gameday.form import GameDay
from drill.guards.hours import Span
from drill.guards.no_go import Event, events
from drill.restraints import NoGo


def read(rules: NoGo | None, around: Span) -> tuple[Event, ...]:
    """Return the events of a calendar near a span; none where there is no calendar.

    Raises:
        UsageError: It can't be read.

    """
    if rules is None:
        return ()
    try:
        text = rules.calendar.read_text(encoding="utf-8-sig")
        return tuple(events(text, rules.zone, around))
    # Whatever a broken calendar does to the library that reads it, no day may be held then.
    except Exception as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        msg = f"the blackout calendar {rules.calendar} can't be read: {said}; correct blackout.calendar"
        raise UsageError(msg) from problem


def forbids(day: GameDay, begins_at: datetime, length_s: float) -> str:
    """Return why nothing may begin that takes so long, or nothing; if nobody can say, nothing may."""
    begins_at = begins_at.astimezone(UTC)
    span = Span(begins_at, begins_at + timedelta(seconds=length_s))
    try:
        return met(span, read(day.blackout, span))
    except UsageError as problem:
        return str(problem)
