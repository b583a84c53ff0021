"""What requests cost, what a bucket gives, how often capacity may be decreased: plain values."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.lab.control_plane.decreases import CapacityHistory, next_decrease_at, refusal
from infra.lab.table_capacity import Bucket, burst_s, read_units, write_units

MORNING = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (4096, 4), (4097, 5)])
def test_a_write_costs_one_unit_for_each_kb_begun(size: int, units: int) -> None:
    """A write of nothing costs one unit too."""
    assert write_units(size) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (8192, 2), (8193, 3)])
def test_a_read_costs_one_unit_for_each_4_kb_begun(size: int, units: int) -> None:
    """An eventually consistent one costs half of it."""
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


def test_a_bucket_keeps_what_is_not_used_up_to_its_depth() -> None:
    """It fills at its rate, never beyond its depth, and gives all of that at once."""
    bucket = Bucket(rate=5.0, depth=20.0, level=0.0, at_s=100.0)
    assert bucket.left(102.0) == 10.0
    assert bucket.left(200.0) == 20.0
    bucket.level -= 20
    assert bucket.left(200.0) == 0.0


def test_a_debt_is_paid_before_the_next_request() -> None:
    """What was taken beyond what was left has to come back first, at the rate."""
    bucket = Bucket(rate=10.0, depth=10.0, level=5.0, at_s=0.0)
    bucket.level -= 25
    assert bucket.wait_s(0.0) == 2.0
    assert bucket.wait_s(1.5) == 0.5
    assert bucket.wait_s(2.1) == 0.0


def test_a_smaller_capacity_cuts_what_was_kept() -> None:
    """What is left stays, as far as the new depth holds it."""
    bucket = Bucket(rate=100.0, depth=600.0, level=600.0, at_s=0.0)
    bucket.change(2.0, 12.0, 0.0)
    assert bucket.left(0.0) == 12.0
    bucket.change(100.0, 600.0, 1.0)
    assert bucket.left(1.0) == 12.0


@pytest.mark.parametrize(("clock_scale", "seconds"), [(1.0, 300.0), (0.02, 6.0), (0.0001, 1.0)])
def test_the_burst_follows_the_labs_clock(clock_scale: float, seconds: float) -> None:
    """300 seconds are kept, as much less as the clock is faster, and never less than one."""
    assert burst_s(clock_scale) == seconds


def _decreased(*minutes: float) -> CapacityHistory:
    history = CapacityHistory()
    for minute in minutes:
        history = history.after((10, 10), (10, 5), MORNING + timedelta(minutes=minute))
    return history


@pytest.mark.parametrize(
    ("decreased", "at", "allowed"),
    [
        ((), 0, 0),
        ((0,), 1, 1),
        ((0, 1, 2), 3, 3),
        ((0, 1, 2, 3), 4, 63),
        ((0, 1, 2, 3), 63, 63),
        ((0, 1, 2, 3, 63), 64, 123),
        # The first hour is over: no more than one an hour, though there were less than four.
        ((0, 50), 70, 110),
        ((0, 50), 111, 111),
    ],
)
def test_when_a_decrease_is_allowed(decreased: tuple[float, ...], at: float, allowed: float) -> None:
    """Four within an hour from the first of a day, then one whenever the last is an hour ago."""
    now, then = MORNING + timedelta(minutes=at), MORNING + timedelta(minutes=allowed)
    assert next_decrease_at(_decreased(*decreased), now) == then


def test_a_new_day_allows_four_again() -> None:
    """Days are UTC's: after midnight the decreases of the day before don't count."""
    late = MORNING.replace(hour=23, minute=50)
    history = CapacityHistory(None, tuple(late + timedelta(minutes=minute) for minute in range(4)))
    assert next_decrease_at(history, late + timedelta(minutes=5)) == datetime(2026, 5, 5, tzinfo=UTC)
    assert refusal(history, datetime(2026, 5, 5, 0, 1, tzinfo=UTC), "") == ""
    assert len(history.today(datetime(2026, 5, 5, 0, 1, tzinfo=UTC))) == 0


def test_a_refusal_says_how_many_there_were_and_when_the_next_may_be() -> None:
    """It names the index, as the quota is each one's own."""
    why = refusal(_decreased(0, 1, 2, 3), MORNING + timedelta(minutes=4), "pending")
    assert "of the index pending" in why
    assert "decreases today: 4" in why
    assert "Next decrease can be made at 2026-05-04T09:03:00Z" in why


def test_increases_are_dated_and_never_counted() -> None:
    """Raising reads while lowering writes is both."""
    history = CapacityHistory().after((5, 5), (9, 5), MORNING)
    assert (history.increased_at, history.decreased_at) == (MORNING, ())
    history = history.after((9, 5), (12, 2), MORNING + timedelta(hours=1))
    assert history.increased_at == history.decreased_at[-1] == MORNING + timedelta(hours=1)
