"""In whichever phase it goes wrong the system is put back: a bug, dead probes, one more signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill import journal, runs, target
from drill.errors import DrillError
from drill.exit_codes import INCONCLUSIVE, REFUSED
from tests.e2e.conftest import Lab, tried
from tests.e2e.test_interrupted import WAIT_S, begun, drill, processes, started
from tests.faultmatrix.proxy import Proxy, Request, Weather

pytestmark = pytest.mark.slow

# Whoever is told of a phase fails in it.
RAISING = """
import sys
from drill import cli
from drill.cli import progress

named, tell = sys.argv.pop(1), progress._Plain.phase

def phase(shown, name, detail=""):
    tell(shown, name, detail)
    if name == named:
        raise ZeroDivisionError(name)

progress._Plain.phase = phase
cli.main()
"""


@pytest.fixture
def hasty(lab: Lab, tmp_path: Path) -> Path:
    """Give a target file of the lab with which no phase lasts."""
    return lab.timed(tmp_path / "target.yaml", warm_up_s=0.5, settle_s=0.5, deadline_s=0.2).target_path


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of this test's runs; put back whatever a failed test left."""
    root = tmp_path / "runs"
    yield root
    for folder in runs.unfinished(root):
        drill(root, "recover", folder.name)


def start(
    target_path: Path, root: Path, *arguments: str, by: tuple[str, ...] = ("-m", "drill")
) -> subprocess.Popen[str]:
    """Start a drill in a process of its own."""
    where = ["--target", str(target_path), "--runs", str(root)]
    return subprocess.Popen(
        [sys.executable, *by, *arguments, "run", "region-outage", "--no-audit", *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def phases(root: Path) -> list[str]:
    """Return the phases that the runs of a folder have entered."""
    try:
        entries = [entry for folder in runs.folders(root) for entry in journal.read(folder)]
    except DrillError:
        return []  # its first line is not there yet
    return [str(entry.fields["name"]) for entry in entries if entry.kind == "phase"]


@pytest.mark.parametrize("phase", ["guard", "warm-up", "inject", "observe", "roll back", "settle"])
def test_a_bug_in_any_phase_rolls_back_and_ends_with_70(
    lab: Lab, hasty: Path, root: Path, phase: str
) -> None:
    """What nobody expected shows as an internal error, and nothing is left to undo."""
    before = lab.fingerprint()

    def to_its_end() -> tuple[int, str]:
        runner = start(hasty, root, phase, by=("-c", RAISING))
        printed, _ = runner.communicate(timeout=WAIT_S)
        return runner.returncode, printed

    code, printed = tried(to_its_end, lambda ended: ended[0] in {INCONCLUSIVE, REFUSED})

    assert (70, True) == (code, f"ZeroDivisionError: {phase}" in printed), printed
    assert () == runs.unfinished(root)
    assert before == lab.fingerprint()


@pytest.mark.parametrize("phase", ["warm-up", "inject", "roll back", "settle"])
def test_probes_that_die_in_any_phase_end_the_drill(lab: Lab, tmp_path: Path, root: Path, phase: str) -> None:
    """The drill is rolled back and ends with 5, whatever it was about to do."""
    before = lab.fingerprint()

    # Settling lasts until they are dead.
    timed = lab.timed(tmp_path / "target.yaml", warm_up_s=0.5, settle_s=5, deadline_s=0.2)
    runner = started(lambda: start(timed.target_path, root), lambda: phase in phases(root))
    for pid in processes("drill.probes.sampler", root):
        os.kill(pid, signal.SIGKILL)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert (5, True) == (runner.returncode, "Stopped early: the probes" in printed), printed
    assert () == runs.unfinished(root)
    assert before == lab.fingerprint()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_midst_of_the_undo_changes_nothing(
    lab: Lab, hasty: Path, root: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """After SIGINT another signal comes while the undo's own call is under way: undone all the same, 130."""
    before = lab.fingerprint()
    came: list[str] = []
    runner: subprocess.Popen[str] | None = None

    def signalled(request: Request) -> bool:
        if request.action.startswith("POST /2013-04-01/healthcheck/"):
            came.append(request.action)
            if len(came) == 2 and runner is not None:
                runner.send_signal(number)
        return False

    timing = lab.target.timing.model_copy(update={"warm_up_s": 0.5})
    assert lab.target.endpoint_url is not None
    with Proxy(lab.target.endpoint_url, Weather(until=signalled)) as proxy:
        path = tmp_path / "signalled.yaml"
        target.dump(lab.target.model_copy(update={"timing": timing, "endpoint_url": proxy.url}), path)
        runner = begun(root, lambda: start(path, root))
        runner.send_signal(signal.SIGINT)
        printed, _ = runner.communicate(timeout=WAIT_S)

    assert len(came) >= 2
    assert 130 == runner.returncode, printed
    assert "Stopped early: interrupted by SIGINT" in printed
    assert () == runs.unfinished(root)
    assert before == lab.fingerprint()
