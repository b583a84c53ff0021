"""``drill plan``: what a drill would touch."""

from pathlib import Path
from typing import Any

import click

from drill import plan, target
from drill.cli import options
from drill.errors import UsageError
from drill.plan import Plan
from drill.scenario import Scenario


@click.command()
@options.target_file
@options.objectives
@click.option("--json", "as_json", is_flag=True, help="The whole plan as JSON.")
def _one(  # noqa: PLR0913 (one argument for each option)
    scenario: Scenario[Any],
    target_path: Path | None,
    rto: float | None,
    rpo: float | None,
    rpo_writes: int | None,
    as_json: bool,
    **typed: Any,  # noqa: ANN401 (the scenario's own options)
) -> None:
    if target_path is None:
        msg = "a plan needs a target file: --target FILE; make one with: drill lab up"
        raise UsageError(msg)
    params = options.parameters(scenario, typed)
    chosen = plan.with_objectives(
        target.load(target_path), scenario.name, options.wanted(rto, rpo, rpo_writes)
    )
    the_plan = plan.make(scenario, params, chosen)
    click.echo(plan.as_json(the_plan) if as_json else _page(the_plan))


def _page(the_plan: Plan) -> str:
    least_s, most_s = the_plan.expected_s
    lines = [f"{the_plan.title} ({the_plan.scenario}) on {the_plan.target.name}", "", "Will change:"]
    for step in the_plan.steps:
        lines.append(f"  {step.name}: {step.description}")
        lines += [f"    {touched.kind} {touched.id} ({touched.region})" for touched in step.touches]
    lines += ["", "AWS calls:"]
    calls = {(call.service, call.action, call.when) for step in the_plan.steps for call in step.calls}
    lines += [f"  {service}:{action} ({when})" for service, action, when in sorted(calls)]
    lines += ["", "Will watch:"]
    lines += [f"  {probe.name}: {probe.kind} every {probe.interval_s:g} s" for probe in the_plan.probes]
    lines += ["", "Wants:"]
    lines += [
        f"  {wanted.name}: {wanted.measurement} {wanted.part} at most {wanted.limit:g} {wanted.unit}"
        for wanted in the_plan.objectives
    ] or ["  nothing; the drill will only measure"]
    lines += ["", f"Takes {least_s:g} s at least; gives up after {most_s:g} s. Nothing was touched."]
    lines += [f"Note: {note}" for note in the_plan.notes]
    return "\n".join(lines)


command = options.ScenarioGroup(
    _one, name="plan", help="Show what a drill would touch; nothing is touched.", no_args_is_help=True
)
