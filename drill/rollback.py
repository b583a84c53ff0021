"""Puts back what a journal says was touched, in any process.

The last intended step is undone first. A step that can't be undone does not stop the ones
before it; each is checked by reading the system again. Dead-man's undos are disarmed only
when all is undone.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    wait_fixed,
)

from drill import clock, dead_man, journal, lease, lease_table, plan
from drill.aws import Aws
from drill.errors import DrillError, RollbackIncomplete, UsageError
from drill.faults import registry
from drill.journal import Journal, Pending, Writer
from drill.lease import Lease
from drill.model import Finding, Json
from drill.process import Process
from drill.target import Target, Timing, dump, load

DISARMING = "dead-man's undo"
TARGET = "target.yaml"
"""What was drilled, in the folder of a run whose machine is lost: its plan is lost too."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one undo: ``error`` is empty when it was done and checked.

    Attributes:
        step: The step.
        sent_ns: When it was begun.
        done_ns: When it was checked.
        error: What went wrong.
        drift: What somebody else had changed meanwhile, and was left as they made it.
        remains: What could not be made as it was, with what mends it.

    """

    step: str
    sent_ns: int
    done_ns: int
    error: str = ""
    drift: tuple[str, ...] = ()
    remains: tuple[Finding, ...] = ()

    @property
    def said(self) -> str:
        """Return it as one line for people."""
        if self.error:
            return f"NOT undone: {self.step}: {self.error}"
        left = f"; changed by somebody else and left so: {'; '.join(self.drift)}" if self.drift else ""
        other = "".join(f"; {one.title}. {one.mend}" for one in self.remains)
        return f"undone and checked: {self.step}{left}{other}"


def roll_back(the_journal: Journal, aws: Aws, target: Target, run_id: str, held: Lease) -> tuple[Undone, ...]:
    """Undo every step that is left, the last first, and journal each; goes on past failures.

    Args:
        the_journal: What was intended.
        aws: With what it is undone.
        target: What was drilled.
        run_id: The run.
        held: The lease, under which all of it is done.

    """
    undone = []
    for step in the_journal.pending():
        one = _undone(step, aws, target.timing, run_id)
        if not one.error:
            # Before the journal calls it undone: what stays in the lease keeps the next drill out, and
            # only an unfinished journal brings a person back here.
            one = replace(one, error=_forgotten(held, one.step, target.timing))
        try:
            told = tuple(f"{finding.title}. {finding.mend}" for finding in one.remains)
            more = {"error": one.error, "drift": one.drift, "remains": told}
            kind = "undo_failed" if one.error else "undone"
            the_journal.note(kind, one.step, one.sent_ns, one.done_ns, **more)
        except DrillError as problem:
            # The steps before it still need their undo; that this one could not be noted is told with it.
            one = replace(one, error="; ".join(part for part in (one.error, str(problem)) if part))
        undone.append(one)
    if any(one.error for one in undone):
        undone += _still_armed(the_journal, target)
    else:
        undone += _disarmed(the_journal, aws, target, run_id)
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
    entries = journal.read(folder)
    if not journal.unfinished(entries):
        return ()
    runner, fence = journal.writer(entries)
    if runner is not None and runner != Process.own() and runner.alive():
        msg = f"run {folder.name} is still going ({runner}); stop it with: drill abort {folder.name}"
        raise DrillError(msg)
    target = _target_of(folder)
    aws = Aws.of(target)
    _check_account(target, aws)
    dead = fence if runner is not None and runner.here else None
    with (
        lease.taken(folder.parent, target, aws, folder.name, dead) as held,
        Journal.reopen(folder, Writer.own(held.fence, held.check)) as the_journal,
    ):
        if (folder / TARGET).exists():
            item = lease_table.left(aws, target)
            _write_down(the_journal, target, item.steps if item and item.run_id == folder.name else {})
        return roll_back(the_journal, aws.fenced(held.check), target, folder.name, held)


def _target_of(folder: Path) -> Target:
    """Return what a run drilled: its plan says, or what was written down for a lost machine's run."""
    try:
        if (folder / TARGET).exists():
            return load(folder / TARGET)
        return plan.read(folder).target
    except UsageError as problem:
        msg = f"{folder.name} is still broken, and its plan can't be read: {problem}"
        raise RollbackIncomplete(msg) from problem


def replay_elsewhere(root: Path, target: Target) -> tuple[Undone, ...]:
    """Undo what a machine that is lost left, from the target's lease; its journal is written anew here.

    Args:
        root: The folder of all runs here.
        target: What was drilled.

    Raises:
        DrillError: Whoever drills it is alive, or the lease can't be read.
        RollbackIncomplete: The credentials are of another account.

    """
    aws = Aws.of(target)
    _check_account(target, aws)
    item = lease_table.left(aws, target)
    if item is None or not item.steps:
        return ()
    folder = root / item.run_id
    with lease.taken(root, target, aws, item.run_id) as held:
        writer = Writer.own(held.fence, held.check)
        with _journal_here(folder, target, item.steps, writer) as the_journal:
            return roll_back(the_journal, aws.fenced(held.check), target, folder.name, held)


def _journal_here(
    folder: Path, target: Target, steps: Mapping[str, Mapping[str, Json]], writer: Writer
) -> Journal:
    """Begin a journal of what a lost machine intended, or go on with an earlier try's."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / plan.FILE).exists():
        dump(target, folder / TARGET)
    begun = (folder / journal.FILE).exists()
    made = Journal.reopen(folder, writer) if begun else Journal.create(folder, "unknown", target.name, writer)
    _write_down(made, target, steps)
    return made


def _write_down(made: Journal, target: Target, steps: Mapping[str, Mapping[str, Json]]) -> None:
    """Write down what a lost machine intended; an earlier try may have died before it had all."""
    known = {step.step for step in made.pending()}
    for name, undo in sorted(steps.items(), key=lambda one: _number(one[1])):
        if name in known:
            continue
        made.intend(name, str(undo["fault"]), _mapping(undo["args"]), _mapping(undo["captured"]))
        if dead_man.possible(target):
            made.arming(name)


def _number(undo: Mapping[str, Json]) -> int:
    number = undo.get("number")
    return number if isinstance(number, int) else 0


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _check_account(target: Target, aws: Aws) -> None:
    """Refuse to undo with another account's credentials: nothing would be found, and all look undone."""
    try:
        here = aws.client("sts", target.primary.name).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError, DrillError) as problem:
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


def _undone(step: Pending, aws: Aws, timing: Timing, run_id: str) -> Undone:
    """Undo one step and wait until it shows."""
    drift: tuple[str, ...] = ()
    remains: tuple[Finding, ...] = ()
    within_s = timing.effect_s

    def once() -> bool:
        nonlocal drift, remains, within_s
        fault = registry.build(step.fault, step.args)
        within_s = max(within_s, fault.undo_within_s)
        drift = fault.undo(aws, step.captured, run_id) or drift
        if not fault.undone(aws, step.captured, run_id):
            return False
        remains = fault.remains(aws, step.captured, run_id)
        return True

    sent_ns = clock.monotonic_ns()
    error = _tried(once, timing, lambda: within_s)
    return Undone(step.step, sent_ns, clock.monotonic_ns(), error, drift, remains)


def _forgotten(held: Lease, step: str, timing: Timing) -> str:
    """Take an undone step out of the lease; return why it is still there, or nothing."""

    def once() -> bool:
        held.forget(step)
        return True

    error = _tried(once, timing)
    return f"undone, but {error}" if error else ""


def _still_armed(the_journal: Journal, target: Target) -> tuple[Undone, ...]:
    """Tell that the run's dead-man's undos stay: they are the last to help with a step that is left."""
    if not the_journal.armed() or not dead_man.possible(target):
        return ()
    now_ns = clock.monotonic_ns()
    return (Undone(DISARMING, now_ns, now_ns, "it stays armed until all else is put back"),)


def _disarmed(the_journal: Journal, aws: Aws, target: Target, run_id: str) -> tuple[Undone, ...]:
    """Delete the run's dead-man's undos, if it may have made some."""
    if not the_journal.armed() or not dead_man.possible(target):
        return ()

    sent_ns = clock.monotonic_ns()
    error = _tried(lambda: dead_man.disarm(aws, target, run_id), target.timing)
    if error:
        error += f"; see: aws scheduler list-schedules --group-name {target.drills.schedule_group}"
    else:
        try:
            the_journal.disarmed()
        except DrillError as problem:
            error = str(problem)
    return (Undone(DISARMING, sent_ns, clock.monotonic_ns(), error),)


def _tried(once: Callable[[], bool], timing: Timing, within_s: Callable[[], float] | None = None) -> str:
    """Try until it holds or its time is over; return what went wrong, or nothing.

    Args:
        once: One try; says whether it holds.
        timing: The target's.
        within_s: Returns how long it may take, once a try has found out; ``effect_s`` by default.

    """
    at_most_s = within_s or (lambda: timing.effect_s)
    attempts = Retrying(
        retry=retry_if_exception_type((BotoCoreError, ClientError)) | retry_if_result(lambda done: not done),
        stop=lambda tried: (tried.seconds_since_start or 0.0) >= at_most_s(),
        wait=wait_fixed(timing.poll_s),
    )
    try:
        attempts(once)
    except RetryError as problem:
        last = problem.last_attempt.exception()
        return str(last) if last else f"undone, but after {at_most_s():g} s the system did not show it"
    except DrillError as problem:
        return str(problem)
    except Exception as problem:  # noqa: BLE001 (one undo that fails must not keep the others from running)
        return f"{type(problem).__name__}: {problem}"
    return ""
