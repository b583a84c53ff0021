from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.model import Finding, Measured, Measurement, Objective, Outcome, Severity
from drill.verdict import Circumstances, judge

RTO = Objective("rto", "recovery_time", 30.0, "s")
RPO = Objective("rpo_writes", "recovery_point_writes", 0.0, "writes", "dynamodb/cutover")
FINE = Circumstances(steady_before=True, took_effect=True)
CRITICAL = Finding(
    "corruption", Severity.CRITICAL, "2 writes are corrupt in dynamodb at cutover", "Numbers 1, 2."
)


def recovery(low: float, high: float | None) -> Measurement:
    """Return a recovery time."""
    return Measurement("recovery_time", low, high, "s", "Measured.", "recovery time")


def lost(writes: float) -> Measurement:
    """Return a number of lost writes at cutover."""
    return Measurement(
        "recovery_point_writes", writes, writes, "writes", "Counted.", "writes lost", "dynamodb/cutover"
    )


def found(*measurements: Measurement, findings: tuple[Finding, ...] = ()) -> Measured:
    """Return what the measures made."""
    return Measured(measurements, (), (), findings)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (1.8, 2.1, Outcome.MET),
        (1.8, 30.0, Outcome.MET),
        (1.8, 30.1, Outcome.INCONCLUSIVE),
        (30.0, 31.0, Outcome.INCONCLUSIVE),
        (30.1, 31.0, Outcome.BREACHED),
        (30.1, None, Outcome.BREACHED),
        (1.8, None, Outcome.INCONCLUSIVE),
        (float("nan"), float("nan"), Outcome.INCONCLUSIVE),
    ],
)
def test_the_interval_decides(low: float, high: float | None, outcome: Outcome) -> None:
    """Met when the upper bound is within, breached when the lower one is beyond, else inconclusive."""
    (one,), whole, _ = judge([RTO], found(recovery(low, high)), FINE)
    assert (one.outcome, whole) == (outcome, outcome)
    assert one.measurement == recovery(low, high) or low != low  # noqa: PLR0124 (NaN differs from itself)


def test_the_worst_part_decides_and_is_the_reason() -> None:
    """A recovery in time does not make up for a lost write."""
    judgements, whole, reason = judge([RTO, RPO], found(recovery(1.8, 2.1), lost(1)), FINE)
    assert [one.outcome for one in judgements] == [Outcome.MET, Outcome.BREACHED]
    assert whole is Outcome.BREACHED
    assert reason == "Writes lost: 1 write; wanted at most 0 writes."


def test_no_write_lost_meets_an_objective_of_none() -> None:
    """Zero lost writes is a legal objective and can be met."""
    _, whole, reason = judge([RPO], found(lost(0)), FINE)
    assert whole is Outcome.MET
    assert reason == "Writes lost: 0 writes; wanted at most 0 writes."


def test_reasons_are_plain_sentences_that_round_outwards() -> None:
    """A printed interval still holds the measured one."""
    _, _, reason = judge([RTO], found(recovery(1.8344, 2.0501)), FINE)
    assert reason == "Recovered in 1.8 to 2.1 s; wanted at most 30 s."
    _, _, reason = judge([replace(RTO, limit=0.001)], found(recovery(1.8344, 2.0501)), FINE)
    assert reason == "Recovered in 1.8 to 2.1 s; wanted at most 0.001 s."
    _, _, reason = judge([RTO], found(recovery(0.01234, 123.4)), FINE)
    assert reason == "Recovered in 0.012 to 124 s; wanted at most 30 s."
    _, _, reason = judge([RTO], found(recovery(12.3, None)), FINE)
    assert reason == "Recovery time: at least 12 s; wanted at most 30 s."
    share = Measurement("bad_share", 0.1234, 0.1299, "share", "Counted.", "share of bad attempts")
    _, _, reason = judge([Objective("bad", "bad_share", 0.2, "share")], found(share), FINE)
    assert reason == "Share of bad attempts: 12 to 13 %; wanted at most 20 %."


def test_a_missing_measurement_is_inconclusive() -> None:
    """Nothing to go on is never green; a measurement of another part or unit is not taken for it."""
    others = found(lost(0), replace(recovery(1, 2), part="impact"), replace(recovery(1, 2), unit="share"))
    (one,), whole, reason = judge([RTO], others, FINE)
    assert one.measurement is None
    assert whole is Outcome.INCONCLUSIVE
    assert "not enough to go on to measure recovery_time" in reason


@pytest.mark.parametrize(
    ("circumstances", "words"),
    [
        (replace(FINE, steady_before=False), "steady state did not hold"),
        (replace(FINE, steady_before=False, starved="clients sent 3 of 9."), "can't keep their schedule"),
        (replace(FINE, took_effect=None), "Nothing was injected"),
        (replace(FINE, took_effect=False), "did not take effect"),
        (replace(FINE, starved="clients sent 3 of 100 attempts that were due."), "3 of 100"),
        (replace(FINE, took_effect=False, deadline_passed=True), "did not take effect"),
    ],
)
@pytest.mark.parametrize("high", [2.0, 99.0])
def test_a_drill_that_proves_nothing_is_inconclusive(
    circumstances: Circumstances, words: str, high: float
) -> None:
    """Whatever the numbers are, good or bad, they are not trusted, and the reason says why."""
    (one,), whole, reason = judge([RTO], found(recovery(high - 1, high)), circumstances)
    assert (one.outcome, whole) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)
    assert words in one.why
    assert words in reason


@pytest.mark.parametrize("measurements", [(), (recovery(3.0, None),), (recovery(40.0, None),)])
def test_an_effect_without_a_response_is_breached(measurements: tuple[Measurement, ...]) -> None:
    """A fault that bit and a recovery that had not come by the deadline breach the objective."""
    (one,), whole, reason = judge([RTO], found(*measurements), replace(FINE, deadline_passed=True))
    assert (one.outcome, whole) == (Outcome.BREACHED, Outcome.BREACHED)
    assert "had not come by the deadline" in reason
    assert judge([], found(), replace(FINE, deadline_passed=True))[1] is Outcome.BREACHED


def test_a_critical_finding_is_never_green() -> None:
    """Corruption or a measure that crashed makes a green drill inconclusive, and is the reason."""
    _, whole, reason = judge([RTO], found(recovery(1, 2), findings=(CRITICAL,)), FINE)
    assert whole is Outcome.INCONCLUSIVE
    assert reason == "2 writes are corrupt in dynamodb at cutover."
    _, whole, reason = judge([RTO], found(recovery(40, 50), findings=(CRITICAL,)), FINE)
    assert whole is Outcome.BREACHED
    assert (
        reason == "Recovered in 40 to 50 s; wanted at most 30 s. 2 writes are corrupt in dynamodb at cutover."
    )
    mild = replace(CRITICAL, severity=Severity.WARNING)
    assert judge([RTO], found(recovery(1, 2), findings=(mild,)), FINE)[1] is Outcome.MET


def test_without_objectives_a_recovered_drill_is_met() -> None:
    """What nobody wanted can't be breached, and the reason says so."""
    judgements, whole, reason = judge([], found(recovery(1, 2)), FINE)
    assert (judgements, whole) == ((), Outcome.MET)
    assert "no objective" in reason


def test_a_drill_that_was_stopped_is_not_met() -> None:
    """Numbers of a drill that was cut short stay, but it is not green."""
    _, whole, reason = judge([RTO], found(recovery(1, 2)), replace(FINE, stopped_by="alarm orders-5xx fires"))
    assert whole is Outcome.INCONCLUSIVE
    assert "alarm orders-5xx fires" in reason


outcomes = st.sampled_from(Outcome)


@given(outcomes, outcomes, outcomes)
def test_merging_outcomes_is_a_lattice(one: Outcome, two: Outcome, three: Outcome) -> None:
    """Order, grouping and repetition do not matter; met is neutral and breached absorbs."""
    assert one.merge(two) is two.merge(one)
    assert one.merge(two).merge(three) is one.merge(two.merge(three))
    assert one.merge(one) is one
    assert one.merge(Outcome.MET) is one
    assert one.merge(Outcome.BREACHED) is Outcome.BREACHED


@given(
    low=st.floats(0, 100),
    width=st.floats(0, 100),
    limits=st.lists(st.floats(0.1, 200), min_size=1, max_size=5),
    mix=st.randoms(use_true_random=False),
)
def test_the_whole_is_the_worst_part_in_any_order(
    low: float, width: float, limits: list[float], mix: object
) -> None:
    """The outcome is the merge of all parts; a looser objective is never judged worse."""
    measured = found(recovery(low, low + width))
    objectives = [replace(RTO, limit=limit) for limit in limits]
    judgements, whole, _ = judge(objectives, measured, FINE)
    worst = Outcome.MET
    for one in judgements:
        worst = worst.merge(one.outcome)
    assert whole is worst
    mix.shuffle(objectives)  # type: ignore[attr-defined]
    assert judge(objectives, measured, FINE)[1] is whole
    order = list(Outcome)
    by_limit = sorted(judgements, key=lambda one: one.objective.limit)
    ranks = [order.index(one.outcome) for one in by_limit]
    assert ranks == sorted(ranks, reverse=True)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_printed_bounds_hold_the_measured_ones(low: float, width: float) -> None:
    """No rounding makes a printed interval narrower than the measured one."""
    _, _, reason = judge([RTO], found(recovery(low, low + width)), FINE)
    said = reason.removeprefix("Recovered in ").split(" s; ")[0].split(" to ")
    assert float(said[0]) <= low + 1e-6
    assert float(said[-1]) >= low + width - 1e-6


def test_a_drill_that_was_stopped_has_no_green_row() -> None:
    """However good the number looks, a drill that was cut short judges nothing."""
    stopped = replace(FINE, stopped_by="interrupted by SIGINT")
    judgements, outcome, _ = judge([RTO], found(recovery(1.8, 2.1)), stopped)

    assert Outcome.INCONCLUSIVE is outcome
    assert Outcome.INCONCLUSIVE is judgements[0].outcome


def test_a_system_that_does_not_settle_again_is_not_green() -> None:
    """After the rollback the steady state must come back."""
    _, outcome, why = judge([RTO], found(recovery(1.8, 2.1)), replace(FINE, settled=False))

    assert Outcome.INCONCLUSIVE is outcome
    assert "did not come back" in why
