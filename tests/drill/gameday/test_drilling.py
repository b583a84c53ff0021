"""A drill whose scheduler died before it touched anything is ended, and not left to begin by itself."""

import signal
import subprocess
import sys
from pathlib import Path

from drill.gameday import drilling, folder
from tests.reports.review import held

RUN = "20261129t100000-region-outage-0001"
SLEEP = "import sys, time; print(flush=True); time.sleep(600)"


def test_a_drill_that_still_looks_whether_it_may_begin_is_ended(tmp_path: Path) -> None:
    """It has no journal yet, and is known by its command line; the day counts it as interrupted."""
    given = held.day(tmp_path)
    place = drilling.Place(tmp_path / "runs", held.planned(tmp_path / "days", given), given, 0)
    place.marker.write_text(RUN, encoding="utf-8")
    command = [sys.executable, "-c", SLEEP, "--run-id", RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.readline()
        try:
            became = drilling.run(place, lambda: True)
            assert -signal.SIGTERM == left.wait(60)
        finally:
            left.kill()

    assert "interrupted" == became["outcome"]
    assert ["interrupted"] == [one["outcome"] for one in folder.read(place.folder).drills]


def test_a_drill_that_is_gone_is_taken_up(tmp_path: Path) -> None:
    """Nothing is ended and nothing begun: it counts as interrupted."""
    given = held.day(tmp_path)
    place = drilling.Place(tmp_path / "runs", held.planned(tmp_path / "days", given), given, 0)
    place.marker.write_text(RUN, encoding="utf-8")

    assert "interrupted" == drilling.run(place, lambda: True)["outcome"]
    assert not (tmp_path / "runs").exists()
