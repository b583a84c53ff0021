"""When a game day takes place: dates of a schedule, and why one is skipped. Pure.

Cron is read by cronsim, recurrence rules by python-dateutil; both are asked in local time without an
offset, and what they say is put on the time line here, so that the two nights of a year in which
clocks are moved are treated alike: a time that is skipped is taken when the clocks are past it, one
that comes twice is taken the first time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from dateutil.rrule import rrule, rruleset, rrulestr

from drill.errors import UsageError
from drill.gameday.form import Schedule
from drill.guards.hours import Span
from drill.guards.no_go import Event

_FIELDS = "it has five fields: minute, hour, day of the month, month, day of the week"
# An rrule may name a day that never comes; from one leap day to the next it is eight years at most.
_AT_MOST = timedelta(days=366 * 9)


@dataclass(frozen=True, slots=True)
class Planned:
    """One date of a game day.

    Attributes:
        at: When, in UTC.
        local: The same in the schedule's zone.
        skipped: Why it is not held; empty if it is.

    """

    at: datetime
    local: datetime
    skipped: str = ""


def occurrences(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Yield the instants of a schedule after another, in UTC, ascending, none twice.

    Raises:
        UsageError: The expression can't be read, or no date of it ever comes.

    """
    zone = ZoneInfo(schedule.zone)
    last = after
    # A local day before: where clocks are moved, an instant may be earlier than the local time says.
    begin = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
    before = begin
    for local in _local(schedule, begin):
        if local - before > _AT_MOST:
            return
        before = local
        at = instant(local, zone)
        if at > last:
            last = at
            yield at


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time, in UTC.

    One that is skipped is as much later as the clocks are moved; of one that comes twice, the first.
    """
    # https://docs.python.org/3/library/datetime.html#datetime.datetime.fold
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _local(schedule: Schedule, begin: datetime) -> Iterator[datetime]:
    if schedule.cron is not None:
        try:
            if len(schedule.cron.split()) != 5:  # cronsim takes a sixth, of seconds
                raise CronSimError(_FIELDS)  # noqa: TRY301 (told in the same words just below)
            return iter(CronSim(schedule.cron, begin))
        except CronSimError as problem:
            msg = f"cron {schedule.cron!r}: {problem}, as in: 0 10 * * 2#1"
            raise UsageError(msg) from problem
    try:
        rule = rrulestr(str(schedule.rrule), dtstart=schedule.start)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        msg = f"rrule {schedule.rrule!r}: {problem}; as in: FREQ=MONTHLY;BYDAY=1TU"
        raise UsageError(msg) from problem
    if not isinstance(rule, rrule | rruleset):
        msg = f"rrule {schedule.rrule!r} is no recurrence rule; as in: FREQ=MONTHLY;BYDAY=1TU"
        raise UsageError(msg)
    return iter(rule.xafter(begin))


def planned(
    schedule: Schedule,
    after: datetime,
    length: timedelta,
    blackout: Sequence[Event] = (),
) -> Iterator[Planned]:
    """Yield the dates of a schedule, with why one is skipped.

    Args:
        schedule: When.
        after: The first is after this instant.
        length: How long the day takes at most, and how late it may begin.
        blackout: Events on which it is not held.

    """
    zone = ZoneInfo(schedule.zone)
    for at in occurrences(schedule, after):
        yield Planned(at, at.astimezone(zone), met(Span(at, at + length), blackout))


def first(every: Iterator[Planned], count: int) -> tuple[Planned, ...]:
    """Return the first of some dates.

    Raises:
        UsageError: There is none: the schedule names a date that never comes.

    """
    found = tuple(islice(every, count))
    if not found:
        msg = "no date of this schedule ever comes; correct schedule.cron or schedule.rrule"
        raise UsageError(msg)
    return found


def met(span: Span, blackout: Sequence[Event]) -> str:
    """Return the event that a span meets and when it is, in words; nothing if it meets none."""
    one = next((event for event in blackout if event.span.meets(span)), None)
    if one is None:
        return ""
    return f"'{one.title}' from {one.span.begins_at:%Y-%m-%d %H:%M} to {one.span.ends_at:%Y-%m-%d %H:%M} UTC"
