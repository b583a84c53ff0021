"""Why a drill came out as it did, in one sentence for a reader with two minutes; pure."""

from drill.model import Finding, Judgement, Outcome, Phase, Severity
from drill.record import Record
from reports.wording import duration, seconds_since

_WEIGHTY = (Severity.CRITICAL, Severity.WARNING)
# What a scenario's phases are the parts of.
_OF_PHASES = "recovery_time"


def cause(record: Record) -> str:
    """Return the likely cause, or for a drill that met its objectives what took longest; may be empty.

    Where a recovery time was not met, that is the phase that took longest; then comes what the audit had
    found that explains what was not met, or else the weightiest finding.
    """
    longest, finding = _longest(record), _weightiest(record)
    unmet = [one for one in record.judgements if one.outcome is not Outcome.MET]
    audited = _audited(record, unmet)
    words = []
    if longest is not None and (not unmet or any(one.objective.measurement == _OF_PHASES for one in unmet)):
        words.append(f"\u201c{longest.label}\u201d took longest: {duration(*_bounds(longest))}.")
    if audited:
        words.append(audited)
    if unmet and finding is not None and (not audited or finding.severity is Severity.CRITICAL):
        words.append(f"{finding.title}." + (f" Mend: {finding.mend}" if finding.mend else ""))
    return " ".join(words)


def _audited(record: Record, unmet: list[Judgement]) -> str:
    """Return the weightiest root that the audit had found of what explains what was not met."""
    if record.audit is None:
        return ""
    explaining = {
        one
        for missed in unmet
        for one in record.audit.explaining(missed.objective.measurement, missed.objective.part)
    }
    found = [one for one in record.audit.findings if one in explaining]
    if not found:
        return ""
    first, others = found[0], len({one.check for one in found}) - 1
    more = f", and {others} more of the findings" if others else ""
    return f"{first.check}: {first.what} ({first.where}){more}. Mend: {first.mend}"


def _weightiest(record: Record) -> Finding | None:
    found = [one for weight in _WEIGHTY for one in record.measured.findings if one.severity is weight]
    return found[0] if found else None


def _longest(record: Record) -> Phase | None:
    """Return the phase that surely took longest of those that ended; None if there is no choice."""
    known = [phase for phase in record.measured.phases if phase.exercised and phase.ends is not None]
    return max(known, key=lambda phase: _bounds(phase)[0]) if len(known) > 1 else None


def _bounds(phase: Phase) -> tuple[float, float]:
    if phase.ends is None:
        return 0.0, 0.0
    low_s = max(0.0, seconds_since(phase.ends.earliest_ns, phase.begins.latest_ns))
    return low_s, max(low_s, seconds_since(phase.ends.latest_ns, phase.begins.earliest_ns))
