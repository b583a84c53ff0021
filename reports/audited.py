"""What an audit found, in a drill's report: among the findings, and beside what it explains; pure."""

from collections.abc import Iterator

from drill.model import Audit, AuditFinding, Finding, Judgement, Outcome


def findings(audit: Audit | None) -> Iterator[Finding]:
    """Yield what was wrong with the system before the drill; what follows from others names them."""
    for one in audit.findings if audit else ():
        follows = f" It follows from {', '.join(one.caused_by)}." if one.caused_by else ""
        yield Finding(one.check, one.severity, one.title, f"{one.where}: {one.what}.{follows}", one.mend)


def because(audit: Audit | None, judgement: Judgement) -> tuple[str, ...]:
    """Return what explains that an objective was not met, one line for each finding."""
    if audit is None or judgement.outcome is Outcome.MET:
        return ()
    of = judgement.objective
    return tuple(told(one) for one in audit.explaining(of.measurement, of.part))


def told(one: AuditFinding) -> str:
    """Return a finding in one line: ``DR05: the check has no children``."""
    return f"{one.check}: {one.what} ({one.where})"


def fact(audit: Audit | None) -> str:
    """Return in some words what the audit before a drill came to."""
    if audit is None:
        return "none was taken"
    roots = sum(not one.caused_by for one in audit.findings)
    found = f"{roots} found" if roots else "nothing found"
    missed = len(audit.unevaluated)
    return f"{found}, {missed} not evaluated" if missed else found
