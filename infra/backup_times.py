"""How often a cron expression of AWS comes true."""

from calendar import monthrange
from datetime import date, timedelta

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YEAR = 2027  # any year that is no leap year


def backups_a_month(schedule: str) -> float:
    """Return how often a schedule comes true in a month, on the average of a year.

    Args:
        schedule: ``cron(minutes hours day-of-month month day-of-week year)``, see
            https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

    """
    minutes, hours, days, months, weekdays, _ = schedule.removeprefix("cron(").removesuffix(")").split()
    a_day = len(_chosen(minutes, 0, 59)) * len(_chosen(hours, 0, 23))
    in_months = _chosen(_numbered(months, _MONTHS), 1, 12)
    on_weekdays = _chosen(_numbered(weekdays, _DAYS), 1, 7)
    found = 0
    day = date(_YEAR, 1, 1)
    while day.year == _YEAR:
        last = monthrange(day.year, day.month)[1]
        on_day = {last} if days == "L" else _chosen(days, 1, 31)
        found += day.month in in_months and day.day in on_day and day.isoweekday() % 7 + 1 in on_weekdays
        day += timedelta(days=1)
    return a_day * found / 12


def _numbered(field: str, names: tuple[str, ...]) -> str:
    for number, name in enumerate(names, 1):
        field = field.upper().replace(name, str(number))
    return field


def _chosen(field: str, least: int, most: int) -> set[int]:
    """Return the numbers that a field of the expression means."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = least, most
        else:
            begins, _, ends = span.partition("-")
            first = int(begins)
            last = int(ends) if ends else (most if step else first)
        found |= set(range(first, last + 1, int(step or 1)))
    return found
