"""Objectives against measurements: met, breached or inconclusive. Pure.

Met if the measurement's upper bound is within the objective, breached if its lower bound is
beyond it, else inconclusive. The whole is the worst of its parts. A number that cannot be
trusted is never green: without a steady state before, without an effect of the fault, with
starved probes, with a measure that crashed or with a critical finding nothing is met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from drill.model import Judgement, Measured, Measurement, Objective, Outcome, Severity

RECOVERY = "recovery_time"
UNJUDGED = "The awaited recovery came; no objective was set."


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides whether a drill's numbers mean anything.

    Attributes:
        steady_before: The steady state held before anything was touched.
        took_effect: The fault was seen to bite; None if nothing was injected.
        starved: Why the probes proved too little; empty if they did not.
        deadline_passed: The awaited recovery had not come when the drill stopped waiting.
        stopped_by: What ended the drill early; empty if nothing did.
        settled: The steady state came back after the rollback.
        awaited: What the drill waited for.
        recovery_failed: Why a step of the recovery procedure could not be made; empty if all were.

    """

    steady_before: bool
    took_effect: bool | None
    starved: str = ""
    deadline_passed: bool = False
    stopped_by: str = ""
    settled: bool = True
    awaited: str = "the awaited recovery"
    recovery_failed: str = ""

    @property
    def doubt(self) -> str:
        """Return why no number of this drill can be trusted; empty if they can."""
        if not self.steady_before and self.starved:
            return (
                "The probes can't keep their schedule on this machine, so the steady state was not seen "
                f"and nothing was injected; lengthen timing.probe_interval_s: {self.starved}"
            )
        if not self.steady_before:
            return "The steady state did not hold before the drill, so nothing was injected."
        if self.took_effect is None:
            return "Nothing was injected."
        if not self.took_effect:
            return "The fault was injected but did not take effect, so it proves nothing."
        if self.starved:
            return f"The probes were starved: {self.starved}"
        return ""


def judge(
    objectives: Sequence[Objective], measured: Measured, circumstances: Circumstances
) -> tuple[tuple[Judgement, ...], Outcome, str]:
    """Judge a drill.

    Args:
        objectives: What was wanted; with none, a drill that recovered is met.
        measured: What the measures made of the history.
        circumstances: What decides whether that means anything.

    Returns:
        Each objective's judgement, the outcome of all, and one or two sentences for people.

    """
    judgements = tuple(_judgement(one, measured, circumstances) for one in objectives)
    general, why = _overall(circumstances)
    outcome = general
    for judgement in judgements:
        outcome = outcome.merge(judgement.outcome)
    reasons = [why] if general is outcome else []
    reasons += [one.why for one in judgements if one.outcome is outcome]
    distrust = _distrust(measured)
    if distrust:
        reasons = [distrust] if outcome is Outcome.MET else [*reasons[:1], distrust]
        outcome = outcome.merge(Outcome.INCONCLUSIVE)
    return judgements, outcome, _first_two(reasons)


def _judgement(objective: Objective, measured: Measured, circumstances: Circumstances) -> Judgement:
    measurement = _measurement(objective, measured)
    if circumstances.doubt:
        return Judgement(objective, measurement, Outcome.INCONCLUSIVE, circumstances.doubt)
    if circumstances.stopped_by:
        why = f"The drill was stopped early: {circumstances.stopped_by}."
        return Judgement(objective, measurement, Outcome.INCONCLUSIVE, why)
    outcome = _outcome(objective, measurement)
    late = circumstances.deadline_passed and objective.measurement == RECOVERY
    if late and (measurement is None or measurement.high is None):
        return Judgement(objective, measurement, Outcome.BREACHED, _too_late(objective, measurement))
    return Judgement(objective, measurement, outcome, _why(objective, measurement))


def _measurement(objective: Objective, measured: Measured) -> Measurement | None:
    """Return the one measurement that an objective is about."""
    return next(
        (
            one
            for one in measured.measurements
            if (one.name, one.part, one.unit) == (objective.measurement, objective.part, objective.unit)
        ),
        None,
    )


def _outcome(objective: Objective, measurement: Measurement | None) -> Outcome:
    if measurement is None:
        return Outcome.INCONCLUSIVE
    if measurement.low > objective.limit:
        return Outcome.BREACHED
    if measurement.high is not None and measurement.high <= objective.limit:
        return Outcome.MET
    return Outcome.INCONCLUSIVE


def _overall(circumstances: Circumstances) -> tuple[Outcome, str]:
    """Return what the drill came to before any objective is looked at."""
    if circumstances.doubt:
        return Outcome.INCONCLUSIVE, circumstances.doubt
    if circumstances.deadline_passed:
        return Outcome.BREACHED, _not_come(circumstances)
    if circumstances.stopped_by:
        return Outcome.INCONCLUSIVE, f"The drill was stopped early: {circumstances.stopped_by}."
    if not circumstances.settled:
        return (
            Outcome.INCONCLUSIVE,
            "The steady state did not come back after the rollback; look at the system.",
        )
    return Outcome.MET, ""


def _not_come(circumstances: Circumstances) -> str:
    if circumstances.recovery_failed:
        return f"The fault took effect, and the recovery failed: {circumstances.recovery_failed}."
    return f"The fault took effect, and {circumstances.awaited} had not come by the deadline."


def _distrust(measured: Measured) -> str:
    """Return what critical findings say; empty if there are none."""
    return " ".join(
        f"{one.title.rstrip('.')}." for one in measured.findings if one.severity is Severity.CRITICAL
    )


def _first_two(reasons: Sequence[str]) -> str:
    """Return the two first sentences that differ, so that a person reads the cause and not a list."""
    return " ".join(list(dict.fromkeys(one for one in reasons if one))[:2]) or UNJUDGED


def _too_late(objective: Objective, measurement: Measurement | None) -> str:
    seen = "Not recovered" if measurement is None else f"Not recovered in {_said(measurement)}"
    return f"{seen}; {_wanted(objective)}."


def _why(objective: Objective, measurement: Measurement | None) -> str:
    if measurement is None:
        name = f"{objective.measurement} {objective.part}".strip()
        return f"There was not enough to go on to measure {name}; {_wanted(objective)}."
    if measurement.name == RECOVERY and measurement.high is not None:
        return f"Recovered in {_said(measurement)}; {_wanted(objective)}."
    label = measurement.label[:1].upper() + measurement.label[1:]
    return f"{label}: {_said(measurement)}; {_wanted(objective)}."


def _wanted(objective: Objective) -> str:
    limit = objective.limit * _scale(objective.unit)
    return f"wanted at most {_number(limit)}{_unit(objective.unit, limit)}"


def _said(measurement: Measurement) -> str:
    """Return an interval in words, rounded outwards so that it still holds."""
    low, high, scale = measurement.low, measurement.high, _scale(measurement.unit)
    if high is None:
        return f"at least {_rounded(low * scale, down=True)}{_unit(measurement.unit, low)}"
    unit = _unit(measurement.unit, high)
    least, most = _rounded(low * scale, down=True), _rounded(high * scale, down=False)
    return f"{most}{unit}" if least == most else f"{least} to {most}{unit}"


def _scale(unit: str) -> int:
    """Return what a number is multiplied by to be read: shares are told as percentages."""
    return 100 if unit == "share" else 1


def _unit(unit: str, amount: float) -> str:
    if unit == "share":
        return " %"
    if unit == "1":
        return ""
    return " write" if unit == "writes" and amount == 1 else f" {unit}"


def _rounded(number: float, *, down: bool) -> str:
    """Return a number to two significant digits, and at least to whole ones, rounded to one side."""
    if not number or not isfinite(number):
        return _number(number)
    places = min(9, max(0, 1 - floor(log10(abs(number)))))
    scaled = round(number * 10**places, 6)
    return _number((floor(scaled) if down else ceil(scaled)) / 10**places)


def _number(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
