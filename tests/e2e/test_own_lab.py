"""A drill without a target file brings its own lab, and takes it away again, whatever happens."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drill import journal, runs
from infra.lab.addresses import BLOCKS
from tests.e2e.conftest import unstarved, unsure
from tests.e2e.test_interrupted import begun, drill, kill_all

pytestmark = pytest.mark.slow

WAIT_S = 90


def labs(temporary: Path) -> list[Path]:
    """Return the state folders of the labs that a drill started for itself."""
    return sorted(temporary.glob("drill-lab-*"))


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for temporary files that the database's own user can reach."""
    folder = Path("/tmp") / f"own-lab-{os.getpid()}-{tmp_path.name[-20:]}"
    folder.mkdir(mode=0o711)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def run(temporary: Path, root: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a drill with a lab of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "drill", "run", "region-outage", "--runs", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), **environment},
    )


def test_a_whole_drill_from_nothing(temporary: Path, tmp_path: Path) -> None:
    """One command starts a lab, drills it, reports and leaves nothing running."""
    command = [sys.executable, "-m", "drill", "run", "region-outage", "--runs", str(tmp_path / "runs")]
    ended = unstarved(command, unsure, TMPDIR=str(temporary))

    assert 0 == ended.returncode, ended
    assert "report: file://" in ended.stdout
    assert [] == labs(temporary)


def test_the_lab_outlives_a_killed_runner_until_it_is_put_back(temporary: Path, tmp_path: Path) -> None:
    """After SIGKILL the lab is still there to be put back, and ends by itself once it is."""
    root = tmp_path / "runs"
    runner = begun(root, lambda: run(temporary, root))
    kill_all(runner, root)
    time.sleep(2)

    still_there = labs(temporary)
    rolled_back = drill(root, "recover", "latest")
    until = time.monotonic() + WAIT_S
    while subprocess.run(["pgrep", "-f", str(temporary)], check=False, capture_output=True).returncode == 0:
        assert time.monotonic() < until, "the lab did not end"
        time.sleep(0.2)

    assert 1 == len(still_there)
    assert [] == labs(temporary)
    assert 0 == rolled_back.returncode, rolled_back
    assert () == journal.pending(journal.read(runs.find(root, "latest")))


def test_a_database_that_cant_start_is_said(temporary: Path, tmp_path: Path) -> None:
    """Without a usable PostgreSQL: one line with what to type, 64, nothing left."""
    root = tmp_path / "runs"
    runner = run(temporary, root, DRILL_LAB_PG_BIN=str(tmp_path / "nowhere"))
    printed, _ = runner.communicate(timeout=WAIT_S)

    assert 64 == runner.returncode
    said = [line for line in printed.splitlines() if line.startswith("drill: ")]
    assert 1 == len(said), printed
    assert "can't start" in said[0]
    assert [] == labs(temporary)
    assert [] == list(runs.folders(root))


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """A port that is taken at the lab's address ends with 64 and one line that names the way out."""
    with ExitStack() as stack:
        port = 0
        for block in BLOCKS:
            taken = stack.enter_context(socket.socket())
            taken.bind((f"127.{block}.0.1", port))
            taken.listen()
            port = taken.getsockname()[1]
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "drill",
                "lab",
                "up",
                "--port",
                str(port),
                "--state",
                str(tmp_path / "lab"),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )

    assert 64 == ended.returncode
    assert f"port {port} is taken" in ended.stderr
    assert 1 == len(ended.stderr.splitlines()), ended.stderr
