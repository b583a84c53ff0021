"""``drill runs``: what was run, and what it came to."""

import json
from pathlib import Path

import click

from drill import runs
from drill.cli import options
from drill.runs import Listed


@click.command("runs")
@options.runs_folder
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
def command(root: Path, as_json: bool) -> None:
    """List the runs, the oldest first, with what each came to."""
    every = list(runs.listed(root))
    if not every and not as_json:
        click.echo(f"no runs in {root}; make one with: drill run region-outage")
    for one in every:
        click.echo(json.dumps(_object(one)) if as_json else f"{one.run_id}  {_state(one)}")


def _state(one: Listed) -> str:
    if one.problem:
        return one.problem
    if one.unfinished:
        return f"UNFINISHED: {one.unfinished} to undo; put back with: {runs.rollback_command(one.folder)}"
    if one.record is None:
        return "no record: it ended early, and nothing is left to undo"
    return f"{one.record.outcome}  {one.record.reason}"


def _object(one: Listed) -> dict[str, object]:
    return {
        "run_id": one.run_id,
        "outcome": str(one.record.outcome) if one.record else None,
        "exit_code": one.record.exit_code if one.record else None,
        "unfinished_steps": one.unfinished,
        "problem": one.problem,
    }
