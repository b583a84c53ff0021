"""When a cron expression of AWS comes true, and how often.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YEAR = 2027  # any year that is no leap year
_FIELDS = 6
_SATURDAY = 7

OnDay = Callable[[date], bool]
"""Says whether an expression comes true on a day."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a schedule comes true.

    Attributes:
        minutes: Of each of the hours.
        hours: Of each of the days, in UTC.
        on_day: Whether a day is one of them, whatever its year.

    """

    minutes: frozenset[int]
    hours: frozenset[int]
    on_day: OnDay


def parse(schedule: str) -> Times:
    """Return what a schedule means.

    Args:
        schedule: ``cron(minutes hours day-of-month month day-of-week year)``.

    Raises:
        ValueError: AWS would not take it; the text says why.

    """
    found = re.fullmatch(r"cron\((.+)\)", schedule)
    fields = found[1].split() if found else []
    if len(fields) != _FIELDS:
        msg = f"{schedule!r} is not cron(minutes hours day-of-month month day-of-week year)"
        raise ValueError(msg)
    minutes, hours, days, months, weekdays, years = (field.upper() for field in fields)
    if (days == "?") == (weekdays == "?"):
        msg = f"{schedule!r} must have ? as day-of-month or as day-of-week, and not as both"
        raise ValueError(msg)
    _chosen("year", years, 1970, 2199)
    in_months = _chosen("month", _numbered(months, _MONTHS), 1, 12)
    on_day = _weekdays(_numbered(weekdays, _DAYS)) if days == "?" else _monthdays(days)
    return Times(
        _chosen("minutes", minutes, 0, 59),
        _chosen("hours", hours, 0, 23),
        lambda day: day.month in in_months and on_day(day),
    )


def backups_a_month(schedule: str) -> float:
    """Return how often a schedule comes true in a month, on the average of a year.

    Raises:
        ValueError: AWS would not take it.

    """
    times = parse(schedule)
    year = (date(_YEAR, 1, 1) + timedelta(days=after) for after in range(365))
    return len(times.minutes) * len(times.hours) * sum(times.on_day(day) for day in year) / 12


def _numbered(field: str, names: tuple[str, ...]) -> str:
    for number, name in enumerate(names, 1):
        field = field.replace(name, str(number))
    return field


def _chosen(label: str, field: str, least: int, most: int) -> frozenset[int]:
    """Return the numbers that a field means.

    Raises:
        ValueError: It means none.

    """
    found: set[int] = set()
    for part in field.split(","):
        read = re.fullmatch(r"(?:(?P<all>\*)|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>\d+))?", part)
        if read is None:
            raise _wrong(label, part)
        first = least if read["all"] else int(read["first"])
        ends = most if read["all"] or (read["step"] and not read["last"]) else first
        last, step = int(read["last"] or ends), int(read["step"] or 1)
        if not least <= first <= last <= most or step < 1:
            raise _wrong(label, part)
        found |= set(range(first, last + 1, step))
    return frozenset(found)


def _monthdays(field: str) -> OnDay:
    """Return the days of a month: numbers, ``L`` for the last, ``3W`` for the weekday next to the third."""
    if field == "L":
        return lambda day: day.day == _last(day)
    nearest = re.fullmatch(r"(\d+)W", field)
    if nearest:
        (wanted,) = _chosen("day-of-month", nearest[1], 1, 31)
        return lambda day: day == _nearest_weekday(day, wanted)
    chosen = _chosen("day-of-month", field, 1, 31)
    return lambda day: day.day in chosen


def _weekdays(field: str) -> OnDay:
    """Return the days of a week: numbers from Sunday, ``L`` for the last, ``6#3`` for the third Friday."""
    special = re.fullmatch(r"(\d)?L|(\d)#(\d)", field)
    if special is None:
        chosen = _chosen("day-of-week", field, 1, 7)
        return lambda day: _weekday(day) in chosen
    last_of, nth_of, nth = special.groups()
    if nth is None and last_of is None:
        return lambda day: _weekday(day) == _SATURDAY
    (wanted,) = _chosen("day-of-week", last_of or nth_of, 1, 7)
    if nth is None:
        return lambda day: _weekday(day) == wanted and day.day + 7 > _last(day)
    (week,) = _chosen("day-of-week", nth, 1, 5)
    return lambda day: _weekday(day) == wanted and (day.day + 6) // 7 == week


def _nearest_weekday(day: date, wanted: int) -> date | None:
    """Return the day from Monday to Friday that is nearest to a day of the same month."""
    if wanted > _last(day):
        return None
    at = day.replace(day=wanted)
    if at.isoweekday() <= 5:
        return at
    saturday = at.isoweekday() == 6
    away = (2 if wanted == 1 else -1) if saturday else (-2 if wanted == _last(day) else 1)
    return at + timedelta(days=away)


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _wrong(label: str, part: str) -> ValueError:
    return ValueError(f"{part!r} is no {label} of a cron expression")
