"""``drill iam-policy``: the least policy that a drill needs."""

import json
from pathlib import Path
from typing import Any

import click

from drill import plan, target
from drill.cli import options
from drill.errors import UsageError
from drill.scenario import Scenario


@click.command()
@options.target_file
def _one(
    scenario: Scenario[Any],
    target_path: Path | None,
    **typed: Any,  # noqa: ANN401 (the scenario's own options)
) -> None:
    from drill import permissions

    if target_path is None:
        msg = "a policy needs a target file: --target FILE; make one with: drill lab up"
        raise UsageError(msg)
    params = options.parameters(scenario, typed)
    the_plan = plan.make(scenario, params, target.load(target_path))
    documents = permissions.policies(permissions.statements(the_plan))
    # One policy as IAM takes it; a list where IAM does not take so long a one.
    click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))


command = options.ScenarioGroup(
    _one,
    name="iam-policy",
    help="Print the least IAM policy that a drill needs; nothing is touched.",
    no_args_is_help=True,
)
