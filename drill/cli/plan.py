"""``drill plan``: what a drill would touch, and with ``--check`` whether it may begin."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from drill import plan, target
from drill.cli import options
from drill.errors import UsageError
from drill.exit_codes import MET, REFUSED
from drill.plan import Plan
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
    from drill.cli import plan_page

    click.echo(_document(the_plan) if as_json else plan_page.page(the_plan))
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


def _document(the_plan: Plan) -> str:
    """Return a plan as JSON, with what only a page says otherwise."""
    from drill import permissions
    from drill.cli import plan_page, prices

    more = {
        "expected_s": list(the_plan.expected_s),
        "untouched": [asdict(one) for one in plan_page.untouched(the_plan)],
        "permissions": [one.document() for one in permissions.statements(the_plan)],
        "billed": prices.document(the_plan),
    }
    return json.dumps({**json.loads(plan.as_json(the_plan)), **more}, indent=1)


command = options.ScenarioGroup(
    _one, name="plan", help="Show what a drill would touch; nothing is touched.", no_args_is_help=True
)
