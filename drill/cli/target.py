"""``drill target``: write the target file, check what it names, and what its standby can carry."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from drill import target
from drill.aws import Aws
from drill.errors import UsageError
from drill.exit_codes import BREACHED, MET
from drill.target import Target

if TYPE_CHECKING:
    from drill.target_outputs import Form

FILE = Path("target.yaml")

_file = click.option(
    "--target",
    "path",
    type=click.Path(path_type=Path),
    envvar="DRILL_TARGET",
    default=FILE,
    show_default=True,
    help="The target file.",
)
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("target")
def command() -> None:
    """Write the file that says what is drilled, and check that all it names is there."""


@command.command()
@click.argument("outputs", required=False, type=click.File("r"))
@click.option(
    "--from",
    "form",
    type=click.Choice(["cloudformation", "pulumi", "terraform"]),
    help="Which tool printed OUTPUTS; seen by itself if not given.",
)
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    metavar="REGION:NAME",
    help="Read a CloudFormation stack's outputs from AWS; may be given more than once.",
)
@click.option("--endpoint", "endpoint_url", help="Where AWS answers for --stack, if not at AWS itself.")
@click.option(
    "--set", "chosen", multiple=True, metavar="KEY=VALUE", help="A key that the outputs lack or get wrong."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=FILE,
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(  # noqa: PLR0913 (one argument for each option)
    outputs: TextIO | None,
    form: "Form | None",
    stacks: tuple[str, ...],
    endpoint_url: str | None,
    chosen: tuple[str, ...],
    out: Path,
    force: bool,
) -> None:
    """Write a target file from what an infrastructure tool printed.

    OUTPUTS is a file, or - for standard input: what ``pulumi stack output --json``,
    ``terraform output -json`` or ``aws cloudformation describe-stacks`` printed. An output
    belongs to the key that it is called by: ``primary_vpc_id`` and ``PrimaryVpcId`` both
    mean ``primary.vpc_id``. ``drill target schema`` lists the keys.
    """
    from drill import target_outputs

    if (outputs is None) == (not stacks):
        msg = "give a file of outputs (- for standard input), or --stack; see: drill target init --help"
        raise UsageError(msg)
    if out.exists() and not force:
        msg = f"{out} is there already; write over it with --force, or elsewhere with --out FILE"
        raise UsageError(msg)
    by_key = dict(_pair(one) for one in chosen)
    if endpoint_url:
        by_key.setdefault("endpoint_url", endpoint_url)
    if outputs is not None:
        given = target_outputs.outputs_of(_text(outputs), form)
    else:
        given = _outputs_of_stacks(stacks, endpoint_url)
    read = target_outputs.read(given, by_key)
    target.dump(read.target, out)
    click.echo(f"wrote {out}")
    if read.unused:
        click.echo(f"not used: {', '.join(read.unused)}")
    click.echo(f"prove it with: drill target check --target {out}")


@command.command()
@_file
@_json
def check(path: Path, as_json: bool) -> int:
    """Prove that each thing that a target file names exists and is of the right kind.

    Ends with 0 if all are, else with 1.
    """
    from drill.readiness import named
    from drill.readiness.target import questions

    checked = target.load(path)
    answers = list(named.answers(list(questions(checked)), Aws.of(checked, as_operator=True)))
    wrong = [answer for answer in answers if answer.wrong]
    if as_json:
        for answer in answers:
            click.echo(json.dumps(asdict(answer)))
    else:
        for answer in answers:
            mark = click.style("wrong", fg="red") if answer.wrong else click.style("ok   ", fg="green")
            why = f": {answer.wrong}" if answer.wrong else ""
            click.echo(f"{mark} {answer.key:<38} {answer.kind} {answer.id} ({answer.region}){why}")
        click.echo(_sum(len(answers), len(wrong), path))
    return BREACHED if wrong else MET


@command.command()
@_file
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 5000),
    help="Orders a second; the primary's present load if not given.",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=10, show_default=True, help="For each region."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("load"),
    show_default=True,
    help="Folder for the observations and what was measured.",
)
@_json
def load(path: Path, rate: float | None, seconds: float, out: Path, as_json: bool) -> None:
    """Measure throughput and latency of both regions at the same load, each asked directly.

    Nothing is broken. The orders that are posted stay in the system's stores.
    """
    from drill import clock
    from drill.readiness import load as loads

    loaded = target.load(path)
    rate, whose = (rate, "as asked") if rate else _rate(loaded)
    at = clock.now().wall
    folder = out / f"{loaded.name}-{at[:19].replace(':', '')}"
    if not as_json:
        click.echo(f"{rate:.3g} orders a second ({whose}) for {seconds:g} s on each region")
    carried = loads.measure(loaded, rate, seconds, folder)
    document = {
        "target": loaded.name,
        "at": at,
        "asked_per_s": rate,
        "seconds": seconds,
        "regions": [asdict(one) for one in carried],
    }
    (folder / "load.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(document))
        return
    click.echo(f"{'':<22}{'served':>14}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'pending':>9}")
    for one in carried:
        cells = "".join(_ms(value) for value in (one.p50_s, one.p95_s, one.p99_s))
        served = f"{one.served} of {one.sent}"
        click.echo(f"{one.role + ' ' + one.region:<22}{served:>14}{one.per_s:>10.1f}{cells}{one.pending:>9}")
        if one.unsent:
            click.echo(
                f"  {one.unsent} could not be sent in time: this machine was the limit, not the region"
            )
    click.echo(f"recorded in {folder / 'load.json'}")


@command.command()
@_file
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="How often.")
def ask(path: Path, times: int) -> int:
    """Ask the service as a client does, and say which region answers.

    Resolves the name through the target's resolver and requests its health path. Ends with 0 if
    every answer was good, else with 1.
    """
    from drill.readiness.asking import ask as asked

    loaded = target.load(path)
    good = True
    for one in asked(loaded, times):
        click.echo(f"{one.region or 'nobody'} answered {one.said} in {one.total_s * 1e3:.0f} ms")
        good = good and one.good
    return MET if good else BREACHED


@command.command()
@_file
@click.option(
    "--region",
    "role",
    type=click.Choice(["primary", "standby"]),
    default="primary",
    show_default=True,
    help="Which region's functions do it.",
)
def refill(path: Path, role: str) -> None:
    """Have the service write every order of its table to its relational database again.

    For a database that was restored from a backup, or that was away for a while: it lacks what
    the table has. Safe to repeat.
    """
    from drill.readiness import refilling

    written = refilling.refill(
        target.load(path), role, again=f"drill target refill --target {path} --region {role}"
    )
    click.echo(f"the relational database has {written} orders of the table")


@command.command()
@_file
def env(path: Path) -> None:
    """Print a target file as shell variables, for the commands of the runbooks.

    Use it as ``eval "$(drill target env)"``: ``primary.vpc_id`` is then ``$PRIMARY_VPC_ID``.
    """
    for name, value in target.variables(target.load(path)).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@command.command()
def schema() -> None:
    """Print the JSON Schema of the target file, for editors."""
    click.echo(json.dumps(target.json_schema(), indent=2))


def _text(outputs: TextIO) -> str:
    try:
        return outputs.read()
    except UnicodeDecodeError as problem:
        msg = f"the outputs are not text ({problem.reason}); write them with: terraform output -json"
        raise UsageError(msg) from problem


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        msg = f"--set {text}: write it as KEY=VALUE, for example --set primary.vpc_id=vpc-1"
        raise UsageError(msg)
    return key, value


def _outputs_of_stacks(stacks: tuple[str, ...], endpoint_url: str | None) -> "dict[str, str]":
    from drill import stack_outputs

    places = []
    for text in stacks:
        region, colon, name = text.partition(":")
        if not colon:
            msg = f"--stack {text}: write it as REGION:NAME, for example --stack us-east-1:orders"
            raise UsageError(msg)
        places.append((region, name))
    return stack_outputs.read(places, Aws(endpoint_url, timeout_s=10))


def _rate(loaded: Target) -> tuple[float, str]:
    from drill.readiness import load as loads

    present = loads.present_rate(loaded, Aws.of(loaded, as_operator=True))
    if present >= 0.1:
        return present, "the primary's present load"
    return 1 / loaded.timing.write_interval_s, "the primary has no load; this is the rate of a drill's writer"


def _sum(asked: int, wrong: int, path: Path) -> str:
    if wrong:
        return f"{wrong} of {asked} are wrong; mend {path} or the system, then check it again"
    return f"all {asked} are there; see what a drill would do: drill plan region-outage --target {path}"


def _ms(seconds: float | None) -> str:
    return f"{'-':>9}" if seconds is None else f"{seconds * 1e3:>9.1f}"
