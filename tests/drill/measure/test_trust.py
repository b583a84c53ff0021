from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from drill.measure import measure
from drill.measure.trust import trust
from drill.model import ClockReading, Finding, Severity
from tests.drill.measure.stories import SPECS, stories
from tests.drill.measure.worlds import history, ns, scripted, target

WALL = datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC)


def read(*pairs: tuple[float, float]) -> list[ClockReading]:
    """Return readings: seconds on the one clock, and on that of the wall."""
    return [
        ClockReading(ns(at_s), (WALL + timedelta(seconds=wall_s)).isoformat(timespec="microseconds"))
        for at_s, wall_s in pairs
    ]


def told(*pairs: tuple[float, float]) -> tuple[Finding, ...]:
    """Return what is told of these readings."""
    return trust(replace(history(scripted("g" * 9)), clocks=read(*pairs)))


def test_a_wall_clock_that_keeps_time_is_not_told_of() -> None:
    """Drift of a slewed clock, and a moment between looking at both, are no step."""
    assert told() == ()
    assert told((0, 0), (1, 1.0004), (2, 2.001), (3, 3.3), (4, 4.0)) == ()
    assert told((0, 0), (3600, 3601.8)) == ()


def test_a_clock_that_was_set_is_told_of_once_for_each_time() -> None:
    """Forward, back, or over a sleep: each step with its size and its place, whatever the order."""
    (one,) = told((0, 0), (1, 1), (2, 3602), (3, 3603), (4, 4))
    assert (one.code, one.severity) == ("wall_clock_stepped", Severity.NOTE)
    assert "2 times" in one.title
    assert "by +3600.000 s, seen 2.0 s" in one.detail
    assert "by -3600.000 s, seen 4.0 s" in one.detail
    assert told((4, 4), (2, 3602), (0, 0), (3, 3603), (1, 1)) == (one,)


def test_very_many_steps_are_counted_and_not_listed() -> None:
    """A clock that jumps all the time makes no page of text."""
    (one,) = told(*((at, (at % 2) * 100) for at in range(50)))
    assert "49 times" in one.title
    assert "and 44 more" in one.detail
    assert one.detail.count("seen") == 5


@settings(max_examples=10)
@given(
    story=stories(), walls=st.lists(st.floats(-1e8, 1e8), min_size=2, max_size=20), step_s=st.floats(1, 1e6)
)
def test_no_wall_clock_changes_a_measurement(story: object, walls: list[float], step_s: float) -> None:
    """Set to anything at any time, it adds a finding and changes nothing else."""
    seen = story.seen()  # type: ignore[attr-defined]
    quiet = measure(list(SPECS.values()), seen, target())
    walls.append(walls[-1] + step_s + len(walls))
    jumped = measure(list(SPECS.values()), replace(seen, clocks=read(*enumerate(walls))), target())
    assert replace(jumped, findings=quiet.findings) == quiet
    assert [one.code for one in jumped.findings] == [
        *(one.code for one in quiet.findings),
        "wall_clock_stepped",
    ]


def test_what_is_missing_is_critical() -> None:
    """A history that is not whole says why, and no outcome of it is met."""
    (one,) = measure([], replace(history([]), damage="segment 7 is missing"), target()).findings
    assert (one.code, one.severity) == ("observations_damaged", Severity.CRITICAL)
    assert "segment 7 is missing" in one.detail
