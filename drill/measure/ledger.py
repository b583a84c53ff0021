"""The ledger: numbered writes against all that the recovered system holds.

Probe: ``writer``. Options: ``primary`` and ``standby``, the regions' names (default: the
target's); ``failures`` and ``successes``, the debounce of the cutover; ``declared``: nothing was broken
and the disaster only declared, so that what was answered after that instant is not looked for at cutover.

Gives a ledger for each reading of each store; the measurements ``recovery_point``,
``recovery_point_writes`` and ``lost_share`` with parts like ``dynamodb/cutover``; and findings.
A store that could not be read has no measurement.
"""

from drill.measure import divergence, ledger_findings, recovery_point
from drill.measure.accounts import account, compare, declared
from drill.measure.attempts import attempts
from drill.measure.options import optional_text
from drill.measure.recovery import fault_window, recovery
from drill.measure.stretches import rule
from drill.measure.writes import Writes, sent_writes
from drill.model import Finding, History, Measured, Measurement, MeasureSpec
from drill.target import Target


def ledger(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return what each reading says of the acknowledged writes."""
    primary = optional_text(spec, "primary") or target.primary.name
    writes = sent_writes(history, spec.probe, {read.store for read in history.ledgers})
    undo_ns = None if history.marks.undone is None else history.marks.undone.earliest_ns
    declared_ns = declared(history) if spec.options.get("declared") is True else None
    results = []
    measured: list[Measurement] = []
    findings: list[Finding] = []
    for read in sorted(history.ledgers, key=lambda one: (one.sent_ns, one.store)):
        books = account(writes, read, undo_ns, declared_ns)
        compared = compare(books, read)
        results.append(compared.ledger)
        measured += recovery_point.measurements(books, compared, primary)
        findings += ledger_findings.of_one(compared)
    findings += ledger_findings.of_losses(results)
    # Where nothing was broken nobody was moved: both regions go on taking writes, as they may.
    findings += _divergence(spec, history, target, writes) if declared_ns is None else ()
    return Measured(tuple(measured), (), tuple(results), tuple(findings))


def _divergence(spec: MeasureSpec, history: History, target: Target, writes: Writes) -> tuple[Finding, ...]:
    window = fault_window(history)
    if window is None:
        return ()
    primary = optional_text(spec, "primary") or target.primary.name
    standby = optional_text(spec, "standby") or target.standby.name
    seen = recovery(attempts(history, spec.probe, standby), rule(spec, history, target), window)
    if seen is None:
        return ()
    split = divergence.split_writes(writes, seen, window, primary)
    return divergence.findings(split, history.ledgers, window, primary)
