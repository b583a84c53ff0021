"""``drill run``: from plan to report."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from drill import catalogue, plan, runs, target
from drill.cli import keys, options
from drill.cli.progress import for_terminal
from drill.cli.system import drilled, permit
from drill.errors import DrillError
from drill.exit_codes import ROLLBACK_INCOMPLETE
from drill.plan import Plan
from drill.record import Record
from drill.scenario import Scenario


@click.command()
@options.target_file
@options.runs_folder
@options.profile
@options.objectives
@options.confirm
@options.stop_when
@click.option(
    "--unchecked-permissions",
    is_flag=True,
    help="Drill though nobody can tell whether all of it is permitted; the report says so.",
)
@click.option(
    "--audit/--no-audit",
    "audited",
    envvar="DRILL_AUDIT",
    default=True,
    show_default=True,
    help="Look first at what the system lacks; the report tells it beside what it explains.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
@click.option("--run-id", default="", hidden=True, help="The run's id, for whoever must know it before.")
def _one(  # noqa: PLR0913 (one argument for each option)
    scenario: Scenario[Any],
    target_path: Path | None,
    root: Path,
    profile: str,
    confirm: str,
    stop_when: tuple[str, ...],
    unchecked_permissions: bool,
    audited: bool,
    as_json: bool,
    run_id: str,
    **typed: Any,  # noqa: ANN401 (the scenario's own options)
) -> int:
    params = options.parameters(scenario, typed)
    asked = options.wanted(typed)
    plan.stops_of(stop_when)  # what was typed wrong is said before a lab is started
    # Imported here: engine, boto3 and rich are not needed to print a help text.
    from drill import engine
    from drill.audit import before
    from drill.aws import Aws
    from drill.order import Order
    from reports.render import write

    with ExitStack() as stack:
        progress = stack.enter_context(for_terminal(as_json=as_json))
        chosen: target.Target = stack.enter_context(drilled(target_path, profile, root, progress))
        chosen = plan.with_stops(plan.with_objectives(chosen, scenario.name, asked), stop_when)
        the_plan = plan.make(scenario, params, chosen)
        the_plan = _permitted(the_plan, own_lab=target_path is None, unchecked=unchecked_permissions)
        seen = before.look(chosen, root, progress) if audited else None
        who, typed_in = options.operator(), options.typed_command()
        order = Order(scenario, params, the_plan, root, confirm, who, typed_in, audit=seen, run_id=run_id)
        with keys.heard(order.operator, progress) as stop:
            finished = engine.run(order, Aws.of(chosen), progress, stop)
        # A lab stays up for as long as something is to be undone; whatever happens to the report,
        # that something is still broken is what the exit code says.
        try:
            try:
                report = write(root / finished.run_id)
            except DrillError as problem:
                # Nobody has had a page of it yet: one without pictures is better than none.
                report = write(root / finished.run_id, str(problem))
            _tell(finished, root, report, as_json=as_json)
        except Exception:
            if finished.exit_code == ROLLBACK_INCOMPLETE:
                return ROLLBACK_INCOMPLETE
            raise
    return finished.exit_code


def _permitted(the_plan: Plan, *, own_lab: bool, unchecked: bool) -> Plan:
    """Return the plan with what is known of its permissions; a lab of its own lets it do what it needs."""
    from drill import permissions

    if unchecked:
        return permissions.unchecked(the_plan)
    if own_lab and not catalogue.is_own(the_plan.scenario):
        permit(the_plan)  # the lab's own role knows only the scenarios that come along
    return the_plan


def _tell(finished: Record, root: Path, report: Path, *, as_json: bool) -> None:
    if as_json:
        line = {
            "event": "finished",
            "run_id": finished.run_id,
            "outcome": str(finished.outcome),
            "exit_code": finished.exit_code,
            "reason": finished.reason,
            "record": str(root / finished.run_id / runs.RECORD),
            "report": str(report),
        }
        click.echo(json.dumps(line))
        return
    click.echo(f"{str(finished.outcome).upper()}: {finished.reason}")
    if not finished.rolled_back:
        click.echo(
            f"NOT everything was put back; try again with: {runs.rollback_command(root / finished.run_id)}"
        )
    click.echo(f"report: {report.resolve().as_uri()}")


command = options.ScenarioGroup(
    _one, name="run", help="Run a drill: break, measure, put back, report.", no_args_is_help=True
)
