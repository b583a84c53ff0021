"""Options that commands share, and a scenario's parameters as options."""

import getpass
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from drill import catalogue, runs
from drill.errors import UsageError
from drill.scenario import Params, Scenario
from drill.target import Objectives, objective_option

runs_folder = click.option(
    "--runs",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=runs.DEFAULT,
    show_default=True,
    help="Folder of all runs.",
)
keys_folder = click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the keys that sign reviews; outside the folder of runs.",
)
target_file = click.option(
    "--target",
    "target_path",
    type=click.Path(path_type=Path),
    envvar="DRILL_TARGET",
    help="What to drill. Without it a lab is started for this drill and stopped afterwards.",
)
confirm = click.option(
    "--confirm", default="", metavar="NAME", help="The target's name, where it is not disposable."
)
stop_when = click.option(
    "--stop-when",
    multiple=True,
    metavar="TEXT",
    help="Stop and put back when this holds: clients bad > 50% for 10s. May be given several times.",
)
profile = click.option(
    "--profile",
    default="fast",
    show_default=True,
    help="Time scale of the lab that is started: fast or aws.",
)


_OBJECTIVES = {
    "rto_s": (float, "Wanted recovery time, seconds."),
    "rpo_s": (float, "Wanted recovery point, seconds."),
    "rpo_writes": (int, "Acknowledged writes that may be lost at cutover."),
    "alert_s": (float, "Wanted time until somebody is told, seconds."),
    "failed_share": (float, "Share of orders that may fail after retries, 0 to 1."),
    "cold_starts": (int, "Answers that may meet a cold function in the standby."),
}


def objectives(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the objectives as options; what is given wins over the target file."""
    for name, (kind, text) in reversed(_OBJECTIVES.items()):
        command = click.option(objective_option(name), name, type=kind, help=text)(command)
    return command


def wanted(typed: dict[str, Any]) -> Objectives:
    """Build the objectives from their options and take them out of ``typed``.

    Raises:
        UsageError: One is out of range.

    """
    given = {name: typed.pop(name) for name in _OBJECTIVES}
    try:
        return Objectives(**given)
    except ValidationError as problem:
        raise UsageError(_first(problem, "objective")) from problem


def parameters(scenario: Scenario[Any], typed: dict[str, Any]) -> Params:
    """Build a scenario's parameters from its options and take them out of ``typed``.

    Raises:
        UsageError: One is out of range.

    """
    given = {name: typed.pop(name) for name in scenario.parameters.model_fields}
    try:
        params: Params = scenario.parameters(**{name: it for name, it in given.items() if it is not None})
    except ValidationError as problem:
        raise UsageError(_first(problem, f"parameter of {scenario.name}")) from problem
    return params


def _first(problem: ValidationError, what: str) -> str:
    first = problem.errors(include_url=False)[0]
    key = "-".join(str(part) for part in first["loc"]).replace("_", "-")
    return f"{what} {key}: {first['msg'].removeprefix('Value error, ')}; see: drill run --help"


class ScenarioGroup(click.Group):
    """A command whose subcommands are the installed scenarios, each with its parameters as options."""

    def __init__(self, template: click.Command, **settings: Any) -> None:  # noqa: ANN401 (click's own signature)
        """Take the command that each scenario's subcommand is made from."""
        super().__init__(**settings)
        self._template = template

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the installed scenarios."""
        return list(catalogue.names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand of a scenario.

        Raises:
            UsageError: There is no such scenario.

        """
        scenario = catalogue.find(cmd_name)
        own = [_option(name, field) for name, field in scenario.parameters.model_fields.items()]
        inner = self._template.callback

        def invoke(**typed: Any) -> Any:  # noqa: ANN401 (click passes what was typed)
            return inner(scenario=scenario, **typed) if inner else None

        return click.Command(
            cmd_name,
            params=[*own, *self._template.params],
            callback=invoke,
            help=f"{scenario.title}.\n\n{scenario.hypothesis}",
        )


def _option(name: str, field: FieldInfo) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    kind: Any = field.annotation
    if get_origin(kind) is UnionType:  # "float | None": may be left away
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if kind is bool:
        return click.Option([flag], is_flag=True, default=False, help=field.description)
    if get_origin(kind) is Literal:
        kind = click.Choice([str(choice) for choice in get_args(kind)])
    return click.Option([flag], type=kind, default=None, help=field.description)


def operator() -> str:
    """Return who types."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return f"user {os.getuid()}"


def typed_command() -> str:
    """Return what was typed, so that it can be typed again."""
    return shlex.join(["drill", *sys.argv[1:]])
