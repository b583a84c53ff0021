"""Two who would break the same system: one does, and who was taken over from does nothing more."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill import runs, target
from drill.exit_codes import REFUSED
from tests.e2e.conftest import Lab, tried
from tests.e2e.test_interrupted import WAIT_S, drill, processes, started
from tests.faultmatrix.proxy import Proxy, Request, Weather

pytestmark = pytest.mark.slow


def changes(request: Request, lab: Lab) -> bool:
    """Say whether a request changes what is drilled: no renewal of the lease, no probe's marker or look."""
    table = {"UpdateItem": lab.target.drills.lease_table, "PutItem": lab.target.table.name}
    # The drills' own queue of alerts is emptied by the probe that listens for them.
    own = (
        request.action in {"AssumeRole", "ReceiveMessage"}
        or f'"{table.get(request.action)}"'.encode() in request.body
    )
    return not (request.reads or own)


@pytest.fixture
def hasty(lab: Lab, tmp_path: Path) -> Path:
    """Give a target file of the lab with short waits and a short lease."""
    return lab.timed(tmp_path / "target.yaml", warm_up_s=0.3, settle_s=0.3, lease_s=5.0).target_path


@pytest.fixture
def roots(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Give the folders of two machines' runs; put back whatever a failed test left."""
    both = (tmp_path / "one", tmp_path / "other")
    yield both
    for root in both:
        for folder in runs.unfinished(root):
            drill(root, "recover", folder.name)


@pytest.fixture
def runners() -> Iterator[list[subprocess.Popen[str]]]:
    """Give a list for drills that were started; whichever still sleeps is ended."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for runner in started:
        if runner.poll() is None:
            runner.kill()
            runner.communicate()


def start(target_path: Path, root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a drill in a process of its own."""
    where = ["--target", str(target_path), "--runs", str(root)]
    return subprocess.Popen(
        [sys.executable, "-m", "drill", "run", "region-outage", "--no-audit", *arguments, *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("machines", [1, 2])
def test_of_two_at_once_one_runs(lab: Lab, hasty: Path, roots: tuple[Path, Path], machines: int) -> None:
    """On one machine or on two: one drill runs, the other refuses in one line, nothing is left."""
    before = lab.fingerprint()

    printed: dict[int, tuple[str, str]] = {}

    def both() -> list[subprocess.Popen[str]]:
        started = [start(hasty, root) for root in (roots if machines == 2 else (roots[0], roots[0]))]
        printed.update((one.pid, one.communicate(timeout=WAIT_S)) for one in started)
        return sorted(started, key=lambda one: one.returncode)

    # Both are refused where a busy machine failed the health check.
    ran, refused = tried(both, lambda ended: ended[0].returncode == REFUSED)
    # On a slow machine the one that ran may not be able to tell what it measured.
    assert (True, 4) == (ran.returncode in {0, 1, 2}, refused.returncode), printed
    said = printed[refused.pid][1].splitlines()
    assert [True] == ["another drill" in line and line.startswith("drill: refused: ") for line in said], said
    assert 1 == sum(len(list(runs.folders(root))) for root in roots)
    assert [(), ()] == [runs.unfinished(root) for root in roots]
    assert before == lab.fingerprint()


@pytest.mark.parametrize(
    ("call", "arguments"),
    [("POST /schedules/", ()), ("POST /experiments", ("--blackout",))],
    ids=["before the fault", "between two faults"],
)
def test_who_was_taken_over_from_touches_nothing(
    lab: Lab,
    hasty: Path,
    roots: tuple[Path, Path],
    runners: list[subprocess.Popen[str]],
    tmp_path: Path,
    call: str,
    arguments: tuple[str, ...],
) -> None:
    """A runner that sleeps while another machine puts its drill back wakes, changes nothing, ends with 3."""
    before = lab.fingerprint()
    sent: list[str] = []
    stopped = threading.Event()

    def heard(request: Request) -> bool:
        if changes(request, lab):
            sent.append(request.action)
        # While it waits for an answer it is not about to send what it was already permitted to.
        if request.action.startswith(call) and not stopped.is_set():
            runners[-1].send_signal(signal.SIGSTOP)
            stopped.set()
        return False

    assert lab.target.endpoint_url is not None
    with Proxy(lab.target.endpoint_url, Weather(until=heard)) as proxy:
        watched = tmp_path / "watched.yaml"
        target.dump(target.load(hasty).model_copy(update={"endpoint_url": proxy.url}), watched)

        def begin() -> subprocess.Popen[str]:
            runners.append(start(watched, roots[0], *arguments))
            return runners[-1]

        runner = started(begin, stopped.is_set)
        # On this machine its watchdog would kill it first.
        for pid in processes("drill.watchdog", roots[0]):
            os.kill(pid, signal.SIGKILL)
        taken = drill(roots[1], "recover", "--lost-machine", str(hasty))
        by_then = list(sent)
        put_back = lab.fingerprint()
        runner.send_signal(signal.SIGCONT)
        printed = "".join(runner.communicate(timeout=WAIT_S))
        sent_by_runner = list(sent)
        again = drill(roots[0], "recover", "latest")

    assert (0, True, True) == (taken.returncode, "undone and checked" in taken.stdout, by_then != []), taken
    assert by_then == sent_by_runner, printed
    assert (3, True) == (runner.returncode, "took" in printed), printed
    assert 0 == again.returncode, again
    assert (before, before) == (put_back, lab.fingerprint())
