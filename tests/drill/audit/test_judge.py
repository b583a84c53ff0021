"""From what checks told to roots, consequences and an exit code."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from drill.audit import runner
from drill.audit.contract import Check
from drill.audit.judge import Audited
from drill.model import Severity
from tests.drill.audit.plain import check, fails, tells


def _run(*checks: Check, limit_s: float = 60) -> Audited:
    system: Any = Path()  # none of these checks looks at it
    return runner.run(checks, system, limit_s)


def _refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeThings")


def test_nothing_found_ends_with_0() -> None:
    """A check that tells nothing has passed."""
    assert _run(check("DX90", tells())).exit_code == 0


def test_what_a_finding_explains_of_its_own_wins() -> None:
    """A check looks at several things, and each may lead to something else, or to nothing measured."""
    audited = _run(
        check("DX90", tells("a"), tells("b", explains=()), explains=("recovery_time",)),
    )

    assert {one.what: one.explains for one in audited.findings} == {"a": ("recovery_time",), "b": ()}


def test_what_writes_waits_to_be_let() -> None:
    """A check reads without being asked, and writes only where that is allowed."""
    asked, system = check("DX90", tells("read"), writes=(tells("written"),)), Path()
    reading, both = (runner.run([asked], system, 60, active=active) for active in (False, True))  # type: ignore[arg-type]

    assert [one.what for one in reading.findings] == ["read"]
    assert sorted(one.what for one in both.findings) == ["read", "written"]


def test_roots_come_first_in_order_of_severity() -> None:
    """Critical ones before warnings before notes, and what follows from others last."""
    audited = _run(
        check("DX91", tells("a"), severity=Severity.NOTE),
        check("DX92", tells("b"), severity=Severity.WARNING),
        check("DX93", tells("c"), severity=Severity.CRITICAL),
        check("DX94", tells("d"), severity=Severity.CRITICAL, caused_by=("DX91",)),
    )

    assert [one.check for one in audited.findings] == ["DX93", "DX92", "DX91", "DX94"]
    assert [one.check for one in audited.consequences] == ["DX94"]
    assert audited.exit_code == 1


def test_a_cause_that_was_not_found_explains_nothing() -> None:
    """A finding whose possible causes are all well is a root."""
    audited = _run(check("DX91", tells()), check("DX92", tells("b"), caused_by=("DX91",)))

    assert [one.check for one in audited.roots] == ["DX92"]


def test_findings_that_would_explain_one_another_are_both_roots() -> None:
    """A circle of causes leaves nothing unexplained that somebody must mend."""
    audited = _run(
        check("DX91", tells("a"), caused_by=("DX93",)),
        check("DX92", tells("b"), caused_by=("DX91",)),
        check("DX93", tells("c"), caused_by=("DX92",)),
    )

    assert len(audited.roots) == 3


def test_what_a_finding_says_of_its_own_causes_wins() -> None:
    """One finding of a check may be explained, another one not."""
    audited = _run(
        check("DX91", tells("a")),
        check("DX92", tells("b"), tells("c", caused_by=()), caused_by=("DX91",)),
    )

    assert {one.what for one in audited.roots} == {"a", "c"}


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (_refused("AccessDenied"), "drill iam-policy audit"),
        (_refused("UnauthorizedOperation"), "drill iam-policy audit"),
        (_refused("Throttling"), "Throttling"),
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), "127.0.0.1:1"),
        (KeyError("VpcId"), "the check itself failed: KeyError"),
    ],
)
def test_what_can_not_be_looked_at_never_passes(problem: Exception, said: str) -> None:
    """It is listed in one line with what to do; what was told before and beside it is kept; the code is 2."""
    audited = _run(check("DX91", fails(problem, "a"), tells("b")), check("DX92", tells("c")))

    (missed,) = audited.unevaluated
    assert (missed.check, missed.where) == ("DX91", "part 0")
    assert said in missed.why
    assert "\n" not in missed.why
    assert {one.what for one in audited.findings} == {"a", "b", "c"}
    assert audited.exit_code == 2


def test_what_takes_too_long_is_given_up_and_listed() -> None:
    """A part that does not end in time is not evaluated; the others are."""
    import threading

    ends = threading.Event()

    def hangs() -> Any:
        ends.wait(60)
        yield from ()

    try:
        audited = _run(check("DX91", hangs), check("DX92", tells("b")), limit_s=0.5)
    finally:
        ends.set()

    assert [one.check for one in audited.unevaluated] == ["DX91"]
    assert [one.check for one in audited.findings] == ["DX92"]
