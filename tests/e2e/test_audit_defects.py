"""Failures planted one by one in a deployed system: the audit finds each, and a drill shows what it leads to.

``DRILL_EVERY_DEFECT=1`` plants all of them and runs their drills, prints the matrix, and writes it into
the docs if it is whole; without it those are planted that are quickly put back, and nothing is drilled.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drill import clock, record, runs
from drill.audit.judge import Audited
from drill.exit_codes import MET, REFUSED
from drill.record import Record
from tests.defects import page, services
from tests.defects.bench import Bench, Defect, Drilled
from tests.defects.matrix import DEFECTS
from tests.defects.page import Cell
from tests.e2e.conftest import Ended, Lab, unstarved

# A planted failure is waited for, and so is that nothing is left of it; on a busy machine for long.
pytestmark = pytest.mark.timeout(900)

EVERY = os.environ.get("DRILL_EVERY_DEFECT") == "1"
# How long an audit of the whole system may take, by itself.
LIMIT_S = 10.0
# One for a row, of those that need no new version of a function and nothing to time out.
QUICK = {
    "routes missing",
    "addresses overlap",
    "no copies",
    "login never changed",
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
        print("\n" + page.printed(found.values()))
        written = page.write(found.values())
        print(f"{page.PAGE} {'was written' if written else 'is as it was: not all of it is known'}")


def _roots(audited: Audited) -> list[str]:
    return sorted({one.check for one in audited.roots})


def test_the_right_system_raises_nothing(bench: Bench) -> None:
    """Every check, those that write too, looks at all of it and finds nothing."""
    audited = bench.audit_until(lambda seen: seen.exit_code == 0, active=True)

    assert audited.findings == ()
    assert audited.unevaluated == ()
    assert len(audited.checks) == 28
    assert audited.exit_code == 0
    if EVERY:
        began_ns = clock.monotonic_ns()
        bench.audit()
        took_s = (clock.monotonic_ns() - began_ns) / 1e9
        print(f"\nthe whole system was audited in {took_s:.1f} s")
        assert took_s < LIMIT_S


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
    lab: Lab, bench: Bench, cells: dict[str, Cell], tmp_path: Path, defect: Defect
) -> None:
    """The drill ends as the failure has it, shows its consequence, and names it as the cause."""
    shown = defect.drill
    assert shown is not None
    root = tmp_path / "runs"
    with defect.planted(bench):
        # Alarms take a moment to see it, and the drill's own audit looks once.
        bench.audit_until(lambda seen: _roots(seen) == [defect.row], **defect.asked)
        shown.awaits(bench)
        typed = [sys.executable, "-m", *shown.command.split(), "--audit"]
        ended = unstarved([*typed, "--target", str(lab.target_path), "--runs", str(root)])
    after = bench.settled()

    printed = ended.stdout + ended.stderr
    read = None if ended.returncode == REFUSED else record.read(runs.find(root, "latest") / runs.RECORD)
    cell = cells.setdefault(str(defect), Cell(defect))
    cell.ended = page.WORDS.get(ended.returncode, str(ended.returncode))
    cell.named = defect.row if _named(defect, shown, printed, read) else ""
    assert ended.returncode == shown.exit_code, printed
    assert cell.named, printed
    if read is not None:
        assert read.rolled_back
        assert shown.shows(read), read
        _only_root(defect, read)
    assert after.findings == ()


def _named(defect: Defect, shown: Drilled, printed: str, read: Record | None) -> bool:
    """Say whether the drill told the failure as the cause of what it came to."""
    if read is None:  # refused: what the audit found was said right before
        return f"audit: {defect.row} " in printed
    if shown.finding:
        return any(one.code == shown.finding and defect.row in one.detail for one in read.measured.findings)
    return f"{defect.row}: " in read.reason


def _only_root(defect: Defect, read: Record) -> None:
    """Demand that the audit before the drill told it alone, unless it can't see it without writing."""
    assert read.audit is not None
    roots = {one.check for one in read.audit.findings if not one.caused_by}
    assert roots == (set() if defect.asked.get("active") else {defect.row})


@pytest.mark.slow
@pytest.mark.skipif(not EVERY, reason="a whole drill: make defects")
def test_an_instance_for_each_of_a_crowd_meets_no_cold_start(
    bench: Bench, drill_run: Callable[..., Ended]
) -> None:
    """The drill that shows that nothing is kept warm is met where enough is."""
    undo = services.warm(bench)
    try:
        ended = drill_run("region-outage", "--crowd", "4", "--cold-starts", "0")
    finally:
        undo()

    assert ended.code == MET, ended.printed
