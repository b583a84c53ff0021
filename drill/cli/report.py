"""``drill report``: render a run's report again."""

from pathlib import Path

import click

from drill import runs
from drill.cli import options


@click.command("report")
@click.argument("run_id", default="latest")
@options.runs_folder
def command(run_id: str, root: Path) -> None:
    """Render the report of RUN_ID (default: the latest run) and print where it is."""
    from reports.render import write

    click.echo(write(runs.find(root, run_id)).resolve().as_uri())
