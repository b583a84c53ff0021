from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.schedule_expressions import At, Cron, Rate, parse
from infra.lab.virtual_time import VirtualClock

START = datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)  # a Friday


def after(fields: str, moment: datetime = START, timezone: str = "UTC", count: int = 1) -> list[str]:
    """Return the first times of a cron expression after a moment."""
    cron, found = parse(f"cron({fields})", timezone), []
    assert isinstance(cron, Cron)
    for _ in range(count):
        following = cron.after(moment)
        if following is None:
            break
        moment = following
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("0 * * * ? *", "2026-11-20 11:00"),
        ("15 10 ? * 6L *", "2026-11-27 10:15"),
        ("0 10 ? * MON-FRI *", "2026-11-23 10:00"),
        ("0/15 * * * ? *", "2026-11-20 10:15"),
        ("0 0 L * ? *", "2026-11-30 00:00"),
        ("0 0 15W 11 ? 2026-2028", "2027-11-15 00:00"),
        ("0 0 15W 8 ? *", "2027-08-16 00:00"),
        ("0 0 ? * 3#2 *", "2026-12-08 00:00"),
        ("0 0 ? * L *", "2026-11-21 00:00"),
        ("0 12 1 1 ? 2030", "2030-01-01 12:00"),
        ("0-15/5 8-8 ? JAN,DEC 2,3,4 *", "2026-12-01 08:00"),
    ],
)
def test_fields_of_aws(fields: str, expected: str) -> None:
    """Each wildcard of AWS's dialect gives the next time that its documentation says."""
    assert after(fields) == [expected]


def test_an_expression_of_the_past_is_never_due() -> None:
    """A cron expression whose years are over has no next time."""
    assert after("0 9 1 1 ? 2020") == []


def test_hours_that_a_change_of_the_clocks_leaves_out_or_repeats() -> None:
    """A local time that does not exist is skipped, and one that comes twice counts once."""
    before = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert after("30 2 * * ? *", before, "Europe/Berlin", 3) == [
        "2026-03-28 01:30",
        "2026-03-30 00:30",
        "2026-03-31 00:30",
    ]
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert after("30 2 * * ? *", before, "Europe/Berlin", 2) == ["2026-10-25 00:30", "2026-10-26 01:30"]


@given(st.integers(1_700_000_000, 2_000_000_000), st.sampled_from(["UTC", "America/New_York"]))
def test_the_next_time_is_always_later(seconds: int, timezone: str) -> None:
    """Whatever the moment, the next quarter of an hour is after it, within two hours, and on the clock."""
    moment = datetime.fromtimestamp(seconds, UTC)
    cron = parse("cron(0/15 * * * ? *)", timezone)
    assert isinstance(cron, Cron)
    found = cron.after(moment)
    assert found is not None
    assert moment < found <= moment + timedelta(hours=2)
    assert (found.minute % 15, found.second) == (0, 0)


def test_instants_and_periods() -> None:
    """`at` is meant in its time zone, and `rate` takes minutes, hours and days."""
    assert parse("at(2026-11-20T13:00:00)", "Asia/Tokyo") == At(datetime(2026, 11, 20, 4, tzinfo=UTC))
    assert [parse(f"rate({text})") for text in ("1 minute", "5 minutes", "2 hours", "3 days")] == [
        Rate(60),
        Rate(300),
        Rate(7200),
        Rate(259200),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5 minutes",
        "rate(0 minutes)",
        "rate(-1 hours)",
        "rate(5 seconds)",
        "rate(5)",
        "at(2026-02-30T00:00:00)",
        "at(2026-11-20)",
        "at(2026-11-20T13:00:00Z)",
        "cron(0 12 * * ?)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(60 * * * ? *)",
        "cron(0 0 ? * 3#1,6#3 *)",
        "cron(0 0 LW * ? *)",
        "cron(a b c d e f)",
        "every day",
    ],
)
def test_what_is_no_expression(text: str) -> None:
    """What AWS refuses is refused in its words."""
    with pytest.raises(ValueError, match="Invalid Schedule Expression"):
        parse(text)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../etc/passwd"])
def test_what_is_no_time_zone(timezone: str) -> None:
    """An unknown time zone is refused."""
    with pytest.raises(ValueError, match="Invalid Schedule Expression Timezone"):
        parse("rate(5 minutes)", timezone)


def test_the_labs_clock() -> None:
    """With a scale of 0.02 an hour passes in 72 seconds, from the lab's start on, and back again."""
    clock = VirtualClock(0.02, started_s=1_000_000)
    shown = clock.shown_at(1_000_072)
    assert shown.timestamp() == pytest.approx(1_003_600)
    assert clock.real_s(shown) == pytest.approx(1_000_072)
