"""What a day can be answered at the terminal: what comes too late, or asks nobody, is refused."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drill import cli, exit_codes
from drill.errors import UsageError
from drill.gameday import answers, folder, form
from drill.gameday.answers import Answer
from drill.model import Json
from tests.drill.gameday.quick_day import Room

ASKED: Mapping[str, Json] = {"occasion": "approval", "text": "waits", "failed": [], "number": 1}
DRILLED: Mapping[str, Json] = {
    "number": 0,
    "scenario": "region-outage",
    "run_id": "r",
    "outcome": "met",
    "exit_code": 0,
    "reason": "",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a day that is planned, whose second drill has a gate."""
    day = form.load(Room(tmp_path, "").due())
    return folder.begin(tmp_path / "days", folder.day_id(day.name, datetime.now(UTC)), day)


def wait(place: Path) -> None:
    """Let its second drill wait."""
    folder.note(place, "begun")
    folder.note(place, "drill", **DRILLED)
    folder.note(place, "notified", **ASKED)


def test_the_drill_that_waits_is_approved(place: Path) -> None:
    """Without a number it is the one that waits; before it waits it must be named."""
    with pytest.raises(UsageError, match=r"no drill of .* waits now"):
        answers.approval(folder.read(place), None, agreed=True)
    assert Answer(place.name, 1, agreed=True) == answers.approval(folder.read(place), 1, agreed=True)

    wait(place)
    held = folder.read(place)

    assert 1 == held.waits_for
    assert held.waits_until is not None
    assert Answer(place.name, 1, agreed=False) == answers.approval(held, None, agreed=False)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "was answered or has begun"), (2, "has 2 drills"), (-1, "has 2 drills")],
)
def test_what_asks_nobody_is_refused(place: Path, number: int, words: str) -> None:
    """A drill that has begun, and one that there is not."""
    wait(place)

    with pytest.raises(UsageError, match=words):
        answers.approval(folder.read(place), number, agreed=True)


def test_a_drill_without_a_gate_asks_nobody(place: Path) -> None:
    """It begins whatever is answered, so nobody is told that it was approved."""
    with pytest.raises(UsageError, match="asks nobody"):
        answers.approval(folder.read(place), 0, agreed=True)


@pytest.mark.parametrize("words", [["approve", "latest"], ["approve", "latest", "--no"], ["veto", "latest"]])
def test_a_day_that_is_over_is_answered_no_more(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """The terminal says so, and makes no store."""
    wait(place)
    folder.note(place, "ended", reason="")

    code = cli.outcome_of(["gameday", *words, "--days", str(place.parent)])

    assert exit_codes.USAGE == code
    assert "is over" in capsys.readouterr().err
    assert not list(place.parent.glob("store*"))


def test_an_answer_nobody_can_hear_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no scheduler has ever served, nothing is said to be approved."""
    wait(place)

    code = cli.outcome_of(["gameday", "approve", "latest", "--days", str(place.parent)])

    said = capsys.readouterr()
    assert (exit_codes.USAGE, "") == (code, said.out)
    assert "no scheduler has used the store" in said.err


def test_a_note_may_hold_any_end_of_a_line(place: Path) -> None:
    """A text with a line separator of its own damages no day."""
    folder.write_note(place, "Ada", "one\u2028two\x85three\nfour")

    assert ["one\u2028two\x85three\nfour"] == [one["text"] for one in folder.read(place).notes]


def test_a_damaged_day_is_named_and_hides_no_other(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows the others, and ends with what is wrong."""
    damaged = place.parent / "quick-20260101t000000z"
    damaged.mkdir()
    (damaged / folder.DAY).write_text("{", encoding="utf-8")

    code = cli.outcome_of(["gameday", "history", "--days", str(place.parent)])

    said = capsys.readouterr()
    assert exit_codes.USAGE == code
    assert place.name in said.out
    assert f"{damaged} can't be read" in said.err
