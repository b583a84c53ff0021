"""What an audit found, on a page of its own and in a drill's report."""

from dataclasses import replace
from typing import Any

import pytest

from drill.model import Audit, AuditFinding, Outcome, Severity
from drill.target import Environment
from reports import audit, render, view
from tests.reports import factory, hostile
from tests.reports.factory import Drill

ROOT = AuditFinding(
    check="DR05",
    severity=Severity.CRITICAL,
    title="DNS does not fail over",
    where="health check 6e0c of us-east-1",
    what="it has no children",
    mend="aws route53 update-health-check",
    explains=("recovery_time",),
)
CONSEQUENCE = replace(ROOT, check="DR14", what="it is not ready: DR05", caused_by=("DR05",))


def _audited(drill: Drill, *findings: AuditFinding, unevaluated: tuple[str, ...] = ()) -> Drill:
    return Drill(replace(drill.record, audit=Audit(findings, unevaluated)), drill.observations)


def test_a_breached_measure_says_what_explains_it() -> None:
    """Beside the recovery time that was breached stands the root that the audit had found."""
    page = view.page(_audited(factory.breached(), ROOT, CONSEQUENCE).record, None)
    told = {tile.title: tile.because for tile in page.tiles if tile.tone == "breached"}

    assert told["recovery time"] == ("DR05: it has no children (health check 6e0c of us-east-1)",)


def test_the_cause_is_what_the_audit_had_found() -> None:
    """What explains the measure that was missed comes before a finding of the drill that does not."""
    breached = factory.breached()
    told = view.page(_audited(breached, ROOT).record, None).verdict.cause
    other = view.page(_audited(breached, replace(ROOT, explains=("time_to_alert",))).record, None)

    assert "DR05: it has no children (health check 6e0c of us-east-1). Mend: aws route53" in told
    assert "DR05" not in other.verdict.cause
    beside = replace(ROOT, check="DX02", where="the record")
    both = view.page(_audited(breached, ROOT, beside).record, None)
    assert "(health check 6e0c of us-east-1), and 1 more of the findings. Mend: " in both.verdict.cause


def test_a_measure_that_was_met_needs_no_explanation() -> None:
    """A finding that did no harm in this drill stands among the findings alone."""
    page = view.page(_audited(factory.blackout(), ROOT).record, None)

    assert all(tile.because == () for tile in page.tiles if tile.tone == Outcome.MET.value)
    assert "DR05" in {finding.code for finding in page.findings}


def test_consequences_name_what_they_follow_from() -> None:
    """A consequence is among the findings, and is no second failure."""
    page = view.page(_audited(factory.breached(), ROOT, CONSEQUENCE).record, None)
    (told,) = (finding.detail for finding in page.findings if finding.code == "DR14")

    assert told.endswith("It follows from DR05.")


@pytest.mark.parametrize(
    ("drill", "fact"),
    [
        (factory.blackout(), "none was taken"),
        (_audited(factory.blackout()), "nothing found"),
        (_audited(factory.blackout(), ROOT, CONSEQUENCE), "1 found"),
        (_audited(factory.blackout(), unevaluated=("DR01 x: y",)), "nothing found, 1 not evaluated"),
    ],
)
def test_the_header_says_what_the_audit_came_to(drill: Drill, fact: str) -> None:
    """That nothing was found is told only where somebody looked."""
    assert dict(view.page(drill.record, None).facts)["Audit before it"] == fact


class _Target:
    name = "shop"
    account = "111122223333"
    environment = Environment(kind="lab", profile="fast")


def _page(*findings: AuditFinding, unevaluated: tuple[tuple[str, str, str], ...] = ()) -> str:
    target: Any = _Target()
    return audit.render(audit.page(target, findings, unevaluated, 28, "2026-11-29 08:00:00 UTC"))


def test_the_page_of_an_audit_tells_all_of_it() -> None:
    """Roots with how to mend them, consequences with their causes, and what could not be looked at."""
    page = _page(ROOT, CONSEQUENCE, unevaluated=(("DR01", "route tables", "AccessDenied"),))

    assert "Incomplete" in page
    assert "aws route53 update-health-check" in page
    assert "Follows from" in page
    assert "AccessDenied" in page
    assert "Lab, profile fast" in page


def test_an_incomplete_audit_never_looks_well() -> None:
    """Nothing found, and not all looked at, is not nothing found."""
    assert "Nothing found" in _page()
    assert "Nothing found" not in _page(unevaluated=(("DR01", "route tables", "no answer"),))


def test_no_text_of_a_finding_becomes_markup() -> None:
    """What AWS says is text on both pages, whatever it is made of."""
    nasty = replace(ROOT, what=hostile.PLANT, where=hostile.PLANT, mend=hostile.PLANT)
    drill = _audited(factory.breached(), nasty)

    for page in (_page(nasty), render.render(drill.record, None)):
        assert "<script" not in page
        assert "<img" not in page
        assert "\x1b" not in page
