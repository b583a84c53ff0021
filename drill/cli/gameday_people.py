"""What people do on a game day: approve or veto, and write down what they decide."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill.cli import options
from drill.cli.gameday_options import days_folder, room, store
from drill.errors import UsageError
from drill.exit_codes import MET

if TYPE_CHECKING:
    from drill.gameday.answers import Answer
    from drill.gameday.folder import Held


@click.command()
@click.argument("day")
@click.option("--drill", "number", type=click.IntRange(min=1), help="Which drill of it; the one that waits.")
@click.option("--no", "refuse", is_flag=True, help="Say no: the day ends there.")
@days_folder
@store
def approve(day: str, number: int | None, refuse: bool, days_root: Path, store: str) -> int:
    """Let the drill of DAY begin that waits for an approval."""
    from drill.gameday import answers

    held = _found(days_root, day)
    answer = answers.approval(held, number - 1 if number else None, agreed=not refuse)
    answering(days_root, store)(answer, options.operator())
    click.echo(answer.words)
    return MET


@click.command()
@click.argument("day")
@days_folder
@store
def veto(day: str, days_root: Path, store: str) -> int:
    """Keep DAY from being held; until it begins."""
    from drill.gameday import answers

    answer = answers.veto(_found(days_root, day))
    answering(days_root, store)(answer, options.operator())
    click.echo(answer.words)
    return MET


@click.command()
@click.argument("text")
@click.option("--owner", required=True, help="Who does it.")
@click.option("--due", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Until when.")
@click.option("--day", default="latest", show_default=True, help="Of which day.")
@days_folder
def action(text: str, owner: str, due: datetime, day: str, days_root: Path) -> int:
    """Write down what was decided, with owner and date; close it with: drill gameday done TEXT."""
    from drill.gameday.form import Action

    folder = room("folder")
    place = folder.find(days_root, day)
    folder.write_action(place, Action(what=text, owner=owner, due=due.date()))
    click.echo(f"written down on {place.name}")
    return MET


@click.command()
@click.argument("text")
@click.option("--day", default="latest", show_default=True, help="Of which day.")
@days_folder
def done(text: str, day: str, days_root: Path) -> int:
    """Close the action TEXT of a day."""
    folder = room("folder")
    place = folder.find(days_root, day)
    found = next((one for one in folder.read(place).actions if one.what == text), None)
    if found is None:
        listed = ", ".join(repr(one.what) for one in folder.read(place).open_actions) or "none is open"
        msg = f"{place.name} has no action {text!r}: {listed}; see: drill gameday history"
        raise UsageError(msg)
    folder.write_action(place, found.model_copy(update={"done": True}))
    click.echo(f"done on {place.name}")
    return MET


def answering(days_root: Path, url: str) -> "Callable[[Answer, str], None]":
    """Return what gives a day an answer in somebody's name, in the store of the schedulers."""

    def give(answer: "Answer", by: str) -> None:
        room("serving").give(room("store").address(days_root, url), answer, by)

    return give


def _found(days_root: Path, day: str) -> "Held":
    folder = room("folder")
    found: Held = folder.read(folder.find(days_root, day))
    return found


COMMANDS = (approve, veto, action, done)
