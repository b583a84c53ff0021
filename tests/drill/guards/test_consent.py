"""The name is typed back, and nothing of an earlier run is left."""

from dataclasses import replace
from pathlib import Path

import pytest

from drill.guards.consent import confirmed, nothing_unfinished
from drill.journal import FILE, Journal
from tests.drill.guards.asking import NOBODY, asked

RUN = "20261124t090000-region-outage-0a1b"


def left(runs: Path, target: str = "orders") -> Journal:
    """Return the journal of a run that intended a step and did not undo it."""
    made = Journal.create(runs / RUN, "region-outage", target)
    made.intend("dark", "health-check-inversion", {"health_check_id": "1"}, {"Inverted": False})
    return made


@pytest.mark.parametrize(
    ("typed", "disposable", "refused"),
    [
        ("", False, True),
        ("order", False, True),
        ("Orders", False, True),
        ("orders ", False, True),
        ("orders", False, False),
        ("", True, False),
    ],
)
def test_the_name_is_typed_back(typed: str, disposable: bool, refused: bool) -> None:
    """Exactly; only what was made to be broken needs none."""
    said = confirmed(replace(asked(disposable=disposable), confirmed=typed), NOBODY)

    assert refused == ("--confirm orders" in said)
    assert refused == bool(said)


def test_what_a_run_left_refuses_with_the_command(tmp_path: Path) -> None:
    """The command puts back just that run."""
    (tmp_path / RUN).mkdir()
    left(tmp_path).close()

    said = nothing_unfinished(replace(asked(), runs=tmp_path), NOBODY)

    assert f"put it back first: drill recover {RUN} --runs {tmp_path}" in said


def test_another_targets_leftover_does_not_refuse(tmp_path: Path) -> None:
    """Each target for itself."""
    (tmp_path / RUN).mkdir()
    left(tmp_path, "payments").close()

    assert nothing_unfinished(replace(asked(), runs=tmp_path), NOBODY) == ""


def test_what_was_undone_does_not_refuse(tmp_path: Path) -> None:
    """Neither does a run whose undo was done."""
    (tmp_path / RUN).mkdir()
    with left(tmp_path) as made:
        made.note("undone", "dark", 1, 2)

    assert nothing_unfinished(replace(asked(), runs=tmp_path), NOBODY) == ""


def test_an_unreadable_journal_refuses(tmp_path: Path) -> None:
    """Nobody knows what it would undo, nor of which target."""
    (tmp_path / RUN).mkdir()
    left(tmp_path, "payments").close()
    path = tmp_path / RUN / FILE
    path.write_bytes(path.read_bytes().replace(b"payments", b"paymints"))

    assert RUN in nothing_unfinished(replace(asked(), runs=tmp_path), NOBODY)


def test_a_drill_under_way_is_told_by_its_lease(tmp_path: Path) -> None:
    """What a living runner has not undone yet is no leftover, unless the asker itself has the lease."""
    (tmp_path / RUN).mkdir()
    with left(tmp_path):  # this very process wrote it: not under way, a leftover
        question = replace(asked(), runs=tmp_path)

        assert RUN in nothing_unfinished(question, NOBODY)
        assert RUN in nothing_unfinished(replace(question, lease=""), NOBODY)
