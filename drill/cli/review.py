"""``drill review``: the application in which reports are read, compared and signed off."""

from pathlib import Path

import click

from drill.cli import options


@click.group("review", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Read, compare, dispute and sign off reports, in a browser."""


@command.command("keys")
@options.keys_folder
def shown(keys: Path | None) -> None:
    """Show where the keys are that sign reviews, and which."""
    from reports.review import keys as signing

    folder = keys or signing.default_folder()
    click.echo(f"{folder}: {', '.join(signing.ring(folder).ids) or 'no key yet; drill review makes one'}")


@command.command("rotate")
@options.keys_folder
def rotated(keys: Path | None) -> None:
    """Make a new key, which signs from now on; what the old one signed stays provable."""
    from reports.review import keys as signing

    made = signing.rotate(keys or signing.default_folder())
    click.echo(f"{made.folder}: key {made.key} signs from now on")
