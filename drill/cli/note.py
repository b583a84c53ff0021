"""``drill note``: a person's note on the game day that is going."""

from pathlib import Path

import click

from drill.cli import options
from drill.cli.gameday_options import days_folder


@click.command()
@click.argument("text")
@days_folder
@click.option("--day", default="latest", show_default=True, help="Which day, by its id.")
def command(text: str, days_root: Path, day: str) -> None:
    """Write TEXT down, with the time and your name; the day's report shows it on its time line."""
    from drill.gameday import folder

    place = folder.find(days_root, day)
    folder.write_note(place, options.operator(), text)
    click.echo(f"noted on {place.name}")
