"""Puts back what a journal says was touched, in any process.

The last intended step is undone first. A step that can't be undone does not stop the ones
before it; each is checked by reading the system again.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from drill import clock, journal, plan
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults import registry
from drill.journal import Journal, Pending
from drill.target import Timing


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one undo: ``error`` is empty when it was done and checked."""

    step: str
    sent_ns: int
    done_ns: int
    error: str = ""


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
        the_journal.mark_closed()
    return tuple(undone)


def replay(folder: Path) -> tuple[Undone, ...]:
    """Undo what a run left, from its journal and plan alone.

    Raises:
        DrillError: The journal or plan can't be read, or the run is still going.

    """
    the_plan = plan.read(folder)
    with Journal.reopen(folder) as the_journal:
        steps = journal.pending(journal.read(folder))
        aws = Aws.of(the_plan.target)
        return roll_back(the_journal, steps, aws, the_plan.target.timing, folder.name)


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
            fault.undo(aws, step.captured, run_id)
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
