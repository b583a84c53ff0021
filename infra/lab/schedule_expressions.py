"""Schedule expressions as Amazon EventBridge Scheduler and AWS Backup read them.

``at(yyyy-mm-ddThh:mm:ss)`` names an instant, ``rate(5 minutes)`` a period, ``cron(...)`` has
AWS's own six fields, with ``?``, ``L``, ``W``, ``#`` and a year. The fields are read by
aws-croniter, which knows that dialect; cronsim and croniter know Unix's, without ``?``, ``W``
and years, and number the days of the week otherwise.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter

_FORM = re.compile(r"(at|rate|cron)\((.*)\)")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_RATE = re.compile(r"([1-9]\d*) +(minute|hour|day)s?")
_UNITS_S = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


@dataclass(frozen=True, slots=True)
class At:
    """One instant, in UTC."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """Again and again after the same time."""

    period_s: float


@dataclass(frozen=True, slots=True)
class Cron:
    """Times of the calendar in a time zone."""

    fields: AwsCroniter
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, in UTC; None when there is none left.

        A local time that a change of the clocks leaves out is skipped, and one that comes
        twice counts once:
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
        """
        # aws-croniter only takes UTC: the local time is shown to it as if it were that.
        wall = moment.astimezone(self.zone).replace(tzinfo=UTC)
        while True:
            found: datetime | None = self.fields.get_next(wall)[0]
            if found is None:
                return None
            there = found.replace(tzinfo=self.zone).astimezone(UTC)
            exists = there.astimezone(self.zone).replace(tzinfo=UTC) == found
            if exists and there > moment:
                return there
            wall = found


Expression = At | Rate | Cron


def parse(text: str, timezone: str = "UTC") -> Expression:
    """Return what an expression says.

    Args:
        text: The expression.
        timezone: IANA name of the zone in which ``at`` and ``cron`` are meant.

    Raises:
        ValueError: The expression or the time zone is not one.

    """
    zone = _zone(timezone)
    form = _FORM.fullmatch(text.strip())
    kind, inside = form.groups() if form else ("", "")
    read: Expression | None = None
    if kind == "at":
        read = _at(inside, zone)
    elif kind == "rate":
        read = _rate(inside)
    elif kind == "cron":
        read = _cron(inside, zone)
    if read is None:
        msg = f"Invalid Schedule Expression {text}."
        raise ValueError(msg)
    return read


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as problem:
        msg = f"Invalid Schedule Expression Timezone {name}."
        raise ValueError(msg) from problem


def _at(inside: str, zone: ZoneInfo) -> At | None:
    if not _AT.fullmatch(inside):
        return None
    try:
        return At(datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _rate(inside: str) -> Rate | None:
    found = _RATE.fullmatch(inside)
    return Rate(int(found[1]) * _UNITS_S[found[2]]) if found else None


def _cron(inside: str, zone: ZoneInfo) -> Cron | None:
    fields = inside.split()
    if len(fields) == 6 and fields[4].upper() == "L":
        # The last day of the week alone, which aws-croniter overlooks, is Saturday.
        fields[4] = "7"
    try:
        return Cron(AwsCroniter(" ".join(fields)), zone)
    except ValueError:
        return None
