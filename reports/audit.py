"""The page of an audit: one HTML file in the look of a drill's report."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from drill.model import AuditFinding, Severity
from drill.target import Target
from reports.render import environment, policy
from reports.series import Table

_TEMPLATE = "audit.html.j2"
_STYLE = "report.css"


@dataclass(frozen=True, slots=True)
class AuditPage:
    """All that the page shows, as ready strings.

    Attributes:
        target: The system's name.
        place: Where it is.
        lab: It is a lab.
        word: What the audit came to, in a word or two.
        tone: Its colour and sign.
        reason: The same in a sentence.
        at: When it was taken.
        roots: What is wrong.
        consequences: What follows from that.
        unevaluated: What could not be looked at.
        checks: How many checks ran.

    """

    target: str
    place: str
    lab: bool
    word: str
    tone: str
    reason: str
    at: str
    roots: tuple[AuditFinding, ...]
    consequences: Table
    unevaluated: Table
    checks: int


def page(
    target: Target,
    findings: Sequence[AuditFinding],
    unevaluated: Sequence[tuple[str, str, str]],
    checks: int,
    at: str,
) -> AuditPage:
    """Return the page of an audit.

    Args:
        target: The system.
        findings: Roots first, in order of severity.
        unevaluated: Check, place and reason of what could not be looked at.
        checks: How many checks ran.
        at: When, in words.

    """
    roots = tuple(one for one in findings if not one.caused_by)
    follow = [one for one in findings if one.caused_by]
    word, tone = _word(roots, unevaluated)
    lab = target.environment.kind == "lab"
    return AuditPage(
        target=target.name,
        place=f"Lab, profile {target.environment.profile}" if lab else f"AWS, account {target.account}",
        lab=lab,
        word=word,
        tone=tone,
        reason=_reason(roots, unevaluated),
        at=at,
        roots=roots,
        consequences=Table(
            "What follows from these",
            ("Check", "Where", "What", "Follows from"),
            tuple((one.check, one.where, one.what, ", ".join(one.caused_by)) for one in follow),
        ),
        unevaluated=Table("Not evaluated", ("Check", "Where", "Why"), tuple(unevaluated)),
        checks=checks,
    )


def render(shown: AuditPage) -> str:
    """Return the page as one HTML file that asks for nothing and runs no script."""
    made = environment()
    style = made.loader.get_source(made, _STYLE)[0] if made.loader else ""
    return made.get_template(_TEMPLATE).render(
        page=shown,
        style=Markup(style),  # noqa: S704  # our own file, and the policy below names its hash
        policy=policy(style),
    )


def _word(roots: Sequence[AuditFinding], unevaluated: Sequence[object]) -> tuple[str, str]:
    if unevaluated:
        return "Incomplete", "inconclusive"
    if not roots:
        return "Nothing found", "met"
    worst = roots[0].severity
    return f"{len(roots)} found", "breached" if worst is Severity.CRITICAL else "inconclusive"


def _reason(roots: Sequence[AuditFinding], unevaluated: Sequence[object]) -> str:
    counted = [(one, sum(root.severity is one for root in roots)) for one in Severity]
    told = ", ".join(f"{number} {one.value}" for one, number in counted if number)
    found = f"Failures found: {told}." if told else "No failure was found in what was looked at."
    if unevaluated:
        parts = "One part" if len(unevaluated) == 1 else f"{len(unevaluated)} parts"
        return f"{parts} could not be looked at, and never counts as passed. {found}"
    return found
