"""Failures planted one by one in a deployed system: the audit finds each, and a drill shows what it leads to.

``DRILL_EVERY_DEFECT=1`` plants all of them and runs their drills, and prints the matrix; without it
those are planted that are quickly put back, and nothing is drilled.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from drill.audit.judge import Audited
from tests.defects.bench import Bench, Defect
from tests.defects.matrix import DEFECTS, Cell, printed
from tests.e2e.conftest import Ended, Lab

# A planted failure is waited for, and so is that nothing is left of it; on a busy machine for long.
pytestmark = pytest.mark.timeout(900)

EVERY = os.environ.get("DRILL_EVERY_DEFECT") == "1"
# One for each row, of those that need no new version of a function and nothing to time out.
QUICK = {
    "routes missing",
    "addresses overlap",
    "no copies",
    "login in one region",
    "no children",
    "nothing warm",
    "lag unwatched",
    "no budget",
    "no subscriber",
    "no dashboard",
    "standby may not run",
    "reachability unwatched",
    "fixed capacity",
    "never drilled",
}
CHOSEN = [one for one in DEFECTS if EVERY or one.name in QUICK]
DRILLED = [one for one in CHOSEN if EVERY and one.drill is not None]


@pytest.fixture(scope="module")
def bench(lab: Lab) -> Bench:
    """Give the system on which failures are planted."""
    return Bench.of(lab.target)


@pytest.fixture(scope="module")
def cells() -> Iterator[dict[str, Cell]]:
    """Collect what becomes of each, and print it in the end."""
    found: dict[str, Cell] = {}
    yield found
    if EVERY:
        print("\n" + printed(found.values()))


def _roots(audited: Audited) -> list[str]:
    return sorted({one.check for one in audited.roots})


def test_the_right_system_raises_nothing(bench: Bench) -> None:
    """Every check, those that write too, looks at all of it and finds nothing."""
    audited = bench.audit_until(lambda seen: seen.exit_code == 0, active=True)

    assert audited.findings == ()
    assert audited.unevaluated == ()
    assert len(audited.checks) == 28
    assert audited.exit_code == 0


@pytest.mark.parametrize("defect", CHOSEN, ids=str)
def test_a_planted_failure_is_the_only_root(bench: Bench, cells: dict[str, Cell], defect: Defect) -> None:
    """The audit tells the row of what was planted and no other, and nothing once it is put back."""
    with defect.planted(bench):
        # On a busy machine a checker may miss an answer, and the standby count as unhealthy for a moment.
        audited = bench.audit_until(lambda seen: _roots(seen) == [defect.row], **defect.asked)
        assert _roots(audited) == [defect.row], audited.findings
        assert audited.exit_code == 1
        if EVERY and defect.follows:
            follows = defect.follows
            audited = bench.audit_until(
                lambda seen: _tells(seen, follows) and _roots(seen) == [defect.row], **defect.asked
            )
            assert _tells(audited, follows)
            assert _roots(audited) == [defect.row], audited.findings
    after = bench.settled()

    follow = ", ".join(sorted({one.check for one in audited.consequences}))
    cells.setdefault(str(defect), Cell(defect)).found = ", ".join(_roots(audited))
    cells[str(defect)].follows = follow
    assert after.findings == ()
    assert after.unevaluated == ()


def _tells(audited: Audited, check: str) -> bool:
    return any(one.check == check for one in audited.consequences)


@pytest.mark.slow
@pytest.mark.parametrize("defect", DRILLED, ids=str)
def test_a_drill_shows_what_it_leads_to(
    bench: Bench, cells: dict[str, Cell], drill_run: Callable[..., Ended], defect: Defect
) -> None:
    """The drill ends as the failure has it, shows its consequence, and names it as the cause."""
    shown = defect.drill
    assert shown is not None
    with defect.planted(bench):
        ended = drill_run(shown.scenario, *shown.flags, "--audit")
    after = bench.settled()

    cells.setdefault(
        str(defect), Cell(defect)
    ).drilled = f"{shown.scenario} {' '.join(shown.flags)}: {ended.record.outcome}".replace("  ", " ")
    assert ended.code == shown.exit_code, ended.printed
    assert shown.shows(ended.record), ended.record
    assert ended.record.rolled_back
    audit = ended.record.audit
    assert audit is not None
    if not defect.asked.get("active"):
        assert {one.check for one in audit.findings if not one.caused_by} == {defect.row}
    if ended.code and not defect.asked.get("active"):
        assert f"{defect.row}: " in ended.record.reason
    assert after.findings == ()
