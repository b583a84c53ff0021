"""A drill begins only where its whole expected length lies inside the windows, clocks moved or not."""

from typing import Any

import pytest

from drill.guards.window import in_window
from tests.drill.guards.asking import NOBODY, asked

OFFICE = {"days": ["mon", "tue"], "from": "09:00", "to": "12:00", "zone": "Europe/Berlin"}


def refusal(at: str, *windows: dict[str, Any]) -> str:
    """Return what the guard says of a drill of one hour."""
    return in_window(asked(at, windows=list(windows)), NOBODY)


@pytest.mark.parametrize(
    ("at", "may"),
    [
        ("2026-11-24T08:00:00+00:00", True),  # Tuesday, 09:00 in Berlin
        ("2026-11-24T10:00:00+00:00", True),  # ends as the window does
        ("2026-11-24T07:59:59+00:00", False),
        ("2026-11-24T10:00:01+00:00", False),  # would end a second after the window
        ("2026-11-25T09:00:00+00:00", False),  # Wednesday
        ("2026-07-07T07:00:00+00:00", True),  # in summer 09:00 is two hours before UTC
        ("2026-07-07T09:30:00+00:00", False),
    ],
)
def test_the_whole_length_must_lie_inside(at: str, may: bool) -> None:
    """Beginning inside is not enough."""
    assert may == (refusal(at, OFFICE) == "")


def test_says_when_the_next_window_opens() -> None:
    """A refusal names the next one that is long enough, in UTC."""
    short = {**OFFICE, "days": ["wed"], "to": "09:30"}

    assert "opens Mon 2026-11-30 08:00 UTC" in refusal("2026-11-24T10:30:00+00:00", OFFICE, short)
    assert "closes before" in refusal("2026-11-24T10:30:00+00:00", OFFICE)
    assert "no window of the next two weeks is as long" in refusal("2026-11-24T10:30:00+00:00", short)


def test_windows_that_touch_are_one() -> None:
    """A drill may cross midnight where one window ends as the next begins."""
    every = {"days": ["mon", "tue"], "from": "00:00", "to": "00:00", "zone": "UTC"}

    assert "" == refusal("2026-11-23T23:30:00+00:00", every)
    assert refusal("2026-11-24T23:30:00+00:00", every)


def test_a_window_may_end_on_the_next_day() -> None:
    """From late to early belongs to the day on which it begins."""
    night = {"days": ["tue"], "from": "22:00", "to": "02:00", "zone": "UTC"}

    assert "" == refusal("2026-11-25T00:30:00+00:00", night)
    assert refusal("2026-11-24T00:30:00+00:00", night)


@pytest.mark.parametrize(
    ("at", "may"),
    [
        # Clocks go back at 03:00 in Berlin: 02:30 comes twice, at 00:30 and at 01:30 UTC.
        ("2026-10-25T00:30:00+00:00", False),
        ("2026-10-25T01:30:00+00:00", True),
        # They go forward at 02:00: 02:30 never comes, and the window opens with the later meaning.
        ("2026-03-29T00:30:00+00:00", False),
        ("2026-03-29T01:30:00+00:00", True),
    ],
)
def test_where_clocks_are_moved_the_window_is_the_shorter(at: str, may: bool) -> None:
    """A time that comes twice or never opens a window as late as it can mean."""
    night = {"days": ["sun"], "from": "02:30", "to": "06:00", "zone": "Europe/Berlin"}

    assert may == (refusal(at, night) == "")


def test_without_windows_any_time_will_do() -> None:
    """A target that says nothing may be drilled at any time."""
    assert "" == refusal("2026-11-22T03:00:00+00:00")
