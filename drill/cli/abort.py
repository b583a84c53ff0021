"""``drill abort``: stop a drill that is going, from another terminal."""

import getpass
from pathlib import Path

import click

from drill import runs
from drill.cli import options
from drill.errors import RollbackIncomplete


@click.command("abort")
@click.argument("run_id", default="latest")
@options.runs_folder
@click.option("--kill", is_flag=True, help="Kill a runner that does not stop, and put back in its place.")
def command(run_id: str, root: Path, kill: bool) -> None:
    """Stop RUN_ID and wait until it has put everything back; the drill ends with exit code 5.

    RUN_ID is the whole id, a unique part of it, or "latest", which it is if left away.
    """
    from drill import abort, journal, plan, rollback

    folder = runs.find(root, run_id)
    timing = plan.read(folder).target.timing
    runner = abort.ask(folder, f"stopped by {getpass.getuser()} with: drill abort")
    click.echo(f"{folder.name}: asked to stop; it puts everything back now")
    steps = len(journal.pending(journal.read(folder))) + 1
    if not abort.ended(runner, timing.api_timeout_s + 2 * steps * timing.effect_s, timing.poll_s):
        if not kill:
            msg = f"{folder.name} does not end ({runner}); kill it with: drill abort --kill {folder.name}"
            raise RollbackIncomplete(msg)
        runner.kill()
    for one in rollback.replay(folder):
        click.echo(f"{folder.name}: {one.said}")
    if journal.unfinished(journal.read(folder)):
        msg = f"{folder.name} is still broken; put it back with: {runs.rollback_command(folder)}"
        raise RollbackIncomplete(msg)
    click.echo(f"{folder.name}: stopped, and nothing is left to undo")
