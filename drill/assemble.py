"""From what happened in a drill to its record: measure, judge, decide the exit code. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from drill import exit_codes, measure, runs, verdict
from drill.clock import Instant
from drill.measure import probe_health
from drill.model import Audit, History, Judgement, Measured, Outcome
from drill.order import Order
from drill.record import SCHEMA, Action, Record
from drill.verdict import Circumstances

_BY_OUTCOME = {
    Outcome.MET: exit_codes.MET,
    Outcome.BREACHED: exit_codes.BREACHED,
    Outcome.INCONCLUSIVE: exit_codes.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True)
class Happened:
    """What the engine knows of a drill beyond what the probes saw.

    Attributes:
        run_id: The drill.
        started: When it began.
        ended: When it was over.
        versions: Of the program and of what it stands on.
        steady_before: The steady state held for the whole warm-up.
        took_effect: The fault was seen to bite; None if nothing was injected.
        failed: Why a step could not be injected; empty if all were.
        recovery_failed: Why a step of the recovery procedure could not be made; empty if all were.
        stopped_by: What ended it early; empty if nothing did.
        interrupted: It was a signal.
        actions: What was done and undone.
        rolled_back: The journal knows of nothing that is still to be undone.

    """

    run_id: str
    started: Instant
    ended: Instant
    versions: Mapping[str, str]
    steady_before: bool
    took_effect: bool | None
    failed: str
    recovery_failed: str
    stopped_by: str
    interrupted: bool
    actions: tuple[Action, ...]
    rolled_back: bool


def record(order: Order, happened: Happened, history: History) -> Record:
    """Measure and judge a finished drill."""
    plan, target = order.plan, order.plan.target
    measured = measure.measure(plan.measures, history, target)
    remains = tuple(finding for action in happened.actions for finding in action.remains)
    measured = replace(measured, findings=(*measured.findings, *remains))
    edges = probe_health.edges(plan.measures, history, target)
    circumstances = Circumstances(
        steady_before=happened.steady_before,
        took_effect=happened.took_effect if happened.actions else None,
        awaited=plan.awaited,
        recovery_failed=happened.recovery_failed,
        starved=probe_health.starved(
            history, edges, {one.probe for one in plan.measures if one.kind == "ledger"}
        ),
        deadline_passed=history.marks.deadline_passed,
        stopped_by=happened.stopped_by or happened.failed,
        settled=not happened.actions or history.marks.settled_ns is not None,
    )
    judgements, outcome, reason = verdict.judge(plan.objectives, measured, circumstances)
    if happened.failed:
        reason = f"The drill did not go as planned: {happened.failed}"
    elif happened.stopped_by:
        reason = f"Stopped early: {happened.stopped_by}."
    reason += _because(order.audit, outcome, judgements, measured)
    if not happened.rolled_back:
        type_this = runs.rollback_command(order.runs / happened.run_id)
        reason = f"NOT everything was put back: {type_this}. {reason}"
    return Record(
        schema=SCHEMA,
        run_id=happened.run_id,
        scenario=plan.scenario,
        title=plan.title,
        hypothesis=plan.hypothesis,
        covers=plan.covers,
        notes=plan.notes,
        params=plan.params,
        target=target.name,
        environment={
            "kind": target.environment.kind,
            "profile": target.environment.profile,
            "account": target.account,
            "primary": target.primary.name,
            "standby": target.standby.name,
        },
        versions=happened.versions,
        operator=order.operator,
        command=order.command,
        started=happened.started,
        ended=happened.ended,
        outcome=outcome,
        exit_code=_exit_code(happened, outcome),
        reason=reason,
        took_effect=happened.took_effect,
        stopped_by=happened.stopped_by,
        marks=history.marks,
        probes=plan.probes,
        probe_health=probe_health.health(history),
        judgements=judgements,
        measured=measured,
        actions=happened.actions,
        rolled_back=happened.rolled_back,
        audit=order.audit,
    )


def _because(
    audit: Audit | None, outcome: Outcome, judgements: Sequence[Judgement], measured: Measured
) -> str:
    """Return what the audit found that explains why a drill was not met, to go on its reason."""
    if audit is None or outcome is Outcome.MET:
        return ""
    missed = [one.objective for one in judgements if one.outcome is not Outcome.MET]
    unbounded = [(one.name, one.part) for one in measured.measurements if one.high is None]
    bad = (*((one.measurement, one.part) for one in missed), *unbounded)
    names = {one.check for measurement in bad for one in audit.explaining(*measurement)}
    # Each check once, the critical ones first, as the audit has them; the report has them all.
    told = {one.check: f"{one.check}: {one.title} ({one.what})" for one in reversed(audit.findings)}
    found = [told[check] for check in dict.fromkeys(one.check for one in audit.findings) if check in names]
    return f" The audit before it found {'; '.join(found)}." if found else ""


def _exit_code(happened: Happened, outcome: Outcome) -> int:
    if not happened.rolled_back:
        return exit_codes.ROLLBACK_INCOMPLETE
    if happened.stopped_by:
        return exit_codes.INTERRUPTED if happened.interrupted else exit_codes.STOPPED
    return _BY_OUTCOME[outcome]
