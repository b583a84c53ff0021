"""``drill audit``: what is wrong with a deployed system, before the day it matters."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill import target
from drill.cli import options
from drill.cli.target import FILE
from drill.errors import UsageError

if TYPE_CHECKING:
    from drill.audit.judge import Audited
    from drill.audit.system import System
    from drill.target import Target


@click.command("audit")
@click.option(
    "--target",
    "path",
    type=click.Path(path_type=Path),
    envvar="DRILL_TARGET",
    default=FILE,
    show_default=True,
    help="The target file.",
)
@click.option("--only", multiple=True, metavar="DR05,…", help="These checks and no others.")
@click.option(
    "--active", is_flag=True, help="Also write and read back: an order in each region, which stays."
)
@options.runs_folder
@click.option(
    "--drilled-within",
    "drilled_within_days",
    type=click.FloatRange(0, 3650),
    default=90,
    show_default=True,
    metavar="DAYS",
    help="How old the newest drill of each scenario may be.",
)
@click.option(
    "--limit",
    "limit_s",
    type=click.FloatRange(1, 3600),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="When the rest is given up and listed as not evaluated.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--junit", "as_junit", is_flag=True, help="As JUnit XML: one test for each check.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a page that opens in a browser.",
)
@click.option("--list", "listing", is_flag=True, help="List the checks; nothing is asked.")
@click.option("--explain", is_flag=True, help="Explain every check, as Markdown; nothing is asked.")
def command(  # noqa: PLR0913 (one argument for each option)
    path: Path,
    only: tuple[str, ...],
    active: bool,
    root: Path,
    drilled_within_days: float,
    limit_s: float,
    as_json: bool,
    as_junit: bool,
    page: Path | None,
    listing: bool,
    explain: bool,
) -> int:
    """Find what would fail on the day it matters, in a deployed system.

    It reads, and only reads, unless --active is given. Ends with 0 if nothing was found, with 1 if
    something was, and with 2 if anything could not be looked at, whatever else was found.
    """
    from drill.audit import catalogue, forms, runner

    if as_json and as_junit:
        msg = "give --json or --junit, not both; see: drill audit --help"
        raise UsageError(msg)
    checks = catalogue.chosen(catalogue.split(only))
    if listing or explain:
        click.echo(forms.explained(checks) if explain else forms.listed(checks), nl=False)
        return 0
    loaded = target.load(path)
    system = _system(loaded, root, drilled_within_days)
    audited = runner.run(checks, system, limit_s, active=active)
    if as_json:
        click.echo(forms.as_json(loaded, audited))
    elif as_junit:
        click.echo(forms.as_junit(loaded, checks, audited))
    else:
        _tell(audited, path)
    if page is not None:
        _write(page, loaded, audited)
        click.echo(f"page: {page.resolve().as_uri()}", err=as_json or as_junit)
    return audited.exit_code


def _system(loaded: "Target", root: Path, drilled_within_days: float) -> "System":
    from drill import clock
    from drill.audit.reads import Reads
    from drill.audit.system import System
    from drill.aws import Aws

    # Twice is enough: what does not answer then is listed.
    aws = Aws.of(loaded, attempts=2, as_operator=True)
    at = datetime.fromisoformat(clock.now().wall)
    return System(loaded, Reads(aws), at, root, drilled_within_days)


def _tell(audited: "Audited", path: Path) -> None:
    colours = {"critical": "red", "warning": "yellow", "note": "cyan"}
    for one in audited.roots:
        severity = click.style(f"{one.severity.value:<8}", fg=colours[one.severity.value])
        click.echo(f"{one.check} {severity} {one.title}: {one.what}")
        click.echo(f"     where: {one.where}")
        click.echo(f"     mend:  {one.mend}")
    if audited.consequences:
        click.echo("what follows from these:")
    for one in audited.consequences:
        click.echo(f"{one.check} {one.where}: {one.what} (follows from {', '.join(one.caused_by)})")
    if audited.unevaluated:
        click.echo("not evaluated:")
    for missed in audited.unevaluated:
        click.echo(f"{missed.check} {missed.where}: {missed.why}")
    click.echo(_sum(audited, path))


def _sum(audited: "Audited", path: Path) -> str:
    asked = f"{len(audited.checks)} checks"
    if audited.unevaluated:
        return (
            f"{asked}: {len(audited.roots)} failures found, {len(audited.unevaluated)} parts NOT evaluated; "
            f"mend what kept them from it, then: drill audit --target {path}"
        )
    if audited.findings:
        return (
            f"{asked}: {len(audited.roots)} failures found, {len(audited.consequences)} consequences; "
            "what each means: drill audit --explain"
        )
    return f"{asked}: nothing found; prove it with: drill run region-outage --target {path}"


def _write(page: Path, loaded: "Target", audited: "Audited") -> None:
    from drill import clock
    from reports import audit
    from reports.wording import wall_time

    missed = [(one.check, one.where, one.why) for one in audited.unevaluated]
    at = wall_time(clock.now().wall)
    shown = audit.page(loaded, audited.findings, missed, len(audited.checks), at)
    try:
        page.write_text(audit.render(shown), encoding="utf-8")
    except OSError as problem:
        msg = f"page {page} can't be written: {problem.strerror}; write it elsewhere with: --html FILE"
        raise UsageError(msg) from problem
