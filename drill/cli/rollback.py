"""``drill rollback``: put back what an interrupted run left broken."""

from pathlib import Path

import click

from drill import runs
from drill.cli import options
from drill.errors import RollbackIncomplete


@click.command("rollback")
@click.argument("run_id")
@options.runs_folder
def command(run_id: str, root: Path) -> None:
    """Undo, from its journal, what RUN_ID changed and did not put back.

    RUN_ID is the whole id, a unique part of it, or "latest". Safe to repeat.
    """
    from drill import rollback

    folder = runs.find(root, run_id)
    undone = rollback.replay(folder)
    for one in undone:
        click.echo(one.said)
    if not undone:
        click.echo(f"{folder.name}: nothing is left to undo")
    left = [one.step for one in undone if one.error]
    if left:
        msg = f"still broken: {', '.join(left)}; mend the cause, then: {runs.rollback_command(folder)}"
        raise RollbackIncomplete(msg)
