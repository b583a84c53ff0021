"""Whatever ends a drill, the system is put back: by itself, or by ``drill recover`` after a kill."""

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drill import journal, record, runs
from drill.errors import DrillError
from drill.model import Outcome
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.slow

WAIT_S = 120
GARBLING = """CREATE TRIGGER garbling AFTER INSERT ON segment BEGIN
UPDATE segment SET attempts = zeroblob(length(attempts)) WHERE id = NEW.id; END"""
# A drill that stays in the middle for long enough to type something else.
LASTING = ("--blackout", "--lag-s", "30")


def start(lab: Lab, root: Path, *arguments: str, own_group: bool = False) -> subprocess.Popen[str]:
    """Start a drill in a process of its own, and in a process group of its own if asked."""
    where = ["--target", str(lab.target_path), "--runs", str(root)]
    command = [sys.executable, "-m", "drill", "run", "region-outage", "--no-audit", *arguments, *where]
    group = 0 if own_group else None
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=group
    )


def started(begin: Callable[[], subprocess.Popen[Any]], there: Callable[[], bool]) -> subprocess.Popen[Any]:
    """Start a drill, and return once it has come somewhere; again if a busy machine kept it from there."""
    printed = ""
    for _ in range(3):
        runner = begin()
        until = time.monotonic() + WAIT_S
        while runner.poll() is None and time.monotonic() < until:
            if there():
                return runner
            time.sleep(0.02)
        runner.kill()
        printed, _ = runner.communicate()
    pytest.fail(f"it never came there: {printed}")


def begun(root: Path, begin: Callable[[], subprocess.Popen[Any]]) -> subprocess.Popen[Any]:
    """Start a drill, and return when its first fault is in place."""

    def injected() -> bool:
        for folder in runs.folders(root):
            with contextlib.suppress(DrillError):  # its first line is not there yet
                if any(entry.kind == "injected" for entry in journal.read(folder)):
                    return True
        return False

    return started(begin, injected)


def start_broken(lab: Lab, root: Path, *arguments: str, own_group: bool = False) -> subprocess.Popen[str]:
    """Start a drill, and return when its first fault is in place."""
    return begun(root, lambda: start(lab, root, *arguments, own_group=own_group))


def drill(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "drill", *arguments, "--runs", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def processes(module: str, root: Path) -> list[int]:
    """Return the ids of the processes that run a module of the program for the runs of a folder."""
    found = subprocess.run(["pgrep", "-f", f"{module} .*{root}"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def kill_all(runner: subprocess.Popen[str], root: Path) -> None:
    """Kill a runner and its watchdog, the watchdog first."""
    for pid in processes("drill.watchdog", root):
        os.kill(pid, signal.SIGKILL)
    runner.kill()
    runner.communicate()


def await_rescue(root: Path) -> None:
    """Wait until nothing is left in any journal."""
    until = time.monotonic() + WAIT_S
    while runs.unfinished(root):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def lab(lab: Lab, tmp_path: Path) -> Lab:
    """Give the lab with a target file of short waits: nothing here is measured."""
    return lab.timed(tmp_path / "target.yaml", warm_up_s=0.5, settle_s=0.5, lease_s=5)


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
    runner = start_broken(lab, root, *arguments)
    kill_all(runner, root)

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
    runner = start_broken(lab, root)
    kill_all(runner, root)
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
    runner = start_broken(lab, root)
    runner.send_signal(number)
    runner.send_signal(number)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 130 == runner.returncode, printed
    assert f"Stopped early: interrupted by {number.name}" in printed
    assert before == lab.fingerprint()


def test_a_rollback_refuses_while_the_drill_is_running(lab: Lab, root: Path) -> None:
    """Nobody undoes under a living runner."""
    runner = start_broken(lab, root, *LASTING)
    refused = drill(root, "recover", "latest")
    runner.send_signal(signal.SIGINT)
    runner.communicate(timeout=WAIT_S)

    assert 64 == refused.returncode
    assert "is still going" in refused.stderr


def test_a_second_drill_on_the_same_target_is_refused(lab: Lab, root: Path) -> None:
    """While one drill runs, another on its target touches nothing and ends with 4."""
    runner = start_broken(lab, root, *LASTING)
    refused = drill(root, "run", "region-outage", "--target", str(lab.target_path))
    runner.send_signal(signal.SIGINT)
    runner.communicate(timeout=WAIT_S)

    assert (4, True) == (refused.returncode, "another drill is running" in refused.stderr), refused


def test_dead_probes_stop_the_drill(lab: Lab, root: Path) -> None:
    """When nobody watches any more the drill is rolled back and ends with 5."""
    before = lab.fingerprint()
    runner = start_broken(lab, root)
    folder = runs.find(root, "latest")
    for pid in processes("drill.probes.sampler", folder):
        os.kill(pid, signal.SIGKILL)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 5 == runner.returncode, printed
    assert "Stopped early: the probes' process ended" in printed
    assert before == lab.fingerprint()


@pytest.mark.parametrize(
    ("harm", "code", "told"),
    [("delete", 5, "are gone"), ("fill", 5, "can't grow"), ("garble", 2, "are damaged: segment")],
)
def test_observations_that_cant_be_kept_stop_the_drill(
    lab: Lab, root: Path, harm: str, code: int, told: str
) -> None:
    """A file that is deleted or garbled, or a disk that is full, is said; all is put back, nothing is met."""
    before = lab.fingerprint()
    runner = start_broken(lab, root)
    folder = runs.find(root, "latest")
    if harm == "delete":
        (folder / runs.OBSERVATIONS).unlink()
    if harm == "garble":  # from here on a disk that keeps other bytes than it was given
        with contextlib.closing(sqlite3.connect(folder / runs.OBSERVATIONS, timeout=20)) as connection:
            connection.execute(GARBLING)
    for pid in processes("drill.probes.sampler", folder):
        if harm == "fill":  # no file of the sampler's may grow beyond this any more
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (16_384, 16_384))
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert code == runner.returncode, printed
    assert told in printed
    assert told in (folder / runs.REPORT).read_text(encoding="utf-8").replace("&#39;", "'")
    assert Outcome.INCONCLUSIVE is record.read(folder / runs.RECORD).outcome
    assert before == lab.fingerprint()


def test_a_dead_watchdog_stops_the_drill(lab: Lab, root: Path) -> None:
    """When nobody would put it back after a death, the drill is rolled back and ends with 5."""
    before = lab.fingerprint()
    runner = start_broken(lab, root)
    for pid in processes("drill.watchdog", root):
        os.kill(pid, signal.SIGKILL)
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 5 == runner.returncode, printed
    assert "Stopped early: the watchdog ended" in printed
    assert before == lab.fingerprint()


def test_the_watchdog_outlives_the_process_group(lab: Lab, root: Path) -> None:
    """A group that is killed, runner and all, is put back by the watchdog alone."""
    before = lab.fingerprint()
    runner = start_broken(lab, root, own_group=True)
    os.killpg(runner.pid, signal.SIGKILL)
    runner.communicate()
    await_rescue(root)

    assert before == lab.fingerprint()
    assert 0 == drill(root, "recover").returncode


def test_a_stopped_runner_is_killed_before_it_is_put_back(lab: Lab, root: Path) -> None:
    """A runner that only sleeps is taken for dead, killed for certain, and never wakes to touch anything."""
    before = lab.fingerprint()
    runner = start_broken(lab, root)
    runner.send_signal(signal.SIGSTOP)
    await_rescue(root)
    runner.send_signal(signal.SIGCONT)
    runner.communicate(timeout=WAIT_S)

    assert -signal.SIGKILL == runner.returncode
    assert before == lab.fingerprint()


def test_an_abort_puts_back_and_ends_with_5(lab: Lab, root: Path) -> None:
    """Typed in another terminal it stops the drill, waits for the rollback, and the record says who."""
    before = lab.fingerprint()
    runner = start_broken(lab, root, *LASTING)
    aborted = drill(root, "abort")
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert (0, True) == (aborted.returncode, "nothing is left to undo" in aborted.stdout), aborted
    assert 5 == runner.returncode, printed
    assert "with: drill abort" in printed
    assert before == lab.fingerprint()
    assert 64 == drill(root, "abort").returncode


def test_a_condition_on_the_clients_stops_the_drill(lab: Lab, root: Path) -> None:
    """An expression that holds ends in rollback, exit 5 and a record that names it."""
    before = lab.fingerprint()
    runner = start_broken(lab, root, "--blackout", "--stop-when", "primary-direct bad > 50% for 1s")
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 5 == runner.returncode, printed
    assert "Stopped early: " in printed
    assert "primary-direct bad > 50%" in printed
    assert before == lab.fingerprint()
