"""Why a drill was not met, by what the audit had found before it."""

from drill.assemble import _because
from drill.model import (
    Audit,
    AuditFinding,
    Judgement,
    Measured,
    Measurement,
    Objective,
    Outcome,
    Severity,
)


def _finding(check: str, *explains: str, caused_by: tuple[str, ...] = ()) -> AuditFinding:
    return AuditFinding(
        check, Severity.CRITICAL, f"{check} is wrong", "there", "seen", "mend", caused_by, explains
    )


def _judged(measurement: str, outcome: Outcome) -> Judgement:
    return Judgement(Objective("rto", measurement, 15, "s"), None, outcome, "")


NOTHING = Measured((), (), (), ())


def test_a_missed_objective_is_explained_by_the_roots_that_may_explain_it() -> None:
    """Each check once, no consequence, and none that explains another measure."""
    found = (
        _finding("DR05", "recovery_time"),
        _finding("DR05", "recovery_time"),
        _finding("DR09", "time_to_alert"),
        _finding("DX01", "recovery_time", caused_by=("DR05",)),
    )

    said = _because(Audit(found, ()), Outcome.BREACHED, [_judged("recovery_time", Outcome.BREACHED)], NOTHING)

    assert said == " The audit before it found DR05: DR05 is wrong (seen)."


def test_what_nothing_bounds_is_explained_without_an_objective() -> None:
    """An alert that never came is told of, though nobody had said how soon it should."""
    never = Measured((Measurement("time_to_alert", 20, None, "s", "", "time to alert"),), (), (), ())

    said = _because(Audit((_finding("DR09", "time_to_alert"),), ()), Outcome.BREACHED, [], never)

    assert said == " The audit before it found DR09: DR09 is wrong (seen)."


def test_a_finding_may_explain_one_part_of_a_measure() -> None:
    """A backup that is old explains the recovery point of the snapshot, not that of the table."""
    audit = Audit((_finding("DR03", "recovery_point/snapshot"),), ())
    of = {
        part: Judgement(Objective("rpo", "recovery_point", 1, "s", part), None, Outcome.BREACHED, "")
        for part in ("snapshot", "dynamodb/cutover")
    }

    assert "DR03" in _because(audit, Outcome.BREACHED, [of["snapshot"]], NOTHING)
    assert _because(audit, Outcome.BREACHED, [of["dynamodb/cutover"]], NOTHING) == ""


def test_a_drill_that_was_met_needs_no_explanation() -> None:
    """Nor does one before which nobody audited."""
    judged = [_judged("recovery_time", Outcome.MET)]
    audit = Audit((_finding("DR05", "recovery_time"),), ())

    assert _because(audit, Outcome.MET, judged, NOTHING) == ""
    assert _because(None, Outcome.BREACHED, judged, NOTHING) == ""
