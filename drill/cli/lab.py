"""``drill lab``: the cloud on loopback."""

from pathlib import Path

import click

from drill.cli.system import session_room

STATE = Path(".drill/lab")
_state = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=STATE,
    show_default=True,
    help="Folder of the lab's state and target file.",
)


@click.group("lab")
def command() -> None:
    """Start, show or stop an AWS-compatible cloud on loopback that really runs and really fails."""


@command.command()
@_state
@click.option("--profile", default="fast", show_default=True, help="Time scale: fast or aws.")
@click.option(
    "--port", type=click.IntRange(1024, 65535), help="Port of the AWS API; a free one if not given."
)
@click.option(
    "--hours", type=click.FloatRange(0.1, 72), default=8, show_default=True, help="It ends by itself."
)
@click.option("--empty", is_flag=True, help="Deploy nothing on it; only write the system file for it.")
def up(state: Path, profile: str, port: int | None, hours: float, empty: bool) -> None:
    """Start a lab, deploy the system on it and write its target file."""
    session = session_room()
    if empty:
        session.start(state, profile, port, hours * 3600)
        click.echo(f"deploy on it with: drill infra deploy --config {state / session.SYSTEM} --yes")
        return
    session.up(state, profile, port, hours * 3600, click.echo)
    click.echo(f"drill it with: drill run region-outage --target {state / session.TARGET}")


@command.command()
@_state
def status(state: Path) -> None:
    """Show whether the lab is up, where its parts are, and their state."""
    session = session_room()
    for line in session.status(state):
        click.echo(line)


@command.command()
@_state
def down(state: Path) -> None:
    """Stop the lab and delete its state."""
    session = session_room()
    session.down(state)
    click.echo("the lab is down")
