from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.recovery_time import recovery_time
from drill.model import MeasureSpec
from tests.drill.measure.worlds import (
    CLIENTS,
    WEST,
    World,
    attempt,
    history,
    holds,
    marks,
    measured,
    ns,
    scripted,
    shifted,
    target,
    unsent,
)

PLAIN = MeasureSpec("recovery_time", "clients")
BY_STANDBY = MeasureSpec("recovery_time", "clients", {"served_by": WEST})
# Scripted outages of 2.345 s, as in a comparison of clients: attempts time out after 2 s.
SCRIPTED_S = 2.345


def outage(before: int = 50, bad: int = 20, after: int = 30) -> str:
    """Return a pattern: good, bad, good."""
    return "g" * before + "b" * bad + "g" * after


def test_bounds_are_the_last_bad_and_the_first_good_attempt() -> None:
    """Both recovery times have exactly the bounds that the definition gives."""
    found = recovery_time(PLAIN, history(scripted(outage()), marks((4.96, 4.97))), target())
    from_fault, impact = measured(found, "recovery_time"), measured(found, "recovery_time", "impact")
    assert (from_fault.low, from_fault.high) == pytest.approx((6.9 - 4.97, 7.01 - 4.96))
    assert (impact.low, impact.high) == pytest.approx((6.9 - 5.01, 7.01 - 4.9))


def test_the_standby_must_serve_where_the_primary_goes_on_answering() -> None:
    """An inverted check leaves good answers of the primary, which are no recovery."""
    seen = scripted("g" * 70 + "w" * 30)
    found = recovery_time(BY_STANDBY, history(seen), target())
    assert [one.part for one in found.measurements] == [""]
    one = measured(found, "recovery_time")
    assert (one.low, one.high) == pytest.approx((6.9 - 5.05, 7.01 - 5.0))


def test_answers_after_the_rollback_began_do_not_count() -> None:
    """Once the rollback runs, the primary answers again; the recovery before it stands."""
    seen = scripted("g" * 70 + "w" * 20 + "g" * 50)
    at = marks(undone=(9.0, 9.1), ended=8.9)
    one = measured(recovery_time(BY_STANDBY, history(seen, at), target(1.0)), "recovery_time")
    assert one.high == pytest.approx(2.01)


def test_a_stretch_cut_by_the_rollback_counts_only_if_the_engine_saw_the_end() -> None:
    """A short good stretch before the rollback is a recovery unless the deadline had passed."""
    seen = scripted("g" * 50 + "b" * 30 + "w" * 5 + "g" * 50)
    for ended, passed, high in ((8.4, False, 3.01), (8.4, True, None), (None, False, None)):
        at = marks(undone=(8.5, 8.6), ended=ended, deadline_passed=passed)
        one = measured(recovery_time(BY_STANDBY, history(seen, at), target(1.0)), "recovery_time")
        assert one.high == (None if high is None else pytest.approx(high))
        assert one.low == pytest.approx(2.85)


def test_never_back_is_censored() -> None:
    """Without a good attempt after the outage the upper bound is open and the lower one stays."""
    found = recovery_time(PLAIN, history(scripted("g" * 50 + "b" * 40)), target())
    one = measured(found, "recovery_time")
    assert one.high is None
    assert one.low == pytest.approx(8.9 - 5.05)
    assert measured(found, "recovery_time", "impact").high is None


def test_a_second_outage_within_the_settling_time_is_the_same_one() -> None:
    """A good stretch shorter than the settling time is no recovery."""
    seen = scripted("g" * 50 + "b" * 10 + "g" * 7 + "b" * 10 + "g" * 40)
    one = measured(recovery_time(PLAIN, history(seen), target(2.0)), "recovery_time")
    assert (one.low, one.high) == pytest.approx((7.6 - 5.05, 7.71 - 5.0))
    one = measured(recovery_time(PLAIN, history(seen), target(0.5)), "recovery_time")
    assert one.high == pytest.approx(6.01 - 5.0)


@pytest.mark.parametrize("place", [20, 44, 80, 90])
@pytest.mark.parametrize("bads", [1, 2])
def test_isolated_bad_attempts_move_no_edge(place: int, bads: int) -> None:
    """Fewer than three bad attempts far from the outage change nothing."""
    clean = scripted(outage(after=40))
    noisy = list(outage(after=40))
    noisy[place : place + bads] = "b" * bads
    expected = recovery_time(PLAIN, history(clean), target()).measurements
    assert recovery_time(PLAIN, history(scripted("".join(noisy))), target()).measurements == expected


def test_only_isolated_bad_attempts_are_no_outage() -> None:
    """Two bad attempts alone give a recovery between at once and the next good answer."""
    found = recovery_time(PLAIN, history(scripted("g" * 60 + "bb" + "g" * 30)), target())
    assert [one.part for one in found.measurements] == [""]
    one = measured(found, "recovery_time")
    assert (one.low, one.high) == pytest.approx((0, 6.21 - 5.0))


def test_half_of_all_attempts_failing_is_an_outage() -> None:
    """Every other attempt failing has no three bad ones in a row and is an outage all the same."""
    one = measured(
        recovery_time(PLAIN, history(scripted("g" * 50 + "bg" * 10 + "g" * 30)), target()), "recovery_time"
    )
    assert one.low == pytest.approx(6.8 - 5.05)


def test_a_write_whose_answer_never_came_was_not_served() -> None:
    """Sent and unknown counts as bad: that client was not served."""
    unknown = recovery_time(PLAIN, history(scripted("g" * 50 + "?" * 20 + "g" * 30)), target())
    assert unknown == recovery_time(PLAIN, history(scripted(outage())), target())


def test_a_hole_in_the_settling_time_moves_the_upper_bound_only() -> None:
    """Where nobody looked for more than three intervals nothing is known to have stayed good."""
    seen = scripted("g" * 50 + "b" * 10 + "g" * 3 + "....." + "g" * 30)
    one = measured(recovery_time(PLAIN, history(seen), target(1.0)), "recovery_time")
    assert (one.low, one.high) == pytest.approx((5.9 - 5.05, 6.81 - 5.0))


def test_attempts_never_sent_are_not_good() -> None:
    """An outage that ends in attempts never sent is not over until one was answered."""
    seen = scripted("g" * 50 + "b" * 10 + "...." + "g" * 30)
    one = measured(recovery_time(PLAIN, history(seen), target(1.0)), "recovery_time")
    assert (one.low, one.high) == pytest.approx((5.9 - 5.05, 6.41 - 5.0))


def test_nothing_to_go_on_gives_no_measurement() -> None:
    """Without an injection, and without an attempt after it, nothing is measured."""
    assert not recovery_time(PLAIN, history(scripted(outage()), marks(None)), target()).measurements
    assert not recovery_time(PLAIN, history(scripted("g" * 40)), target()).measurements
    silent = [*scripted("g" * 40), *(unsent(number, number / 10) for number in range(40, 90))]
    assert not recovery_time(PLAIN, history(silent), target()).measurements


@pytest.mark.parametrize("manner", ["refuse", "hang", "503"])
@pytest.mark.parametrize("interval_s", [0.1, 0.01, 0.002])
def test_scripted_outage_is_read_by_sending(manner: str, interval_s: float) -> None:
    """The true recovery of a scripted outage is inside, also when attempts hang for two seconds.

    Reading by completion would date the end of a hang a whole time-out later.
    """
    spec = replace(CLIENTS, interval_s=interval_s)
    world = World(5.05, 5.05 + SCRIPTED_S, manner)
    one = measured(
        recovery_time(PLAIN, history(world.watched(spec, 10), marks((5.05, 5.05)), specs=[spec]), target()),
        "recovery_time",
    )
    assert holds(one, SCRIPTED_S)
    assert one.high is not None
    assert one.high - one.low <= interval_s + 0.003


@st.composite
def drills(draw: st.DrawFn) -> tuple[World, tuple[float, float], list[float]]:
    """Draw a world, the injection's call, and how late a probe's attempts are sent."""
    down_s = draw(st.floats(3, 4))
    world = World(
        down_s=down_s,
        up_s=down_s + draw(st.floats(0.5, 3)),
        manner=draw(st.sampled_from(["refuse", "hang", "503"])),
        one_way_s=draw(st.floats(0.0001, 0.02)),
        moved=draw(st.booleans()),
    )
    sent_s = down_s - draw(st.floats(0, 0.5))
    late_s = draw(st.lists(st.floats(0, 0.03), min_size=1, max_size=17))
    return world, (sent_s, sent_s + draw(st.floats(0, 0.4))), late_s


@given(drill=drills(), interval_s=st.sampled_from([0.05, 0.07, 0.1]), share=st.floats(0, 1))
def test_the_truth_is_always_inside_and_the_interval_is_no_wider_than_its_causes(
    drill: tuple[World, tuple[float, float], list[float]], interval_s: float, share: float
) -> None:
    """The true recovery lies inside two intervals and the attempts' and the injection's durations."""
    world, injected, late_s = drill
    spec = replace(CLIENTS, interval_s=interval_s)
    seen = history(world.watched(spec, 9, late_s), marks(injected), specs=[spec])
    served_by = {"served_by": WEST} if world.moved else {}
    found = recovery_time(MeasureSpec("recovery_time", "clients", served_by), seen, target(1.0))
    true_injection_s = injected[0] + share * (injected[1] - injected[0])
    one = measured(found, "recovery_time")
    truth_s = max(0.0, world.up_s - true_injection_s)
    assert holds(one, truth_s)
    impact = measured(found, "recovery_time", "impact")
    assert holds(impact, world.up_s - world.down_s)
    assert one.high is not None
    width_s = one.high - one.low
    assert width_s <= 2 * interval_s + 2 * world.one_way_s + injected[1] - injected[0] + max(late_s)
    if width_s > 1e-6:
        assert not (holds(shifted(one, width_s + 1e-6), truth_s))
        assert not (holds(shifted(one, -width_s - 1e-6), truth_s))


@given(drill=drills(), data=st.data())
def test_the_order_of_observations_does_not_matter(
    drill: tuple[World, tuple[float, float], list[float]], data: st.DataObject
) -> None:
    """Observations come in as they end; any order gives the same answer."""
    world, injected, late_s = drill
    seen = world.watched(CLIENTS, 8, late_s)
    mixed = data.draw(st.permutations(seen))
    assert recovery_time(PLAIN, history(mixed, marks(injected)), target()) == recovery_time(
        PLAIN, history(seen, marks(injected)), target()
    )


@given(drill=drills(), times=st.integers(2, 5))
def test_a_denser_probe_never_widens_an_interval(
    drill: tuple[World, tuple[float, float], list[float]], times: int
) -> None:
    """Adding attempts between the others narrows the bounds or leaves them."""
    world, injected, _ = drill
    dense = replace(CLIENTS, interval_s=CLIENTS.interval_s / times)
    seldom = recovery_time(PLAIN, history(world.watched(CLIENTS, 9), marks(injected)), target())
    often = recovery_time(PLAIN, history(world.watched(dense, 9), marks(injected), specs=[dense]), target())
    for part in ("", "impact"):
        wide, narrow = measured(seldom, "recovery_time", part), measured(often, "recovery_time", part)
        assert wide.high is not None
        assert narrow.high is not None
        assert narrow.low >= wide.low - 1e-9
        assert narrow.high <= wide.high + 1e-9


@given(drill=drills(), end_s=st.floats(3.2, 9))
def test_censored_stays_censored(drill: tuple[World, tuple[float, float], list[float]], end_s: float) -> None:
    """A history that ends before the recovery never has an upper bound below the truth."""
    world, injected, late_s = drill
    cut = [one for one in world.watched(CLIENTS, 9, late_s) if (one.sent_ns or 0) < ns(end_s)]
    found = recovery_time(PLAIN, history(cut, marks(injected)), target())
    for one in found.measurements:
        if one.part == "impact":
            assert holds(one, world.up_s - world.down_s)
            assert one.high is None or end_s > world.up_s


def test_wrong_options_are_told() -> None:
    """An option of the wrong kind raises instead of being guessed around."""
    for options in ({"served_by": 3}, {"failures": 0}, {"successes": "many"}):
        spec = MeasureSpec("recovery_time", "clients", options)
        with pytest.raises(ValueError, match="option"):
            recovery_time(spec, history([attempt(0, 6)]), target())


@pytest.mark.parametrize(("pattern", "low"), [("bggbggb", 5.6 - 5.05), ("bgggbgggb", 0.0)])
def test_three_good_attempts_in_a_row_isolate_a_bad_one(pattern: str, low: float) -> None:
    """Bad attempts with fewer than three good ones between them belong together."""
    seen = scripted("g" * 50 + pattern + "g" * 30)
    one = measured(recovery_time(PLAIN, history(seen), target()), "recovery_time")
    assert one.low == pytest.approx(low)
