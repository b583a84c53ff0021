"""``drill scenarios``: what can be run."""

import click

from drill import catalogue


@click.command("scenarios")
def command() -> None:
    """List the scenarios that are installed, with what each proves."""
    for name in catalogue.names():
        scenario = catalogue.find(name)
        click.echo(f"{name}: {scenario.title}")
        click.echo(f"  {scenario.hypothesis}")
        for proved in scenario.covers:
            click.echo(f"  covers {proved}")
        for parameter, field in scenario.parameters.model_fields.items():
            click.echo(f"  --{parameter.replace('_', '-')}: {field.description}")
