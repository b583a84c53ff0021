"""``drill review``: the application in which reports are read, compared and signed off."""

from importlib import import_module
from ipaddress import ip_address
from pathlib import Path

import click

from drill.cli import options
from drill.cli.gameday_options import days_folder, store
from drill.cli.gameday_people import answering
from drill.errors import UsageError


@click.group("review", invoke_without_command=True)
@options.runs_folder
@options.keys_folder
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8017, show_default=True, help="0: any free one."
)
@click.option(
    "--address", default="127.0.0.1", show_default=True, help="An address of this machine's loopback."
)
@click.option(
    "--user-header", default="", metavar="NAME", help="Behind a proxy: the header with the person's name."
)
@click.option(
    "--role-header", default="", metavar="NAME", help="The header with the role: viewer or reviewer."
)
@click.option(
    "--due-days", type=click.IntRange(1), default=7, show_default=True, help="Then a review is overdue."
)
@days_folder
@store
@click.pass_context
def command(  # noqa: PLR0913 (an option each)
    context: click.Context,
    root: Path,
    keys: Path | None,
    port: int,
    address: str,
    user_header: str,
    role_header: str,
    due_days: int,
    days_root: Path,
    store: str,
) -> None:
    """Read, compare, dispute and sign off reports, and answer game days that wait, in a browser.

    Serves the folder of runs on this machine's loopback, to the user who started it. For several
    people put a proxy before it that authenticates them and sets both headers on every request.
    """
    if context.invoked_subcommand:
        return
    _check(address, user_header, role_header)
    if not root.is_dir():
        msg = f"there is no folder of runs at {root}; make a run with: drill run region-outage"
        raise UsageError(msg)
    for module in ("flask", "flask_wtf", "waitress"):
        _need(module)
    from reports.review import keys as signing
    from reports.review.access import Access
    from reports.review.app import Settings
    from reports.review.days import GameDays
    from reports.review.serve import serve

    signer = signing.signer(keys or signing.default_folder(), root)
    hosts = () if user_header else (address, "localhost")
    serve(
        Settings(
            root,
            signer,
            Access(user_header, role_header),
            hosts,
            due_days,
            not user_header,
            GameDays(days_root, answering(days_root, store)),
        ),
        (address, port),
        click.echo,
    )


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


def _check(address: str, user_header: str, role_header: str) -> None:
    """Refuse what would let people in whom nobody authenticated.

    Raises:
        UsageError: The address is not loopback, or only one of the headers is named.

    """
    try:
        loopback = ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        msg = (
            f"{address} is not of the loopback; put a proxy that authenticates before it, see: docs/review.md"
        )
        raise UsageError(msg)
    if bool(user_header) != bool(role_header):
        msg = "a proxy must name the person and the role: give both --user-header and --role-header"
        raise UsageError(msg)


def _need(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as problem:
        msg = (
            f"the review needs {problem.name}, which is missing; install it with: pip install 'drill[review]'"
        )
        raise UsageError(msg) from problem
