from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.boundaries import check_telescoping, in_sequence
from drill.measure.phases import phases
from drill.measure.recovery_time import recovery_time
from drill.model import Between, Json, Measured, MeasureSpec, Observation, Phase, ProbeSpec
from tests.drill.measure.worlds import (
    EAST,
    WEST,
    attempt,
    between,
    history,
    holds,
    marks,
    measured,
    ns,
    target,
)

SPECS = (
    ProbeSpec("clients", "http", 0.1, 2.0),
    ProbeSpec("check", "health_check", 0.5, 1.0),
    ProbeSpec("zone", "dns", 0.1, 1.0),
    ProbeSpec("resolver", "dns", 0.1, 1.0),
)
OPTIONS: Mapping[str, Json] = {
    "primary": EAST,
    "standby": WEST,
    "check": "check",
    "zone": "zone",
    "resolver": "resolver",
    "detection_exercised": True,
}
SPEC = MeasureSpec("phases", "clients", OPTIONS)
NAMES = ["detection", "routing", "caching", "first_request", "all_requests", "steady"]


def failover(
    dark: float, check: float, zone: float, resolver: float, cold_s: float = 0.01, until: float = 14.0
) -> list[Observation]:
    """Return what four probes see of a failover with these true instants."""
    listed: list[Observation] = []
    for number in range(int(until * 10)):
        at_s = number / 10
        standby = at_s >= resolver
        served = standby or at_s < dark
        region = WEST if standby else EAST
        slow_s = cold_s if resolver <= at_s < resolver + 0.5 else 0.01
        listed.append(
            attempt(
                number,
                at_s,
                "good" if served else "bad",
                answered_by=region if served else None,
                done_s=at_s + (slow_s if served else 2.0),
            )
        )
        for probe, flips in (("zone", zone), ("resolver", resolver)):
            seen = WEST if at_s >= flips else EAST
            listed.append(attempt(number, at_s, answered_by=seen, probe=probe, done_s=at_s + 0.001))
    for number in range(int(until * 2)):
        goodness = "bad" if number / 2 >= check else "good"
        listed.append(attempt(number, number / 2, goodness, answered_by=None, probe="check"))
    return listed


def of(found: Measured) -> dict[str, Phase]:
    """Return the phases by name."""
    return {phase.name: phase for phase in found.phases}


def test_phases_follow_one_another_and_hold_the_true_instants() -> None:
    """Every boundary lies between two attempts of its own probe."""
    seen = failover(dark=5.04, check=6.2, zone=6.44, resolver=7.43)
    found = phases(SPEC, history(seen, specs=SPECS), target())
    assert [phase.name for phase in found.phases] == NAMES
    ends = {name: phase.ends for name, phase in of(found).items()}
    assert ends["routing"] == between(6.4, 6.501)
    assert ends["caching"] == between(7.4, 7.501)
    assert ends["first_request"] == between(7.4, 7.51)
    # The check was read at 6.0 and 6.5; the zone had flipped at 6.501, after the checkers.
    assert ends["detection"] == between(6.0, 6.501)
    assert holds(measured(found, "phase", "caching"), 7.43 - 6.44)
    assert holds(measured(found, "phase", "whole"), 7.43 - 5.02)


def test_phases_end_where_the_recovery_time_does() -> None:
    """The boundary "all requests" is the recovery time's own."""
    seen = history(failover(dark=5.04, check=6.2, zone=6.44, resolver=7.43), specs=SPECS)
    ends = of(phases(SPEC, seen, target()))["all_requests"].ends
    recovered = recovery_time(MeasureSpec("recovery_time", "clients", {"served_by": WEST}), seen, target())
    assert ends is not None
    assert measured(recovered, "recovery_time").high == pytest.approx((ends.latest_ns - ns(5.0)) / 1e9)


def test_slow_answers_after_the_cold_start_delay_the_steady_state() -> None:
    """The standby serves, but not as quickly as before until its processes are warm."""
    seen = failover(dark=5.04, check=6.2, zone=6.44, resolver=7.43, cold_s=0.8)
    steady = of(phases(SPEC, history(seen, specs=SPECS), target()))["steady"]
    assert steady.ends == between(7.9, 8.01)
    # The first answer came at 8.3; all were served no later than all were quick.
    assert steady.begins == between(7.4, 8.01)
    quick = of(phases(SPEC, history(failover(5.04, 6.2, 6.44, 7.43), specs=SPECS), target()))["steady"]
    assert quick.begins == quick.ends


def test_detection_that_was_not_exercised_is_called_so() -> None:
    """An inverted check flips by the injection itself."""
    spec = MeasureSpec("phases", "clients", {**OPTIONS, "detection_exercised": False})
    seen = failover(dark=99, check=5.02, zone=5.44, resolver=6.43)
    detection = of(phases(spec, history(seen, specs=SPECS), target()))["detection"]
    assert not detection.exercised
    assert "Not exercised" in detection.note
    unseen = [one for one in seen if one.probe != "check"]
    detection = of(phases(spec, history(unseen, specs=SPECS), target()))["detection"]
    assert detection.ends == detection.begins


def test_without_a_resolver_probe_its_phase_is_left_out() -> None:
    """A target without a resolver has one phase fewer and still no gap."""
    spec = MeasureSpec("phases", "clients", {**OPTIONS, "resolver": None})
    found = phases(spec, history(failover(5.04, 6.2, 6.44, 7.43), specs=SPECS), target())
    assert [phase.name for phase in found.phases] == [name for name in NAMES if name != "caching"]
    check_telescoping(found.phases)


def test_a_failover_that_stops_has_an_open_phase() -> None:
    """If the zone never flips, that phase is open, nothing follows, and its duration is censored."""
    found = phases(SPEC, history(failover(5.04, 6.2, zone=99, resolver=99), specs=SPECS), target())
    assert [phase.name for phase in found.phases] == ["detection", "routing"]
    assert found.phases[-1].ends is None
    routing = measured(found, "phase", "routing")
    assert routing.high is None
    assert routing.low == pytest.approx(13.9 - 6.51)
    assert measured(found, "phase", "whole").high is None


def test_a_boundary_that_nobody_saw_lies_between_its_neighbours() -> None:
    """Without readings of the check, detection ended somewhere before the zone flipped."""
    seen = [one for one in failover(5.04, 6.2, 6.44, 7.43) if one.probe != "check"]
    detection = of(phases(SPEC, history(seen, specs=SPECS), target()))["detection"]
    assert detection.ends == between(5.0, 6.501)
    assert "not seen" in detection.note


def test_contradicting_boundaries_are_widened_and_not_reordered() -> None:
    """A check that AWS's API shows late is not taken to have caused what came before it."""
    seen = failover(dark=5.04, check=8.2, zone=6.44, resolver=9.43)
    found = of(phases(SPEC, history(seen, specs=SPECS), target()))
    assert found["detection"].ends == between(6.4, 8.51)
    assert found["routing"].ends == between(6.4, 8.51)
    assert "another order" in found["detection"].note


def test_failed_readings_show_nothing() -> None:
    """A name server that did not answer and an API that told nothing flip no boundary."""
    seen = failover(5.04, 6.2, 6.44, 7.43)
    clean = phases(SPEC, history(seen, specs=SPECS), target())
    seen += [
        attempt(900, 5.31, "bad", answered_by=None, probe="zone"),
        attempt(900, 5.72, "unknown", answered_by=None, probe="check"),
        attempt(901, 13.9, "bad", answered_by=None, probe="resolver"),
    ]
    assert phases(SPEC, history(seen, specs=SPECS), target()) == clean


def test_nothing_to_go_on_gives_no_phases() -> None:
    """Without an injection there is no failover."""
    seen = failover(5.04, 6.2, 6.44, 7.43)
    assert phases(SPEC, history(seen, marks(None), specs=SPECS), target()) == Measured((), (), (), ())


@given(
    gaps=st.lists(st.floats(0, 1.5), min_size=4, max_size=4),
    injection_s=st.floats(0, 0.3),
    mix=st.randoms(use_true_random=False),
)
def test_true_boundaries_are_inside_and_phases_telescope(
    gaps: list[float], injection_s: float, mix: object
) -> None:
    """For any true instants in order every boundary holds its own, in any order of observations."""
    true_s = [5.0 + injection_s]
    for gap_s in gaps:
        true_s.append(true_s[-1] + gap_s)
    seen = failover(*true_s[1:])
    at = marks((5.0, 5.0 + injection_s))
    found = phases(SPEC, history(seen, at, specs=SPECS), target())
    shuffled = list(seen)
    mix.shuffle(shuffled)  # type: ignore[attr-defined]
    assert phases(SPEC, history(shuffled, at, specs=SPECS), target()) == found
    check_telescoping(found.phases)
    for name, instant_s in zip(("detection", "routing", "caching"), true_s[2:], strict=True):
        ends = of(found)[name].ends
        assert ends is not None
        assert ends.earliest_ns <= ns(instant_s) + 1 <= ends.latest_ns + 2
    moments = [found.phases[0].begins, *(phase.ends for phase in found.phases)]
    known = [one for one in moments if one is not None]
    assert known == sorted(known, key=lambda one: one.earliest_ns)
    assert known == sorted(known, key=lambda one: one.latest_ns)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=7))
def test_sequences_are_monotone_and_lie_about_nothing(pairs: list[tuple[int, int]]) -> None:
    """Bounds rise; true instants that were in order stay inside; nothing is clipped away."""
    seen = [Between(min(pair), max(pair)) for pair in pairs]
    after = in_sequence(seen)
    lows, highs = [one.earliest_ns for one in after], [one.latest_ns for one in after]
    assert lows == sorted(lows)
    assert highs == sorted(highs)
    assert all(one.earliest_ns <= one.latest_ns for one in after)
    truth = sorted(pair[0] for pair in pairs)
    if all(one.earliest_ns <= at <= one.latest_ns for one, at in zip(seen, truth, strict=True)):
        assert all(one.earliest_ns <= at <= one.latest_ns for one, at in zip(after, truth, strict=True))


def test_a_gap_or_a_wrong_sum_is_an_error() -> None:
    """Phases with a gap between them never get into a record."""
    first = Phase("a", "a", between(1, 1), between(2, 2))
    check_telescoping([first, Phase("b", "b", between(2, 2), between(3, 3))])
    with pytest.raises(ValueError, match="does not begin"):
        check_telescoping([first, Phase("b", "b", between(2.5, 2.5), between(3, 3))])
    backwards = Phase("b", "b", between(2, 2), between(0, 0))
    with pytest.raises(ValueError, match="add up"):
        check_telescoping([first, backwards])
