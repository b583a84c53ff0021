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


@click.command("audit")
@options.target_file
def _audit(target_path: Path | None) -> None:
    """Print the policy that ``drill audit`` needs: it reads, in both regions."""
    from drill.audit import catalogue, needs

    # The calls are the same for every system; a file that is named must be right all the same.
    if target_path is not None:
        target.load(target_path)
    click.echo(json.dumps(needs.policy(catalogue.every()), indent=2))


class _Policies(options.ScenarioGroup):
    """The scenarios, and the audit."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "audit"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _audit if cmd_name == "audit" else super().get_command(ctx, cmd_name)


command = _Policies(
    _one,
    name="iam-policy",
    help="Print the least IAM policy that a drill needs; nothing is touched.",
    no_args_is_help=True,
)
