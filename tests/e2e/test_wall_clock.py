"""A wall clock that is set in the middle of a drill changes no measurement."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drill import record, runs
from tests.e2e.conftest import Lab
from tests.e2e.test_interrupted import WAIT_S, begun
from tests.e2e.test_region_outage import measurement, resolver_switched_ns

pytestmark = pytest.mark.slow

# Every process of the drill reads the clock through this; the file says that somebody has set it.
STEPPING = """
import datetime, os, pathlib
from drill import clock
right = clock.now
def now():
    seen, by = right(), datetime.timedelta(hours=-2) * pathlib.Path(os.environ["STEPPED"]).exists()
    wall = datetime.datetime.fromisoformat(seen.wall) + by
    return clock.Instant(seen.monotonic_ns, wall.isoformat(timespec="microseconds"))
clock.now = now
"""


def test_a_clock_that_is_set_moves_no_number(lab: Lab, tmp_path: Path) -> None:
    """Two hours back while the region is dark: the bounds hold the truth, and the record tells of it."""
    before, root, stepped = lab.fingerprint(), tmp_path / "runs", tmp_path / "stepped"
    (tmp_path / "sitecustomize.py").write_text(STEPPING, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "STEPPED": str(stepped)}
    command = [sys.executable, "-m", "drill", "run", "region-outage", "--blackout", "--rto", "60"]
    command += ["--target", str(lab.target_path), "--runs", str(root)]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )

    runner = begun(root, start)
    time.sleep(0.3)
    stepped.touch()
    printed, _ = runner.communicate(timeout=2 * WAIT_S)

    read = record.read(runs.find(root, "latest") / runs.RECORD)
    recovery, injected = measurement(read, "recovery_time"), read.marks.injected
    assert recovery.high is not None, printed
    assert injected is not None
    switched_ns = resolver_switched_ns(lab, read)
    assert recovery.low <= (switched_ns - injected.latest_ns) / 1e9
    assert recovery.high >= (switched_ns - injected.earliest_ns) / 1e9
    assert "wall_clock_stepped" in {one.code for one in read.measured.findings}
    assert before == lab.fingerprint()
