"""From what checks told to what is wrong, in order: causes before what follows from them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from drill import exit_codes
from drill.audit.contract import Check, Found
from drill.model import AuditFinding, Severity

_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Unevaluated:
    """Something that could not be looked at: it never counts as passed.

    Attributes:
        check: The check's id.
        where: What it would have looked at.
        why: Why it could not, in one line.

    """

    check: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit came to.

    Attributes:
        checks: The ids of the checks that ran.
        findings: What is wrong: the roots in order of severity, then what follows from them.
        unevaluated: What could not be looked at.

    """

    checks: tuple[str, ...]
    findings: tuple[AuditFinding, ...]
    unevaluated: tuple[Unevaluated, ...]

    @property
    def roots(self) -> tuple[AuditFinding, ...]:
        """The findings that no other finding explains."""
        return tuple(one for one in self.findings if not one.caused_by)

    @property
    def consequences(self) -> tuple[AuditFinding, ...]:
        """The findings that follow from others."""
        return tuple(one for one in self.findings if one.caused_by)

    @property
    def exit_code(self) -> int:
        """What the command ends with: an audit that is not whole says so, whatever it found."""
        if self.unevaluated:
            return exit_codes.INCONCLUSIVE
        return exit_codes.BREACHED if self.findings else exit_codes.MET


def itself_failed(problem: Exception) -> str:
    """Return what is told of a check that broke."""
    said = " ".join(str(problem).split())
    return f"the check itself failed: {type(problem).__name__}: {said}; tell whoever wrote it"


def audited(
    checks: Sequence[Check], told: Iterable[tuple[Check, Found]], unevaluated: Iterable[Unevaluated]
) -> Audited:
    """Return what checks told, each finding with those of its possible causes that were found."""
    findings = _explained([_finding(check, found) for check, found in told])
    # What is concluded explains nothing: it is made of the others.
    concluded: list[AuditFinding] = []
    broken: list[Unevaluated] = []
    for check in checks:
        try:
            concluded += [_finding(check, found) for found in check.conclude(findings)]
        except Exception as problem:  # noqa: BLE001 (one broken check hides no other)
            broken.append(Unevaluated(check.id, "what follows from all", itself_failed(problem)))
    ordered = sorted((*findings, *concluded), key=_place)
    return Audited(
        tuple(check.id for check in checks),
        tuple(ordered),
        tuple(sorted((*unevaluated, *broken), key=lambda one: (one.check, one.where))),
    )


def _finding(check: Check, found: Found) -> AuditFinding:
    return AuditFinding(
        check=check.id,
        severity=check.severity,
        title=check.title,
        where=found.where,
        what=found.what,
        mend=found.mend or check.mend,
        caused_by=check.caused_by if found.caused_by is None else found.caused_by,
        explains=check.explains if found.explains is None else found.explains,
    )


def _explained(findings: Sequence[AuditFinding]) -> list[AuditFinding]:
    """Leave of each finding's possible causes those that were found, and that it does not cause itself."""
    causes: dict[str, set[str]] = {one.check: set() for one in findings}
    for one in findings:
        causes[one.check] |= {each for each in one.caused_by if each in causes}

    def follows(check: str, other: str) -> bool:
        """Say whether a check's findings follow from another's, by whatever way."""
        seen, left = set(), [check]
        while left:
            here = left.pop()
            if here == other:
                return True
            left += [each for each in causes[here] if each not in seen]
            seen.add(here)
        return False

    return [
        replace(
            one,
            caused_by=tuple(
                each for each in one.caused_by if each in causes and not follows(each, one.check)
            ),
        )
        for one in findings
    ]


def _place(one: AuditFinding) -> tuple[bool, int, str, str]:
    return bool(one.caused_by), _ORDER.index(one.severity), one.check, one.where
