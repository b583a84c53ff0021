"""Whatever ends a drill, the system is put back: by itself, or by ``drill recover`` after a kill."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill import journal, runs
from drill.errors import DrillError
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.slow

WAIT_S = 60


def start(lab: Lab, root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a drill in a process of its own."""
    where = ["--target", str(lab.target_path), "--runs", str(root)]
    command = [sys.executable, "-m", "drill", "run", "region-outage", *arguments, *where]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def await_entry(root: Path, kind: str) -> None:
    """Wait until the newest run's journal has an entry of a kind."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        for folder in runs.folders(root):
            try:
                if any(entry.kind == kind for entry in journal.read(folder)):
                    return
            except DrillError:
                continue  # its first line is not there yet
        time.sleep(0.02)
    pytest.fail(f"no {kind} in {WAIT_S} s")


def drill(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "drill", *arguments, "--runs", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of this test's runs; put back whatever a failed test left."""
    root = tmp_path / "runs"
    yield root
    for folder in runs.folders(root):
        drill(root, "recover", folder.name)


@pytest.mark.parametrize("arguments", [(), ("--blackout",)])
def test_a_fresh_process_puts_back_what_a_killed_one_left(
    lab: Lab, root: Path, arguments: tuple[str, ...]
) -> None:
    """After SIGKILL a new drill is refused, ``drill recover`` restores all, and again changes nothing."""
    before = lab.fingerprint()
    runner = start(lab, root, *arguments)
    await_entry(root, "injected")
    runner.kill()
    runner.communicate()

    broken = lab.fingerprint()
    refused = drill(root, "run", "region-outage", "--target", str(lab.target_path))
    first = drill(root, "recover", "latest")
    again = drill(root, "recover", "latest")

    assert before != broken
    assert (4, True) == (refused.returncode, "put it back first: drill recover" in refused.stderr)
    assert (0, True) == (first.returncode, "undone and checked" in first.stdout), first
    assert (0, True) == (again.returncode, "nothing is left to undo" in again.stdout), again
    assert before == lab.fingerprint()


def test_another_accounts_credentials_put_nothing_back(lab: Lab, root: Path) -> None:
    """In another account nothing would be found and all would look undone: nothing is marked as undone."""
    before = lab.fingerprint()
    runner = start(lab, root)
    await_entry(root, "injected")
    runner.kill()
    runner.communicate()
    plan_file = runs.find(root, "latest") / "plan.json"
    own = plan_file.read_text(encoding="utf-8")
    plan_file.write_text(own.replace("123456789012", "210987654321"), encoding="utf-8")

    elsewhere = drill(root, "recover", "latest")
    plan_file.write_text(own, encoding="utf-8")
    here = drill(root, "recover", "latest")

    assert (3, True) == (elsewhere.returncode, "nothing was put back" in elsewhere.stderr), elsewhere
    assert (0, True) == (here.returncode, "undone and checked" in here.stdout), here
    assert before == lab.fingerprint()


def test_a_closed_pipe_is_no_breach(lab: Lab, root: Path) -> None:
    """When whoever read the output has gone, the drill goes on, puts all back, and 1 stays "breached"."""
    before = lab.fingerprint()
    runner = start(lab, root)
    assert runner.stdout is not None
    runner.stdout.close()
    runner.wait(timeout=WAIT_S)

    assert 1 != runner.returncode
    assert [()] == [journal.pending(journal.read(folder)) for folder in runs.folders(root)]
    assert before == lab.fingerprint()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_rolls_back(lab: Lab, root: Path, number: signal.Signals) -> None:
    """A signal ends the drill with 130 after everything was put back; a second one does not cut it short."""
    before = lab.fingerprint()
    runner = start(lab, root)
    await_entry(root, "injected")
    runner.send_signal(number)
    runner.send_signal(number)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 130 == runner.returncode, printed
    assert f"Stopped early: interrupted by {number.name}" in printed
    assert before == lab.fingerprint()


def test_a_rollback_refuses_while_the_drill_is_running(lab: Lab, root: Path) -> None:
    """Nobody undoes under a living runner."""
    runner = start(lab, root)
    await_entry(root, "injected")
    refused = drill(root, "recover", "latest")
    runner.send_signal(signal.SIGINT)
    runner.communicate(timeout=WAIT_S)

    assert 64 == refused.returncode
    assert "is still going" in refused.stderr


def test_a_second_drill_on_the_same_target_is_refused(lab: Lab, root: Path) -> None:
    """While one drill runs, another on its target touches nothing and ends with 4."""
    runner = start(lab, root)
    await_entry(root, "phase")
    refused = drill(root, "run", "region-outage", "--target", str(lab.target_path))
    runner.send_signal(signal.SIGINT)
    runner.communicate(timeout=WAIT_S)

    assert (4, True) == (refused.returncode, "another drill is running" in refused.stderr), refused


def test_dead_probes_stop_the_drill(lab: Lab, root: Path) -> None:
    """When nobody watches any more the drill is rolled back and ends with 5."""
    before = lab.fingerprint()
    runner = start(lab, root)
    await_entry(root, "injected")
    folder = next(iter(runs.folders(root)))
    found = subprocess.run(
        ["pgrep", "-f", f"drill.probes.sampler .*{folder.name}"], capture_output=True, text=True, check=True
    )
    for pid in found.stdout.split():
        subprocess.run(["kill", "-KILL", pid], check=False)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 5 == runner.returncode, printed
    assert "Stopped early: the probes' process ended" in printed
    assert before == lab.fingerprint()
