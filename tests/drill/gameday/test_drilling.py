"""A drill whose scheduler died before it touched anything is ended, and not left to begin by itself."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from drill import exit_codes
from drill.cli import options
from drill.gameday import drilling, folder
from drill.gameday.form import GameDay
from drill.target import Objectives
from tests.drill.gameday.test_before import frozen
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


@pytest.mark.parametrize(("in_s", "said"), [(60, "code freeze"), (None, "can't be read")])
def test_no_drill_begins_in_a_blackout(tmp_path: Path, in_s: float | None, said: str) -> None:
    """An event that falls into its expected time refuses it, however late the day is; so does no calendar."""
    given = held.day(tmp_path, frozen(tmp_path, in_s or 0))
    if in_s is None:
        (tmp_path / "freeze.ics").unlink()
    place = drilling.Place(tmp_path / "runs", held.planned(tmp_path / "days", given), given, 0)

    became = drilling.run(place, lambda: True)

    assert ("refused", exit_codes.REFUSED) == (became["outcome"], became["exit_code"])
    assert said in became["reason"]
    assert [dict(became)] == [{key: one[key] for key in became} for one in folder.read(place.folder).drills]
    assert not place.marker.exists()


WANTED = {
    "rto_s": 1234567.25,
    "rpo_s": 0.0,
    "rpo_writes": 12345678,
    "alert_s": 0.5,
    "failed_share": 0.125,
    "cold_starts": 3,
}


def with_objectives(given: GameDay, wanted: Objectives) -> GameDay:
    """Return a day whose drills have objectives of their own."""
    drills = tuple(drill.model_copy(update={"objectives": wanted}) for drill in given.drills)
    return given.model_copy(update={"drills": drills})


@pytest.mark.parametrize("name", Objectives.model_fields)
def test_each_objective_reaches_its_drill(tmp_path: Path, name: str) -> None:
    """What the file wants is what ``drill run`` reads, to the last digit, and 0 is an objective too."""
    wanted = Objectives.model_validate({name: WANTED[name]})
    given = with_objectives(held.day(tmp_path), wanted)

    words = drilling.command(drilling.Place(tmp_path / "runs", tmp_path, given, 0), RUN)

    @click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    @options.objectives
    def read(**typed: Any) -> Objectives:
        return options.wanted(typed)

    assert wanted == read.main(words, standalone_mode=False)
