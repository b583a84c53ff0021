"""Throttling, in made-up drills whose truth is known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.throttling import throttling
from drill.model import History, Json, Measured, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import WEST, attempt, history, holds, marks, measured, shifted, target

WRITER = ProbeSpec("writer", "writer", 0.1, 2.0)
DIRECT = ProbeSpec("direct", "table", 0.2, 2.0)
SPEC = MeasureSpec("throttling", "writer", {"table": "direct"})
AT = marks(undone=(10.0, 10.3), ended=9.9, settled=14.0)
CODE = "ProvisionedThroughputExceededException"


def order(number: int, what: str = "good", sent_s: float | None = None, done_s: float = 0.02) -> Observation:
    """Return an order: taken, ``late`` (taken after a refusal), ``refused``, ``lost``."""
    goodness = {"refused": "bad", "lost": "unknown"}.get(what, "good")
    detail: dict[str, Json] = (
        {"throttled": {"late": 1, "refused": 3}[what]} if what in {"late", "refused"} else {}
    )
    at_s = number * 0.1 if sent_s is None else sent_s
    return attempt(number, at_s, goodness, probe="writer", detail=detail, done_s=at_s + done_s)


def direct(number: int, *, refused: bool) -> Observation:
    """Return a write to the table itself."""
    detail: dict[str, Json] = {"error": CODE} if refused else {}
    return attempt(number, number * 0.2, "bad" if refused else "good", probe="direct", detail=detail)


def world(begins_s: float, ends_s: float, pattern: str = "r") -> History:
    """Return a drill whose orders are throttled between two instants, in a pattern that repeats.

    ``r`` is refused for good, ``l`` taken after a refusal, ``g`` taken at once, ``?`` without answer.
    """
    words = {"r": "refused", "l": "late", "g": "good", "?": "lost"}
    listed = []
    for number in range(140):
        inside = begins_s <= number * 0.1 < ends_s
        listed.append(order(number, words[pattern[number % len(pattern)]] if inside else "good"))
    listed += [direct(number, refused=begins_s <= number * 0.2 < ends_s) for number in range(70)]
    return history(listed, AT, specs=(WRITER, DIRECT))


def found(of: History) -> Measured:
    """Measure a history."""
    return throttling(SPEC, of, target())


def test_onset_is_the_first_throttled_attempt_of_either_probe() -> None:
    """Between its sending and its answer, from the fault; the burst before it is counted."""
    onset = measured(found(world(7.0, 10.1)), "throttling_onset")
    assert holds(onset, 7.005 - 5.025)
    assert onset.high is not None
    assert onset.high - onset.low == pytest.approx(0.05 + 0.01)


@given(begins=st.integers(51, 95), shift=st.floats(0.1, 5))
def test_the_true_onset_is_inside_and_a_shifted_one_is_not(begins: int, shift: float) -> None:
    """Whenever the throttling begins; an interval that is moved by its width no longer holds it."""
    at_s = begins / 10
    onset = measured(found(world(at_s, 10.1)), "throttling_onset")
    assert onset.high is not None
    for true_s in (at_s - 5.0, at_s + 0.01 - 5.05):
        assert holds(onset, true_s)
    width = onset.high - onset.low
    assert not holds(shifted(onset, width + shift), at_s - 5.0)
    assert not holds(shifted(onset, -width - shift), at_s - 5.0)


def test_a_refusal_before_the_fault_is_no_onset() -> None:
    """What was throttled and answered before the injection is not the drill's."""
    of = history([order(10, "refused"), order(60, "refused")], AT, specs=(WRITER, DIRECT))
    assert measured(found(of), "throttling_onset").low > 0.9


def test_no_throttling_is_censored() -> None:
    """Nobody saw it begin: at least as long as anybody looked, and no shares."""
    made = found(world(20, 21))
    onset = measured(made, "throttling_onset")
    assert onset.low == pytest.approx(10.0 - 5.05)
    assert onset.high is None
    assert [one.name for one in made.measurements] == ["throttling_onset"]


def test_shares_tell_refused_at_first_from_failed_for_good() -> None:
    """Retries get some through: they are throttled and have not failed."""
    made = found(world(6.0, 10.1, "rlgg"))
    throttled, failed = measured(made, "throttled_share"), measured(made, "failed_share")
    assert holds(throttled, 20 / 40)
    assert holds(failed, 10 / 40)
    assert "20 of 40 attempts due between the onset and the rollback" in throttled.how
    assert holds(measured(made, "throttled_share", "table"), 1.0)


def test_an_order_without_an_answer_may_be_either() -> None:
    """It widens both shares upwards and is not dropped."""
    sure = measured(found(world(6.0, 10.1, "rg")), "failed_share")
    unsure = measured(found(world(6.0, 10.1, "r?")), "failed_share")
    assert unsure.low == sure.low
    assert sure.high is not None
    assert unsure.high == 1.0
    assert "whose answer nobody saw" in unsure.how


@pytest.mark.parametrize("ends_s", [10.05, 10.55, 11.25])
def test_time_to_clear_counts_from_the_undo(ends_s: float) -> None:
    """From the call that gives the capacity back to the first order taken at the first try."""
    clear = measured(found(world(6.0, ends_s)), "time_to_clear")
    for undone_s in (10.0, 10.3):
        assert holds(clear, max(0.0, ends_s - undone_s))


def test_an_order_that_needs_a_retry_is_not_clear_yet() -> None:
    """As long as the table refuses anything it is throttled, also where retries hide it."""
    clear = measured(found(world(6.0, 11.5, "l")), "time_to_clear")
    assert holds(clear, 11.5 - 10.2)


def test_what_never_clears_is_censored() -> None:
    """Refused as long as anybody looked."""
    clear = measured(found(world(6.0, 99.0)), "time_to_clear")
    assert clear.high is None
    assert clear.low > 3


def test_clients_that_were_moved_are_a_finding() -> None:
    """The other region shares the capacity: going there helps nobody, and is told."""
    of = world(6.0, 10.1, "rg")
    moved = [
        replace(one, answered_by=WEST) if one.number in {71, 73} else one for one in of.observations["writer"]
    ]
    (finding,) = found(replace(of, observations={**of.observations, "writer": moved})).findings
    assert finding.code == "throttled_failover"
    assert f"{WEST} answered 2 of " in finding.detail
    assert found(of).findings == ()


def test_order_of_observations_does_not_matter() -> None:
    """The measure is a function of what was seen, not of when it was written down."""
    of = world(6.0, 10.4, "rlg?")
    backwards = {name: list(reversed(list(every))) for name, every in of.observations.items()}
    assert found(replace(of, observations=backwards)) == found(of)


def test_nothing_was_injected() -> None:
    """Without a fault there is nothing to measure."""
    assert found(replace(world(6, 7), marks=marks(injected=None))).measurements == ()
