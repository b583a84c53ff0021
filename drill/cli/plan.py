"""``drill plan``: what a drill would touch, and with ``--check`` whether it may begin."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from drill import plan, target
from drill.cli import options
from drill.errors import UsageError
from drill.exit_codes import MET, REFUSED
from drill.plan import Plan, PlannedStep
from drill.scenario import Scenario


@click.command()
@options.target_file
@options.objectives
@options.runs_folder
@options.confirm
@options.stop_when
@click.option("--check", is_flag=True, help="Ask every guard if it may begin; ends with 4 if one refuses.")
@click.option("--json", "as_json", is_flag=True, help="The plan, or what the guards said, as JSON.")
def _one(  # noqa: PLR0913 (one argument for each option)
    scenario: Scenario[Any],
    target_path: Path | None,
    rto: float | None,
    rpo: float | None,
    rpo_writes: int | None,
    root: Path,
    confirm: str,
    stop_when: tuple[str, ...],
    check: bool,
    as_json: bool,
    **typed: Any,  # noqa: ANN401 (the scenario's own options)
) -> int:
    if target_path is None:
        msg = "a plan needs a target file: --target FILE; make one with: drill lab up"
        raise UsageError(msg)
    params = options.parameters(scenario, typed)
    chosen = plan.with_objectives(
        target.load(target_path), scenario.name, options.wanted(rto, rpo, rpo_writes)
    )
    the_plan = plan.make(scenario, params, plan.with_stops(chosen, stop_when))
    if check and as_json:
        return _checked(the_plan, root, confirm, as_json=True)
    click.echo(plan.as_json(the_plan) if as_json else _page(the_plan))
    return _checked(the_plan, root, confirm, as_json=False) if check else MET


def _checked(the_plan: Plan, root: Path, confirm: str, *, as_json: bool) -> int:
    """Ask the guards, tell what they said, and return the exit code."""
    from drill import guard
    from drill.aws import Aws
    from drill.cli import bounds

    every = guard.evaluate(guard.Asked(the_plan, root, confirm), Aws.of(the_plan.target))
    refused = [one for one in every if one.state != "ok"]
    if as_json:
        click.echo(json.dumps({"may_begin": not refused, "guards": [asdict(one) for one in every]}, indent=1))
    else:
        click.echo("\n".join(["", "Guards:", *bounds.told(every)]))
        left = f"{len(refused)} of {len(every)} guards refuse it" if refused else "it may begin"
        click.echo(f"Checked just now: {left}. Nothing was touched.")
    return REFUSED if refused else MET


def _page(the_plan: Plan) -> str:
    from drill.cli import bounds

    least_s, most_s = the_plan.expected_s
    lines = [f"{the_plan.title} ({the_plan.scenario}) on {the_plan.target.name}", "", "Will change:"]
    lines += _steps(the_plan.steps) or ["  nothing: it only follows the recovery procedure"]
    if the_plan.recovery:
        lines += ["", "Then follows the recovery procedure, and undoes that too:", *_steps(the_plan.recovery)]
    lines += ["", "AWS calls:"]
    calls = {(call.service, call.action, call.when) for step in the_plan.every_step for call in step.calls}
    lines += [f"  {service}:{action} ({when})" for service, action, when in sorted(calls)]
    lines += ["", "Will watch:"]
    lines += [f"  {probe.name}: {probe.kind} every {probe.interval_s:g} s" for probe in the_plan.probes]
    lines += ["", "Wants:"]
    lines += [
        f"  {wanted.name}: {wanted.measurement} {wanted.part} at most {wanted.limit:g} {wanted.unit}"
        for wanted in the_plan.objectives
    ] or ["  nothing; the drill will only measure"]
    lines += ["", "Bounds:", *bounds.lines(the_plan.target)]
    lines += ["", f"Takes {least_s:g} s at least; gives up after {most_s:g} s. Nothing was touched."]
    lines += [f"Note: {note}" for note in the_plan.notes]
    return "\n".join(lines)


def _steps(steps: Sequence[PlannedStep]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(f"  {step.name}: {step.description}")
        lines += [f"    {touched.kind} {touched.id} ({touched.region})" for touched in step.touches]
        lines += [f"    known after: {needed}" for needed in step.needs]
        lines.append(f"    if nobody is left to undo it: {step.dead_man}")
    return lines


command = options.ScenarioGroup(
    _one, name="plan", help="Show what a drill would touch; nothing is touched.", no_args_is_help=True
)
