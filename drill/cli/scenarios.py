"""``drill scenarios``: what can be run, what one of them does, and how a new one begins."""

from pathlib import Path

import click

from drill import catalogue


@click.group("scenarios", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the scenarios that are installed, show what one does, or begin a new one."""
    if context.invoked_subcommand is None:
        _list()


@command.command("list")
def every() -> None:
    """List the scenarios that are installed, with what each proves."""
    _list()


@command.command()
@click.argument("name")
@click.option(
    "--target",
    "target_path",
    type=click.Path(path_type=Path),
    envvar="DRILL_TARGET",
    help="Show besides what it would do to this target, with the scenario's defaults.",
)
def show(name: str, target_path: Path | None) -> None:
    """Show what a scenario breaks, proves, needs and measures; nothing is touched.

    What only a target tells (resources, durations, cost) is shown with ``--target``.
    """
    from drill.cli import plan_page, scenario_page
    from drill.testing.made_up import made_up_target

    scenario = catalogue.find(name)
    for line in scenario_page.page(scenario, made_up_target()):
        click.echo(line)
    if target_path is None:
        said = "which resources, how long, what it costs"
        click.echo(f"With a target ({said}): drill scenarios show {name} --target FILE")
        return
    from drill import plan, target

    click.echo()
    click.echo(plan_page.page(plan.make(scenario, scenario.parameters(), target.load(target_path))))


@command.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The new folder; by default one of the scenario's name, here.",
)
def new(name: str, out: Path | None) -> None:
    """Write a plugin package with a scenario, a fault and their tests, to begin with.

    The scenario is a no-op for the drilled system: it adds a name to its zone that nobody asks for.
    It runs as it is, and passes the conformance suite. docs/writing-a-scenario.md goes on from there.
    """
    from drill.cli import plugin

    folder = plugin.write(name, out or Path(name))
    click.echo(f"written to {folder}; install it with: pip install -e '{folder}[test]'")
    click.echo(f"then: drill run {name}")


def _list() -> None:
    for name in catalogue.names():
        scenario = catalogue.find(name)
        click.echo(f"{name}: {scenario.title}")
        click.echo(f"  {scenario.hypothesis}")
        for proved in scenario.covers:
            click.echo(f"  covers {proved}")
        for parameter, field in scenario.parameters.model_fields.items():
            click.echo(f"  --{parameter.replace('_', '-')}: {field.description}")
