"""No event of the calendar of no-go times falls into the drill.

The calendar is an iCalendar file (https://www.rfc-editor.org/rfc/rfc5545). Every event counts that
is not cancelled, whether it shows as busy or not: calendars export all-day events as free. A file
that is not there, broken, too old or no longer kept can't be evaluated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Component

from drill.aws import Aws
from drill.guards import hours
from drill.guards.contract import Asked, CannotTell
from drill.guards.hours import Span
from drill.guards.window import wanted
from drill.restraints import NoGo

# Days and times without a zone are up to 14 hours off UTC; nothing near the drill is missed.
_AROUND = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Event:
    """One event on the time line."""

    title: str
    span: Span


def outside_no_go(asked: Asked, _aws: Aws) -> str:
    """Refuse if any event of the calendar meets the drill's expected length."""
    rules = asked.plan.target.no_go
    if rules is None:
        return ""
    needed = wanted(asked)
    _demand_fresh(rules, needed)
    found = [one for one in _events(rules, needed) if one.span.meets(needed)]
    if not found:
        return ""
    first = min(found, key=lambda one: one.span.begins_at)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"no-go time '{first.title}' from {first.span.begins_at:%Y-%m-%d %H:%M} to "
        f"{first.span.ends_at:%Y-%m-%d %H:%M} UTC{more} falls into the drill; run it at another time"
    )


def _demand_fresh(rules: NoGo, needed: Span) -> None:
    """Refuse a calendar that nobody keeps any more: that it shows no event says nothing.

    Raises:
        CannotTell: It is too old, or no longer kept when the drill would end.

    """
    last = rules.valid_until
    if last is not None and needed.ends_at.astimezone(ZoneInfo(rules.zone)).date() > last:
        msg = (
            f"the no-go calendar is kept until {last} only; have its owner extend it, then no_go.valid_until"
        )
        raise CannotTell(msg)
    try:
        written_at = datetime.fromtimestamp(rules.calendar.stat().st_mtime, UTC)
    except OSError as problem:
        raise _unreadable(rules.calendar, problem) from problem
    age = (needed.begins_at - written_at) / timedelta(days=1)
    if age > rules.max_age_days:
        msg = (
            f"the no-go calendar {rules.calendar} was written {age:.0f} days ago, and is trusted for "
            f"{rules.max_age_days:g} (no_go.max_age_days); fetch it again"
        )
        raise CannotTell(msg)


def _events(rules: NoGo, around: Span) -> list[Event]:
    """Read a calendar's events near a span, those that recur each time that they do.

    Raises:
        CannotTell: The file can't be read, or something in it can't be understood.

    """
    try:
        text = rules.calendar.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise _unreadable(rules.calendar, problem) from problem
    try:
        return list(events(text, rules.zone, around))
    # Whatever a broken calendar does to the library that reads it, the drill must not begin.
    except Exception as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        msg = f"the no-go calendar {rules.calendar} is broken ({said}); fetch it again, or mend that event"
        raise CannotTell(msg) from problem


def events(text: str, zone: str, around: Span) -> Iterator[Event]:
    """Yield the events of an iCalendar text near a span; all kinds of errors if it is broken.

    Args:
        text: One or several calendars.
        zone: Where all-day events and times without a zone are meant.
        around: Events up to two days away from it are told as well.

    Raises:
        ValueError: An event is broken, names an unknown time zone, or there is no calendar at all.

    """
    calendars: list[Calendar] = Calendar.from_ical(text, multiple=True)
    if not calendars:
        msg = "it holds no whole VCALENDAR, or is cut short"
        raise ValueError(msg)
    here = ZoneInfo(zone)
    for calendar in calendars:
        _demand_whole(calendar)
        query = recurring_ical_events.of(calendar)
        for one in query.between(around.begins_at - _AROUND, around.ends_at + _AROUND):
            if str(one.get("STATUS", "")).upper() != "CANCELLED":
                title = " ".join(str(one.get("SUMMARY", "without a title")).split())
                span = Span(_instant(one.start, here, last=False), _instant(one.end, here, last=True))
                yield Event(title, span)


def _demand_whole(calendar: Component) -> None:
    """Refuse what the library would quietly leave out or take for local time."""
    for component in calendar.walk():
        for name, said in component.errors:
            msg = f"{name or component.name}: {said}"
            raise ValueError(msg)
        for name, value in component.property_items(recursive=False):
            zone = getattr(value, "params", {}).get("TZID")
            if zone is not None and _has_no_zone(value):
                msg = f"{name} names the unknown time zone {zone}"
                raise ValueError(msg)


def _has_no_zone(value: object) -> bool:
    listed = getattr(value, "dts", [value])
    return any(isinstance(one.dt, datetime) and one.dt.tzinfo is None for one in listed if hasattr(one, "dt"))


def _instant(at: date | datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return a calendar's time in UTC; where clocks are moved, so that the event is the longer one."""
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.astimezone(UTC)
    day, of_day = (at.date(), at.time()) if isinstance(at, datetime) else (at, time())
    return (hours.latest if last else hours.earliest)(day, of_day, zone)


def _unreadable(path: Path, problem: Exception) -> CannotTell:
    msg = f"the no-go calendar {path} can't be read: {problem}; correct no_go.calendar in the target file"
    return CannotTell(msg)
