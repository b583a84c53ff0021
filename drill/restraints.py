"""What the owner of a target allows: when it may be drilled, how much of it, and what ends a drill early.

Keys of the target file, all optional; nothing of them comes from the outputs of stacks.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from drill.stop_expression import parse

KEYS = ("windows", "no_go", "limits", "stop")
"""The target file's keys that are described here."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:  # "../x" is a ValueError, "" the database's folder
        msg = f"{name!r} is no IANA time zone, such as Europe/Berlin"
        raise ValueError(msg) from problem
    return name


def _of_day(value: object) -> object:
    # YAML 1.1 takes 16:30 without quotes for a number to the base of 60.
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    msg = 'a time of day is written in quotes, as "09:30"'
    raise ValueError(msg)


def _expression(text: str) -> str:
    return parse(text).text


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Zone = Annotated[str, AfterValidator(_known_zone)]
"""A name of the IANA time zone database, https://www.iana.org/time-zones."""
TimeOfDay = Annotated[str, BeforeValidator(_of_day)]
Seconds = Annotated[float, Field(gt=0)]


class Window(_Part):
    """When drills may run; a drill's whole expected length must lie inside one or several.

    Attributes:
        days: On which days it begins.
        begins: Written ``from``: when, as ``"09:30"``.
        ends: Written ``to``: until when; not later than ``from`` is the day after, and equal to it
            is a whole day.
        zone: In which time zone.

    """

    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    begins: TimeOfDay = Field(alias="from")
    ends: TimeOfDay = Field(alias="to")
    zone: Zone


class NoGo(_Part):
    """When no drill may run: any event of a calendar. Whether an event shows as busy does not matter.

    Attributes:
        calendar: An iCalendar file (RFC 5545); a relative path begins at the target file's folder.
        zone: The time zone of its all-day events and of times without a zone.
        max_age_days: A file that was written longer ago says nothing any more.
        valid_until: The last day for which the calendar is kept; None if that is not known.

    """

    calendar: Path
    zone: Zone
    max_age_days: float = Field(31, gt=0)
    valid_until: date | None = None


class Limits(_Part):
    """How much one drill may touch; what is left out is not limited.

    Attributes:
        max_resources: At most so many resources.
        faults: Only these kinds of faults.
        regions: Only resources in these regions; ``global`` for those in none.
        max_duration_s: A drill that may take longer is refused; one that does is stopped.
        production: Clients depend on it: only with a window, a stop alarm, named faults and
            a longest duration.

    """

    max_resources: int | None = Field(None, ge=1)
    faults: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    max_duration_s: Seconds | None = None
    production: bool = False


class StopRules(_Part):
    """What ends a drill early; it is then rolled back.

    Attributes:
        alarms: Names of CloudWatch alarms, by region: each must be there and calm before, and ends
            the drill when it fires.
        when: Expressions over probes, as ``clients bad > 50% for 10s``: see ``drill.stop_expression``.
        unseen_s: Alarms that could not be read for so long end the drill too.
        allow_insufficient_data: An alarm without data does not keep a drill from beginning.

    """

    alarms: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    when: tuple[Annotated[str, AfterValidator(_expression)], ...] = ()
    unseen_s: Seconds = 60
    allow_insufficient_data: bool = False
