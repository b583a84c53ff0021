"""The ready-made game day on the lab: a dark region, then the whole book on one time line, to its report."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from drill import exit_codes, record, runs, target
from drill.gameday import folder as days
from drill.gameday.folder import Held
from drill.model import LedgerResult, Measurement
from drill.record import Record
from tests.e2e.conftest import Ended, Lab, late, tried
from tests.e2e.restored import at_cutover, lost_in_truth
from tests.e2e.test_gameday import WAIT_S, quick, until
from tests.reports.review.held import approve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TREE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Day:
    """The day as it was held.

    Attributes:
        code: The exit code of ``drill gameday run``.
        printed: What it printed.
        held: The day.
        place: Its folder.
        runs: The folder of all runs.
        unchanged: Whether the lab is as it was before.

    """

    code: int
    printed: str
    held: Held
    place: Path
    runs: Path
    unchanged: bool

    def folder(self, number: int) -> Path:
        """Return the folder of a drill's run."""
        return self.runs / str(self.held.drills[number]["run_id"])


def example(tree: Path, lab: Lab) -> Day:
    """Hold the example as it is in the tree, on the lab that its target file names."""
    before = lab.fingerprint()
    shutil.copytree(TREE / "examples", tree / "examples")
    (tree / ".drill" / "lab").mkdir(parents=True)
    target.dump(quick(lab), tree / ".drill" / "lab" / "target.yaml")
    runs_root, days_root = tree / "runs", tree / "gamedays"
    where = ["--days", str(days_root), "--runs", str(runs_root)]
    typed = ["drill", "gameday", "run", str(tree / "examples" / "full-dr.yaml"), *where]

    def in_vain(ended: tuple[int, str]) -> bool:
        drills = days.listed(days_root)[-1].drills
        untold = any(one["outcome"] in {"refused", "inconclusive"} for one in drills)
        return ended[0] != exit_codes.MET and (
            untold or any(late(runs_root / str(one["run_id"])) for one in drills)
        )

    command = [sys.executable, "-m", *typed]
    code, printed = tried(lambda: hold(command, days_root, runs_root), in_vain)
    last = days.listed(days_root)[-1]
    return Day(code, printed, last, days_root / last.id, runs_root, before == lab.fingerprint())


def hold(command: list[str], days_root: Path, runs_root: Path) -> tuple[int, str]:
    """Hold a day, approving what it asks for; return its exit code and what it printed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as going:
        try:
            until(partial(asked_or_over, days_root, going), "the gate")
            for one in days.listed(days_root):
                if one.waits_for is not None:
                    approve(days_root, runs_root, "", one.id)
            printed, _ = going.communicate(timeout=WAIT_S)
        finally:
            going.terminate()  # a drill that is going rolls back; nothing where it has ended
    return going.returncode, printed


def asked_or_over(days_root: Path, going: "subprocess.Popen[str]") -> bool:
    """Say whether a day waits for an approval, or will not."""
    return going.poll() is not None or any(one.waits_for is not None for one in days.listed(days_root))


def test_the_example_is_held(tmp_path: Path, lab: Lab) -> None:
    """Both drills are met, the second after a reviewer agreed; nothing is left, and the report opens."""
    day = example(tmp_path, lab)

    assert exit_codes.MET == day.code, day.printed
    outcomes = [(one["scenario"], one["outcome"]) for one in day.held.drills]
    assert [("region-outage", "met"), ("full-dr", "met")] == outcomes
    assert ["Nora"] == [one["by"] for one in day.held.events if one["kind"] == "approved"]
    report = (day.place / days.REPORT).read_text(encoding="utf-8")
    assert (day.place / days.REPORT).as_uri() in day.printed
    for number, scenario in enumerate(("region-outage", "full-dr")):
        link = os.path.relpath(day.folder(number) / runs.REPORT, day.place)
        assert (day.place / link).exists()
        assert f"{number + 1} of 2: {scenario}" in report
        assert f'href="{link}"' in report
    assert day.unchanged
    played = record.read(day.folder(1) / runs.RECORD)
    check_the_whole_book(played)
    ended = Ended(day.code, day.printed, played, day.folder(1))
    cutover = at_cutover(ended)
    assert lost_in_truth(lab, ended, cutover.read.earliest_ns) == set(cutover.lost)


def measurement(record: Record, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    return next(one for one in record.measured.measurements if (one.name, one.part) == (name, part))


def ledger(record: Record, store: str, occasion: str) -> LedgerResult:
    """Return what a store's ledger came to."""
    return next(one for one in record.measured.ledgers if (one.store, one.occasion) == (store, occasion))


def check_the_whole_book(played: Record) -> None:
    """Clients move, the database follows, orders are served from it; then no order is lost for good."""
    names = [phase.name for phase in played.measured.phases]
    assert {"detection", "first_request", "all_requests", "cluster", "query", "order"} <= set(names)
    moved, served = measurement(played, "recovery_time"), measurement(played, "recovery_time", "order")
    assert moved.high is not None
    assert served.high is not None
    assert moved.low > 0
    # Two probes saw them: their bounds may overlap, and the order is never before the query.
    assert served.high > measurement(played, "recovery_time", "query").low
    for store in ("dynamodb", "aurora"):
        assert ledger(played, store, "cutover").readable
        assert () == ledger(played, store, "resumed").lost
    assert measurement(played, "failback").high is not None
    # The restore takes longer than the alarm, so that it was told while the drill looked.
    told = measurement(played, "time_to_alert")
    assert told.high is not None
    assert 0 < told.low < told.high
