"""What the commands of game days share: where the days are, and how their room is entered."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from drill.errors import UsageError

_HOW_TO_INSTALL = "game days need more: pip install 'drill[gameday]'"
days_folder = click.option(
    "--days",
    "days_root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("gamedays"),
    show_default=True,
    envvar="DRILL_GAMEDAYS",
    help="Folder of all game days.",
)
store = click.option(
    "--store",
    default="",
    envvar="DRILL_GAMEDAY_STORE",
    metavar="URL",
    help="PostgreSQL database of the schedulers; an SQLite file in the days' folder by default.",
)


def room(name: str) -> Any:  # noqa: ANN401 (a module)
    """Import a part of the game days, which need what not every installation has."""
    try:
        return import_module(f"drill.gameday.{name}")
    except ModuleNotFoundError as problem:
        if problem.name in {"cronsim", "dateutil", "dbos", "sqlalchemy"}:
            raise UsageError(_HOW_TO_INSTALL) from problem
        raise
