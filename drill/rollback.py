"""Puts back what a journal says was touched, in any process.

The last intended step is undone first. A step that can't be undone does not stop the ones
before it; each is checked by reading the system again.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from drill import clock, plan
from drill.aws import Aws
from drill.errors import DrillError, RollbackIncomplete, UsageError
from drill.faults import registry
from drill.journal import Journal, Pending
from drill.target import Target, Timing

_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one undo: ``error`` is empty when it was done and checked."""

    step: str
    sent_ns: int
    done_ns: int
    error: str = ""

    @property
    def said(self) -> str:
        """Return it as one line for people."""
        return f"NOT undone: {self.step}: {self.error}" if self.error else f"undone and checked: {self.step}"


def roll_back(
    the_journal: Journal, steps: tuple[Pending, ...], aws: Aws, timing: Timing, run_id: str
) -> tuple[Undone, ...]:
    """Undo every step, in the order given, and journal each; goes on past failures."""
    undone = []
    for step in steps:
        sent_ns = clock.monotonic_ns()
        error = _undo(step, aws, timing, run_id)
        one = Undone(step.step, sent_ns, clock.monotonic_ns(), error)
        try:
            the_journal.note("undo_failed" if error else "undone", one.step, one.sent_ns, one.done_ns, error)
        except DrillError as problem:
            # The steps before it still need their undo; that this one could not be noted is told with it.
            one = replace(one, error="; ".join(part for part in (error, str(problem)) if part))
        undone.append(one)
    if not any(one.error for one in undone):
        with contextlib.suppress(DrillError):  # every undo's own line says the same
            the_journal.mark_closed()
    return tuple(undone)


def replay(folder: Path) -> tuple[Undone, ...]:
    """Undo what a run left, from its journal and plan alone.

    Raises:
        DrillError: The journal can't be read, or the run is still going.
        RollbackIncomplete: The plan can't be read, or the credentials are of another account.

    """
    with Journal.reopen(folder) as the_journal:
        steps = the_journal.pending()
        if not steps:
            return ()
        try:
            the_plan = plan.read(folder)
        except UsageError as problem:
            msg = f"{folder.name} is still broken, and its plan can't be read: {problem}"
            raise RollbackIncomplete(msg) from problem
        aws = Aws.of(the_plan.target)
        _check_account(the_plan.target, aws)
        return roll_back(the_journal, steps, aws, the_plan.target.timing, folder.name)


def _check_account(target: Target, aws: Aws) -> None:
    """Refuse to undo with another account's credentials: nothing would be found, and all look undone."""
    try:
        here = aws.client("sts", target.primary.name).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as problem:
        msg = (
            f"nothing was put back: AWS did not say whose credentials these are ({problem}); set AWS_PROFILE"
        )
        raise RollbackIncomplete(msg) from problem
    if here != target.account:
        msg = (
            f"nothing was put back: these credentials are of account {here}, "
            f"not {target.account}; set AWS_PROFILE"
        )
        raise RollbackIncomplete(msg)


def _undo(step: Pending, aws: Aws, timing: Timing, run_id: str) -> str:
    """Undo one step and wait until it shows; return what went wrong, or nothing."""
    try:
        fault = registry.build(step.fault, step.args)
        attempts = Retrying(
            retry=retry_if_exception_type((BotoCoreError, ClientError))
            | retry_if_result(lambda done: not done),
            stop=stop_after_delay(timing.effect_s),
            wait=wait_fixed(timing.poll_s),
        )

        def once() -> bool:
            for line in fault.undo(aws, step.captured, run_id):
                _LOG.warning("changed by somebody else", run_id=run_id, step=step.step, drift=line)
            return fault.undone(aws, step.captured, run_id)

        attempts(once)
    except RetryError as problem:
        last = problem.last_attempt.exception()
        return str(last) if last else f"undone, but after {timing.effect_s:g} s the system did not show it"
    except DrillError as problem:
        return str(problem)
    except Exception as problem:  # noqa: BLE001 (one undo that fails must not keep the others from running)
        return f"{type(problem).__name__}: {problem}"
    return ""
