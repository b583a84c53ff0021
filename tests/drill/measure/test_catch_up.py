import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.catch_up import catch_up
from drill.model import Measured, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.test_replication_lag import marker
from tests.drill.measure.worlds import history, holds, marks, measured, target

SPEC = MeasureSpec("catch_up", "replication")
PROBE = ProbeSpec("replication", "replication", 0.4, 60, {"source": "us-east-1", "destination": "us-west-2"})
WAY = "us-east-1 to us-west-2"


def caught_up(seen: list[Observation], undone: tuple[float, float] | None = (20.0, 20.5)) -> Measured:
    """Measure markers around an undo."""
    return catch_up(SPEC, history(seen, marks(undone=undone), specs=[PROBE]), target())


def test_the_last_marker_held_back_counts() -> None:
    """Those that had arrived before the undo, and those written after it, do not."""
    found = caught_up(
        [
            marker(0, 2.0, 2.05, 2.1),
            marker(1, 6.0, 21.0, 21.3),
            marker(2, 9.0, 21.9, 22.2),
            marker(3, 21.0, 23.0, 23.4),
        ]
    )
    took = measured(found, "catch_up", WAY)
    assert (took.low, took.high) == pytest.approx((1.4, 2.2))
    assert measured(found, "held_back", WAY).low == 2


def test_one_that_never_came_leaves_no_upper_bound() -> None:
    """At least until it was last looked for."""
    found = caught_up([marker(1, 6.0, 21.0, 21.3), marker(2, 9.0, 24.5, None)])
    took = measured(found, "catch_up", WAY)
    assert took.low == pytest.approx(4.0)
    assert took.high is None
    assert "1 of 2 markers" in took.how


def test_without_anything_held_back_there_is_nothing_to_catch_up() -> None:
    """A pause that held nothing back has a count of 0 and no time."""
    found = caught_up([marker(0, 2.0, 2.05, 2.1)])
    assert [("held_back", 0)] == [(one.name, one.low) for one in found.measurements]
    assert not caught_up([marker(0, 2.0, 2.05, 2.1)], undone=None).measurements


@given(
    arrivals_s=st.lists(st.floats(20.6, 40), min_size=1, max_size=20),
    poll_s=st.floats(0.02, 0.5),
    mix=st.randoms(use_true_random=False),
)
def test_the_truth_is_inside(arrivals_s: list[float], poll_s: float, mix: object) -> None:
    """Whatever order markers arrive in, and whatever order they are told in."""
    seen = []
    for number, arrived_s in enumerate(arrivals_s):
        put_s = 6 + number / 10
        count = int((arrived_s - put_s - 0.01) / poll_s)
        seen.append(marker(number, put_s, put_s + 0.01 + count * poll_s, put_s + 0.01 + (count + 1) * poll_s))
    took = measured(caught_up(seen), "catch_up", WAY)
    assert holds(took, max(arrivals_s) - 20.25)
    assert took.high is not None
    assert took.high - took.low <= poll_s + 0.5 + 1e-6
    mix.shuffle(seen)  # type: ignore[attr-defined]
    assert measured(caught_up(seen), "catch_up", WAY) == took
