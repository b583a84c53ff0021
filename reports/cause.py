"""Why a drill came out as it did, in one sentence for a reader with two minutes; pure."""

from drill.model import Finding, Outcome, Phase, Severity
from drill.record import Record
from reports.wording import duration, seconds_since

_WEIGHTY = (Severity.CRITICAL, Severity.WARNING)


def cause(record: Record) -> str:
    """Return the likely cause, or for a drill that met its objectives what took longest; may be empty.

    Where a time was not met, that is the phase that took longest; then comes the weightiest finding.
    """
    longest, finding = _longest(record), _weightiest(record)
    unmet = [one for one in record.judgements if one.outcome is not Outcome.MET]
    words = []
    if longest is not None and (not unmet or any(one.objective.unit == "s" for one in unmet)):
        words.append(f"\u201c{longest.label}\u201d took longest: {duration(*_bounds(longest))}.")
    if unmet and finding is not None:
        words.append(f"{finding.title}." + (f" Mend: {finding.mend}" if finding.mend else ""))
    return " ".join(words)


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
