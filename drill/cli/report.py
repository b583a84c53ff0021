"""``drill report``: a run's report again, in one of several forms."""

import json
from pathlib import Path

import click

from drill import record, runs
from drill.cli import options

_FORMS = ("html", "json", "junit", "markdown")


@click.command("report")
@click.argument("run_id", default="latest")
@options.runs_folder
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    default="html",
    show_default=True,
    help="html is written into the run's folder; the others are printed.",
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of --format json, and nothing else.")
def command(run_id: str, root: Path, form: str, schema: bool) -> None:
    """Render the report of RUN_ID (default: the latest run) and print where it is, or print it."""
    if schema:
        click.echo(json.dumps(record.json_schema(), indent=1))
        return
    folder = runs.find(root, run_id)
    if form == "html":
        from reports.render import write

        click.echo(write(folder).resolve().as_uri())
        return
    click.echo(_printed(folder, form), nl=False)


def _printed(folder: Path, form: str) -> str:
    found = record.read(folder / runs.RECORD)
    if form == "json":
        return record.as_json(found) + "\n"
    if form == "junit":
        from reports.junit import junit

        return junit(found)
    from reports.markdown import markdown

    return markdown(found)
