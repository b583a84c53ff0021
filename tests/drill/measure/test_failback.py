import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.failback import failback
from drill.model import MeasureSpec
from tests.drill.measure.worlds import EAST, WEST, attempt, history, holds, marks, measured, scripted, target

SPEC = MeasureSpec("failback", "clients", {"served_by": EAST})


def test_failback_runs_from_the_undo_to_the_primary() -> None:
    """The standby's good answers after the undo are no failback."""
    seen = scripted("g" * 50 + "b" * 10 + "w" * 40 + "g" * 30)
    at = marks(undone=(8.0, 8.2), ended=7.9, settled=12.5)
    one = measured(failback(SPEC, history(seen, at), target()), "failback")
    assert (one.low, one.high) == pytest.approx((9.9 - 8.2, 10.01 - 8.0))


def test_failback_that_never_came_is_censored() -> None:
    """When the primary never serves again, the upper bound is open."""
    seen = scripted("g" * 50 + "w" * 60)
    one = measured(failback(SPEC, history(seen, marks(undone=(8.0, 8.2))), target()), "failback")
    assert one.high is None
    assert one.low == pytest.approx(10.9 - 8.2)


def test_a_few_answers_at_the_end_are_no_failback() -> None:
    """The primary must have served for the settling time before the probes stopped."""
    seen = scripted("g" * 50 + "w" * 60 + "g" * 4)
    given_up = failback(SPEC, history(seen, marks(undone=(8.0, 8.2))), target())
    assert measured(given_up, "failback").high is None
    settled = failback(SPEC, history(seen, marks(undone=(8.0, 8.2), settled=11.4)), target())
    assert measured(settled, "failback").high == pytest.approx(11.01 - 8.0)


def test_nothing_undone_gives_no_measurement() -> None:
    """A drill that injected nothing undid nothing."""
    assert not failback(SPEC, history(scripted("g" * 90)), target()).measurements


def test_the_region_must_be_named() -> None:
    """Without the primary's name any answer would look like a failback."""
    with pytest.raises(ValueError, match="served_by"):
        failback(
            MeasureSpec("failback", "clients"), history([attempt(0, 9)], marks(undone=(8, 8.1))), target()
        )


@given(back_s=st.floats(8.2, 11), undo_s=st.floats(0, 0.3))
def test_the_true_failback_is_inside(back_s: float, undo_s: float) -> None:
    """Whenever the primary serves again, the true time from the undo lies inside."""
    seen = [
        attempt(number, number / 10, answered_by=WEST if 6 <= number / 10 + 0.001 < back_s else EAST)
        for number in range(130)
    ]
    at = marks(undone=(8.2 - undo_s, 8.2), ended=8.0, settled=12.9)
    one = measured(failback(SPEC, history(seen, at), target()), "failback")
    assert holds(one, back_s - 8.2)
    assert holds(one, back_s - 8.2 + undo_s)
