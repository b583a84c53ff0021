"""The command line: parse, wire, map what happened to an exit code.

Each command is a file of its own, imported only when it is used, so that ``--help`` is instant.
"""

import contextlib
import os
import sys
import traceback
from importlib import import_module
from typing import NoReturn

import click

from drill import redaction
from drill.errors import DrillError, Refused, RollbackIncomplete
from drill.exit_codes import INTERNAL, INTERRUPTED, MEANING, REFUSED, ROLLBACK_INCOMPLETE, USAGE

_COMMANDS = {
    "run": "Run a drill: break, measure, put back, report.",
    "audit": "Find what would fail on the day it matters; it reads, and only reads.",
    "plan": "Show what a drill would touch; nothing is touched.",
    "iam-policy": "Print the least IAM policy that a drill needs.",
    "recover": "Put back what interrupted runs left broken.",
    "abort": "Stop a drill that is going, from another terminal; it rolls back.",
    "gameday": "Days of several drills: check, next, run, serve, tick, history, approve, veto.",
    "note": "Write down what you see, on the game day that is going.",
    "report": "Render a run's report again, in one of several forms.",
    "review": "Read, compare, dispute and sign off reports, in a browser.",
    "verify": "Prove that nobody changed what a run left, nor its sign-off.",
    "runs": "List the runs and what they came to.",
    "target": "What is drilled: write its file, check it, load it.",
    "scenarios": "List the scenarios that are installed.",
    "infra": "The drilled system: init, deploy, status, outputs, cost, destroy.",
    "lab": "The cloud on loopback: up, status, down.",
}
_MODULES = {name: f"drill.cli.{name.replace('-', '_')}" for name in _COMMANDS}


class _Lazy(click.Group):
    """A group that imports a command's file when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = import_module(_MODULES[cmd_name]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANING.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="drill")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, to standard error.")
def group(verbose: bool) -> None:
    """Run disaster-recovery drills against a two-region system, and measure what happens."""
    from drill.cli import logs

    logs.show(logs.ALL if verbose else logs.QUIET)


def main() -> None:
    """Run the command line and exit; a bug shows its traceback and ends with 70."""
    try:
        code = outcome_of(sys.argv[1:])
    except Exception:  # noqa: BLE001 (Python's own exit code for a bug, 1, would mean "breached")
        sys.stderr.write(redaction.redacted(traceback.format_exc()))
        code = INTERNAL
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process, also where a thread would keep it."""
    # A game day waits for a person in a thread that DBOS can't end; its store has all that is known of it.
    serving = sys.modules.get("drill.gameday.serving")
    if serving is not None and serving.left():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # its reader has gone
                stream.flush()
        os._exit(code)
    sys.exit(code)


def outcome_of(arguments: list[str]) -> int:
    """Run a command line and return its exit code; a bug in the program raises."""
    try:
        code = group.main(args=arguments, prog_name="drill", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as problem:
        return _wrong(problem)
    except DrillError as problem:
        return _told(problem)
    except SystemExit:
        # click ends so when the reader of a pipe has gone; its code 1 would mean "breached".
        return INTERNAL
    return code if isinstance(code, int) else 0


def _wrong(problem: click.ClickException) -> int:
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        click.echo(problem.format_message(), err=True)
        return USAGE
    context = getattr(problem, "ctx", None)
    path = context.command_path if context else "drill"
    said = " ".join(problem.format_message().split()).rstrip(".")
    return _say(f"{said}; see: {path} --help", USAGE)


def _told(problem: DrillError) -> int:
    if isinstance(problem, Refused):
        return _say(f"refused: {problem}", REFUSED)
    return _say(str(problem), ROLLBACK_INCOMPLETE if isinstance(problem, RollbackIncomplete) else USAGE)


def _say(line: str, code: int) -> int:
    click.echo(redaction.redacted(f"drill: {line}"), err=True)
    return code
