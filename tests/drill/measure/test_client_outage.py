from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.client_outage import client_outage
from drill.measure.shares import wilson
from drill.model import MeasureSpec
from tests.drill.measure.worlds import (
    CLIENTS,
    World,
    attempt,
    history,
    holds,
    marks,
    measured,
    scripted,
    shifted,
    target,
    unsent,
)

SPEC = MeasureSpec("client_outage", "clients")


def test_downtime_and_shares_of_one_outage() -> None:
    """Downtime has the hard bounds; shares are over what was due between injection and rollback."""
    seen = scripted("g" * 55 + "b" * 20 + "g" * 45)
    found = client_outage(SPEC, history(seen, marks(undone=(10.0, 10.1), ended=9.9)), target())
    downtime = measured(found, "client_outage")
    assert (downtime.low, downtime.high) == pytest.approx((7.4 - 5.51, 7.51 - 5.4))
    bad = measured(found, "bad_attempts")
    assert (bad.low, bad.high, bad.unit) == (20, 20, "1")
    share = measured(found, "bad_share")
    assert (share.low, share.high) == pytest.approx(wilson(20, 50))
    available = measured(found, "availability")
    assert (available.low, available.high) == pytest.approx((1 - share.high, 1 - share.low))  # type: ignore[operator]


def test_late_and_unsent_attempts_may_have_been_either() -> None:
    """What was due in the outage and sent after it does not hide it: it counts as possibly bad."""
    seen = scripted("g" * 60)
    seen += [unsent(number, number / 10) for number in range(60, 65)]
    seen += [attempt(number, 6.6, due_s=number / 10) for number in range(65, 70)]
    seen += [attempt(number, number / 10) for number in range(70, 90)]
    found = client_outage(SPEC, history(seen), target())
    bad = measured(found, "bad_attempts")
    # 65 was sent 0.1 s late, no more than an interval.
    assert (bad.low, bad.high) == (0, 5)
    seen[65] = attempt(65, 6.61, due_s=6.5)
    assert measured(client_outage(SPEC, history(seen), target()), "bad_attempts").high == 6


def test_nothing_bad_is_none_with_an_honest_bound() -> None:
    """Without an outage the upper bound is the longest that could hide between two good answers."""
    found = client_outage(SPEC, history(scripted("g" * 60 + "bb" + "g" * 30)), target())
    downtime = measured(found, "client_outage")
    assert (downtime.low, downtime.high) == pytest.approx((0.0, 6.21 - 5.9))
    found = client_outage(SPEC, history(scripted("g" * 90)), target())
    downtime, share = measured(found, "client_outage"), measured(found, "bad_share")
    assert (downtime.low, downtime.high) == pytest.approx((0.0, 0.11))
    assert share.low == 0
    assert share.high == pytest.approx(0.0876, abs=1e-3)


def test_outages_apart_are_added_up() -> None:
    """Two outages with a settled stretch between them count both, and nothing between them."""
    seen = scripted("g" * 52 + "b" * 5 + "g" * 20 + "b" * 7 + "g" * 30)
    downtime = measured(client_outage(SPEC, history(seen), target(1.0)), "client_outage")
    assert downtime.low == pytest.approx((5.6 - 5.21) + (8.3 - 7.71))
    assert downtime.high == pytest.approx((5.71 - 5.1) + (8.41 - 7.6))


def test_an_outage_without_an_end_is_censored() -> None:
    """Clients that were never served again have a downtime without an upper bound."""
    downtime = measured(
        client_outage(SPEC, history(scripted("g" * 55 + "b" * 30)), target()), "client_outage"
    )
    assert downtime.high is None
    assert downtime.low == pytest.approx(8.4 - 5.51)


def test_the_estimate_stands_beside_the_bound_when_attempts_hang() -> None:
    """Hanging attempts make the hard lower bound loose; the estimate is tighter and called one."""
    world = World(5.5, 8.5, "hang", one_way_s=0.005)
    found = client_outage(SPEC, history(world.watched(CLIENTS, 12), marks((5.4, 5.5))), target())
    hard, estimate = measured(found, "client_outage"), measured(found, "client_outage", "estimate")
    assert "estimate" in estimate.label
    assert hard.low == pytest.approx(8.4 - 7.5)
    assert estimate.low == pytest.approx(8.4 - 5.51)
    assert estimate.high == hard.high
    assert holds(estimate, 3.0)


def test_nothing_to_go_on_gives_no_measurement() -> None:
    """Without an injection, or without attempts after it, nothing is measured."""
    assert not client_outage(SPEC, history(scripted("g" * 90), marks(None)), target()).measurements
    assert not client_outage(SPEC, history(scripted("g" * 40)), target()).measurements


@given(
    down_s=st.floats(5, 6),
    length_s=st.floats(0.35, 3),
    manner=st.sampled_from(["refuse", "hang", "503"]),
    late_s=st.lists(st.floats(0, 0.09), min_size=1, max_size=13),
    mix=st.randoms(use_true_random=False),
)
def test_true_downtime_is_inside_in_any_order(
    down_s: float, length_s: float, manner: str, late_s: list[float], mix: object
) -> None:
    """The true downtime lies inside whatever order attempts come in; moving the bounds loses it."""
    world = World(down_s, down_s + length_s, manner)
    seen = world.watched(CLIENTS, 11, late_s)
    shuffled = list(seen)
    mix.shuffle(shuffled)  # type: ignore[attr-defined]
    found = client_outage(SPEC, history(shuffled), target())
    assert found == client_outage(SPEC, history(seen), target())
    downtime = measured(found, "client_outage")
    assert downtime.high is not None
    assert holds(downtime, length_s)
    width_s = downtime.high - downtime.low + 1e-6
    assert not holds(shifted(downtime, width_s), length_s)
    assert not holds(shifted(downtime, -width_s), length_s)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_holds_the_share_itself(case: tuple[int, int]) -> None:
    """The interval is inside 0 to 1, holds the share, and mirrors."""
    hits, of = case
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert wilson(of - hits, of) == pytest.approx((1 - high, 1 - low))
    # Four times as many of both: a narrower interval.
    more = wilson(4 * hits, 4 * of)
    assert more[1] - more[0] < high - low


def test_wilson_as_published() -> None:
    """A value worked out by hand: 8 of 10."""
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_the_settling_time_comes_from_the_target() -> None:
    """The same attempts are one outage or two, depending on the target's settling time."""
    seen = scripted("g" * 52 + "b" * 5 + "g" * 20 + "b" * 7 + "g" * 60)
    one = measured(client_outage(SPEC, history(seen), target(4.0)), "client_outage")
    assert one.low == pytest.approx(8.3 - 5.21)
    spec = replace(CLIENTS, interval_s=0.1)
    assert measured(client_outage(SPEC, history(seen, specs=[spec]), target(1.0)), "client_outage").low < 1
