"""No drill meets an event of the no-go calendar, and a calendar that says nothing refuses."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.guards.contract import CannotTell
from drill.guards.no_go import outside_no_go
from tests.drill.guards.asking import NOBODY, asked

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def event(*lines: str) -> str:
    """Return a calendar with one event."""
    every = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t", "BEGIN:VEVENT", "UID:1", "SUMMARY:freeze")
    return "\r\n".join((*every, *lines, "END:VEVENT", "END:VCALENDAR", ""))


def refusal(folder: Path, text: str, at: datetime = NOW, zone: str = "Europe/Berlin", **rules: Any) -> str:
    """Return what the guard says of a drill of one hour, with a fresh calendar."""
    path = folder / "no-go.ics"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))
    no_go = {"calendar": str(path), "zone": zone, **rules}
    return outside_no_go(asked(at.isoformat(), no_go=no_go), NOBODY)


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (("DTSTART:20261124T105900Z", "DTEND:20261124T120000Z"), True),  # begins before the drill must end
        (("DTSTART:20261124T110000Z", "DTEND:20261124T120000Z"), False),
        (("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"), False),
        (("DTSTART:20261124T090000Z", "DURATION:PT61M"), True),
        (("DTSTART:20261124T103000Z",), True),  # an instant
        (("DTSTART;VALUE=DATE:20261124",), True),
        (("DTSTART;VALUE=DATE:20261124", "TRANSP:TRANSPARENT"), True),
        (("DTSTART;VALUE=DATE:20261124", "STATUS:CANCELLED"), False),
        (("DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261124"), False),  # the end is not in it
        (("DTSTART;VALUE=DATE:20251224", "RRULE:FREQ=MONTHLY"), True),
        (("DTSTART;VALUE=DATE:20251224", "RRULE:FREQ=MONTHLY", "EXDATE;VALUE=DATE:20261124"), False),
        (("DTSTART:20261124T113000", "DTEND:20261124T114500"), True),  # without a zone: Berlin
    ],
)
def test_events_that_meet_the_drill_refuse(tmp_path: Path, lines: tuple[str, ...], refused: bool) -> None:
    """Of an hour from 10:00 UTC, 11:00 in Berlin."""
    said = refusal(tmp_path, event(*lines))

    assert refused == bool(said)
    assert not refused or "no-go time 'freeze'" in said


def test_a_day_lies_in_its_zone(tmp_path: Path) -> None:
    """The 25th has begun in Auckland while it is the 24th in Berlin."""
    day = event("DTSTART;VALUE=DATE:20261125")
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)

    assert refusal(tmp_path, day, at, zone="Pacific/Auckland")
    assert "" == refusal(tmp_path, day, at)


def test_what_recurs_stays_at_its_local_time(tmp_path: Path) -> None:
    """An event each day at 12:30 in Berlin is at 11:30 UTC in winter and at 10:30 in summer."""
    daily = event("DTSTART;TZID=Europe/Berlin:20260101T123000", "DURATION:PT10M", "RRULE:FREQ=DAILY")

    assert "" == refusal(tmp_path, daily)
    assert refusal(tmp_path, daily, NOW.replace(month=7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no whole VCALENDAR"),
        ("rubbish", "is broken"),
        (event("DTSTART:20261124T100000Z")[:-20], "cut short"),
        (event("DTSTART:20261124T100000Z", "RRULE:FREQ=SOMETIMES"), "RRULE"),
        (event("DTSTART:soon"), "DTSTART"),
        (event("SEQUENCE:1"), "is broken"),
        (event("DTSTART;TZID=Mars/Base:20261124T100000"), "unknown time zone Mars/Base"),
    ],
)
def test_a_broken_calendar_refuses(tmp_path: Path, text: str, said: str) -> None:
    """What can't be understood is no free time; one line says what to do."""
    with pytest.raises(CannotTell, match=said) as problem:
        refusal(tmp_path, text)

    assert "\n" not in str(problem.value)


def test_a_calendar_that_nobody_keeps_refuses(tmp_path: Path) -> None:
    """Missing, too old, or not kept for the day on which the drill would end."""
    empty = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

    assert "" == refusal(tmp_path, empty, valid_until="2026-11-24")
    with pytest.raises(CannotTell, match="kept until 2026-11-23 only"):
        refusal(tmp_path, empty, valid_until="2026-11-23")
    late = asked(
        (NOW + timedelta(days=32)).isoformat(), no_go={"calendar": str(tmp_path / "no-go.ics"), "zone": "UTC"}
    )
    with pytest.raises(CannotTell, match="written 32 days ago"):
        outside_no_go(late, NOBODY)
    (tmp_path / "no-go.ics").unlink()
    with pytest.raises(CannotTell, match="can't be read"):
        outside_no_go(late, NOBODY)


@given(st.integers(0, 200), st.text(max_size=12))
def test_no_damage_is_a_crash(tmp_path_factory: pytest.TempPathFactory, place: int, junk: str) -> None:
    """Whatever is written into a calendar, the guard answers or says that it can't."""
    text = event("DTSTART:20261124T100000Z", "RRULE:FREQ=DAILY;COUNT=3")
    folder = tmp_path_factory.getbasetemp()
    try:
        refusal(folder, text[:place] + junk.encode(errors="ignore").decode() + text[place:])
    except CannotTell as problem:
        said = str(problem)
    else:
        said = ""
    assert "\n" not in said
