"""``drill recover``: put back what interrupted runs left broken."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill import runs
from drill.cli import options
from drill.errors import DrillError, RollbackIncomplete, UsageError

if TYPE_CHECKING:
    from drill.rollback import Undone


@click.command("recover")
@click.argument("run_id", required=False)
@options.runs_folder
@click.option(
    "--lost-machine",
    "target_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="TARGET",
    help="Put back what a machine that is lost left, from the lease of this target file.",
)
@click.option("--dry-run", is_flag=True, help="Show what is left, and touch nothing.")
def command(run_id: str | None, root: Path, target_path: Path | None, dry_run: bool) -> None:
    """Undo, from their journals, what runs changed and did not put back; then check it.

    Without RUN_ID every unfinished run is put back. RUN_ID is the whole id, a unique part of it,
    or "latest". Safe to repeat.
    """
    if target_path is not None:
        _from_lease(root, target_path)
        return
    folders = [runs.find(root, run_id)] if run_id else list(runs.unfinished(root))
    if not folders:
        click.echo("nothing is left to undo")
    left = []
    for folder in folders:
        try:
            _show(folder) if dry_run else _put_back(folder)
        except DrillError as problem:
            if run_id:
                raise
            # The other runs still need their undo.
            click.echo(f"{folder.name}: {problem}", err=True)
            left.append(folder)
    if left:
        names = ", ".join(folder.name for folder in left)
        msg = f"still broken: {names}; mend the cause, then: drill recover"
        raise RollbackIncomplete(msg)


def _show(folder: Path) -> None:
    from drill import journal

    entries = journal.read(folder)
    left = [f"to undo: {step.step} ({step.fault})" for step in journal.pending(entries)]
    if journal.armed(entries):
        left.append("to disarm: the dead-man's undo")
    for line in left or ["nothing is left to undo"]:
        click.echo(f"{folder.name}: {line}")


def _put_back(folder: Path) -> None:
    from drill import rollback

    _tell(folder.name, rollback.replay(folder), runs.rollback_command(folder))


def _from_lease(root: Path, target_path: Path) -> None:
    from drill import rollback, target

    chosen = target.load(target_path)
    if not chosen.drills.lease_table:
        msg = f"{target_path} names no lease table (drills.lease_table): use the machine that ran it"
        raise UsageError(msg)
    _tell(
        chosen.name,
        rollback.replay_elsewhere(root, chosen),
        f"drill recover --lost-machine {target_path} --runs {root}",
    )


def _tell(name: str, undone: "tuple[Undone, ...]", again: str) -> None:
    for one in undone:
        click.echo(f"{name}: {one.said}")
    if not undone:
        click.echo(f"{name}: nothing is left to undo")
    broken = [one.step for one in undone if one.error]
    if broken:
        msg = f"still broken: {', '.join(broken)}; mend the cause, then: {again}"
        raise RollbackIncomplete(msg)
