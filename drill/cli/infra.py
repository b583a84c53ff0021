"""``drill infra``: the drilled system itself, on AWS or on the lab."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill.errors import DrillError, UsageError
from infra.commands import FILE, typed

if TYPE_CHECKING:
    from infra.deploy_preview import Preview
    from infra.deploy_status import StackStatus

_config = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=FILE,
    show_default=True,
    help="The system file.",
)
_yes = click.option("--yes", is_flag=True, help="Ask nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("infra")
def command() -> None:
    """Deploy, show, price and destroy the system that is drilled."""


@command.command()
@click.argument("path", metavar="[FILE]", default=FILE, type=click.Path(dir_okay=False, path_type=Path))
def init(path: Path) -> None:
    """Write an example of the system file that explains every key."""
    from infra import deploy_config

    try:
        deploy_config.write_example(path)
    except FileExistsError:
        other = path.with_stem(f"{path.stem}-new")
        msg = f"{path} is there already and was not touched; write another with: drill infra init {other}"
        raise UsageError(msg) from None
    click.echo(f"wrote {path}; change it, then see what it would do: {typed('deploy', path, '--plan-only')}")


@command.command()
@_config
@_yes
@click.option("--plan-only", is_flag=True, help="Only show what would be done.")
@click.option("--replace-data", metavar="NAME", help="The system's name: what keeps data may be replaced.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the target file goes; target.yaml beside the system file if not given.",
)
def deploy(path: Path, yes: bool, plan_only: bool, replace_data: str | None, out: Path | None) -> None:
    """Create or change the system's stacks, and write the target file.

    What would be created, changed, replaced or removed is shown first. After a failure the same
    command goes on.
    """
    from drill import target
    from infra import deploy as deploying
    from infra import deploy_account, deploy_config
    from infra.stack_events import Watch

    config = deploy_config.load(path)
    client_of = deploy_account.clients(config)
    watch = Watch(click.echo, path)
    again = typed("deploy", path)
    with _told(again):
        if plan_only:
            _show(deploying.preview(client_of, config, watch=watch))
            return
        _demand_answers(yes, again)
        out = out or path.with_name("target.yaml")
        _demand_writable(out, again)
        approve = _approval(config.name, yes, replace_data, path)
        deployed = deploying.deploy(client_of, config, watch=watch, approve=approve)
    target.dump(deployed, out)
    if config.endpoint_url is None:
        zone = deployed.dns.hosted_zone_id
        click.echo(f"delegate {config.domain} to the zone's servers: aws route53 get-hosted-zone --id {zone}")
    click.echo(f"{config.name} is deployed in {' and '.join(config.regions)}; target file {out}")
    click.echo(f"check it with: drill target check --target {shlex.quote(str(out))}")


@command.command()
@_config
def status(path: Path) -> int:
    """Show every stack with its state; ends with 1 if one is missing or not complete."""
    from drill.exit_codes import BREACHED, MET
    from infra import deploy_account, deploy_config, deploy_status

    config = deploy_config.load(path)
    with _told(typed("status", path)):
        client_of = deploy_account.clients(config)
        deploy_account.account_of(client_of, config)
        found = deploy_status.statuses(client_of, config)
    for line in _table([("region", "stack", "state", "last change"), *(_row(each) for each in found)]):
        click.echo(line)
    for each in found:
        if each.rolled_back:
            plan = typed("deploy", path, "--plan-only")
            click.echo(
                f"{each.name} in {each.region} is as it was before its last change, which failed and was "
                f"undone; see what deploying would change: {plan}"
            )
    complete = sum(each.complete for each in found)
    if complete == len(found):
        click.echo(f"all {complete} stacks are complete")
        return MET
    click.echo(f"{complete} of {len(found)} stacks are complete; go on with: {typed('deploy', path)}")
    return BREACHED


@command.command()
@_config
@_json
def outputs(path: Path, as_json: bool) -> None:
    """Show what the stacks gave: ids, names and addresses."""
    from infra import deploy_account, deploy_config, deploy_status

    config = deploy_config.load(path)
    with _told(typed("outputs", path)):
        client_of = deploy_account.clients(config)
        deploy_account.account_of(client_of, config)
        given = deploy_status.outputs(deploy_status.statuses(client_of, config))
    if not given and not as_json:
        click.echo(f"{config.name} is not deployed; deploy it with: {typed('deploy', path)}")
    if as_json:
        click.echo(json.dumps(given, indent=1))
        return
    for region, stacks in given.items():
        for stack, values in stacks.items():
            for key, value in values.items():
                click.echo(f"{region}  {stack}  {key}  {value}")


@command.command()
@_config
@_yes
@click.option("--delete-data", metavar="NAME", help="The system's name: what keeps data goes too, for good.")
def destroy(path: Path, yes: bool, delete_data: str | None) -> None:
    """Delete the system's stacks, the last made first.

    What keeps data stays, and is named, unless --delete-data says the system's name. After a
    failure the same command goes on.
    """
    from infra import deploy_account, deploy_config
    from infra import destroy as destroying
    from infra.deploy_preview import Place
    from infra.stack_events import Watch

    config = deploy_config.load(path)
    again = typed("destroy", path, *(["--delete-data", delete_data] if delete_data else []))
    with _told(again):
        client_of = deploy_account.clients(config)
        asks = not (yes or config.disposable or delete_data)
        if asks:
            _demand_answers(yes, again)
        place = Place(deploy_account.account_of(client_of, config), config.regions)
        if asks and not click.confirm(f"delete {config.name} in {place}?"):
            msg = f"nothing was touched; delete it with: {again}"
            raise UsageError(msg)
        if not asks:
            click.echo(f"deletes {config.name} in {place}")
        destroying.destroy(client_of, config, delete_data, Watch(click.echo, path))
    click.echo(f"{config.name} is gone from {' and '.join(config.regions)}")
    if not delete_data:
        click.echo(
            f"delete what stays, for good, with: {typed('destroy', path, '--delete-data', config.name)}"
        )


@command.command()
@_config
@_json
def cost(path: Path, as_json: bool) -> None:
    """Estimate what the system costs in a month, and a drill of it; AWS is not asked."""
    from drill.cli import infra_cost

    infra_cost.show(path, as_json, typed("cost", path))


def _approval(name: str, yes: bool, replace_data: str | None, path: Path) -> "Callable[[Preview], None]":
    """Return what shows a preview and raises unless somebody agrees to it."""

    def approve(preview: "Preview") -> None:
        _show(preview)
        if preview.empty:
            return
        if preview.losses and replace_data != name:
            meant = typed("deploy", path, "--replace-data", name)
            raise _refusal(
                preview, "what keeps data would be replaced or removed", f"if that is meant: {meant}"
            )
        if not yes and not click.confirm("deploy this?"):
            raise _refusal(preview, "this was not agreed to", f"go on with: {typed('deploy', path)}")

    return approve


def _refusal(preview: "Preview", why: str, then: str) -> DrillError:
    """Return the error that says how much was touched before somebody said no."""
    if preview.begun:
        return DrillError(f"{why}, and it was not touched, but the stacks before it were changed; {then}")
    return UsageError(f"{why}, and nothing was touched; {then}")


def _show(preview: "Preview") -> None:
    for line in preview.lines():
        click.echo(line)


def _demand_writable(out: Path, again: str) -> None:
    """Refuse to begin where the target file could not be written at the end."""
    was_there = out.exists()
    try:
        out.open("a").close()
    except OSError as problem:
        msg = (
            f"target file {out} can't be written: {problem.strerror}; nothing was touched; "
            f"write it elsewhere with: {again} --out FILE"
        )
        raise UsageError(msg) from problem
    if not was_there:
        out.unlink()


def _demand_answers(yes: bool, again: str) -> None:
    """Refuse to begin where nobody can be asked."""
    if not yes and not sys.stdin.isatty():
        msg = f"nobody can be asked here, so nothing was touched; go ahead with: {again} --yes"
        raise UsageError(msg)


@contextmanager
def _told(again: str) -> Iterator[None]:
    """Say how to go on, whatever ends the block before its time."""
    from infra import aws_failures

    try:
        with aws_failures.told(again):
            yield
    except KeyboardInterrupt:
        click.echo(f"interrupted; CloudFormation finishes what it began; go on with: {again}", err=True)
        raise


def _row(each: "StackStatus") -> tuple[str, str, str, str]:
    if each.state is None:
        return each.region, each.name, "missing", ""
    return each.region, each.name, each.state.status, f"{each.state.changed_at:%Y-%m-%d %H:%M:%S} UTC"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
