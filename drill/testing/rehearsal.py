"""Tries the steps of a scenario on a system that may be broken: every undo must put back what was."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.validate import ParamValidator

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults import registry
from drill.faults.contract import ApiCall, Fault, Intent
from drill.model import Json
from drill.scenario import Step
from drill.testing.ground import Ground
from drill.testing.recorded import Made, Recorded, undeclared

MOST_WRITES = 200
"""An injection that makes more writes than this is cut short nowhere beyond."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A step that may have been injected: all that a later process would know of it."""

    step: Step
    captured: Mapping[str, Json]


class Rehearsal:
    """Tries one scenario's steps.

    Attributes:
        problems: What did not hold, one line each.
        tried: How often something was injected, or was not, and put back.

    """

    def __init__(self, ground: Ground, steps: Sequence[Step]) -> None:
        """Take where it is tried, and the steps in order."""
        self._ground = ground
        self._steps = tuple(steps)
        self._aws = Aws.of(ground.target)
        self._before = ground.fingerprint()
        self.problems: list[str] = []
        self.tried = 0

    def every_undo(self) -> "Rehearsal":
        """Try each step: never injected, cut short before each of its writes, and injected.

        The steps before it are in place meanwhile. It is undone twice each time, as a process would
        that knows nothing but the journal, and then the system must be as it was.
        """
        for number, step in enumerate(self._steps):
            self._trial(number, f"{step.name}, never injected", injects=False)
            for breaks_at in range(MOST_WRITES):
                cut = self._trial(number, f"{step.name}, cut short before write {breaks_at + 1}", breaks_at)
                if not cut or self.problems:
                    break
            if self.problems:
                break  # what is left of this one would be taken for the next one's
        return self

    def whole(self) -> "Rehearsal":
        """Inject every step in order, see that the calls were declared, and undo all."""
        if self._steps:
            self._trial(len(self._steps) - 1, f"{self._steps[-1].name}, injected")
        return self

    def _trial(self, number: int, told: str, breaks_at: int | None = None, *, injects: bool = True) -> bool:
        """Try one step in one way; return whether it was cut short."""
        self.tried += 1
        run_id = f"conformance-{secrets.token_hex(4)}"
        done: list[_Done] = []
        cut = False
        try:
            for step in self._steps[:number]:
                self._inject(step, run_id, done, None)
            cut = injects and self._inject(self._steps[number], run_id, done, breaks_at)
            if not injects:
                done.append(_Done(self._steps[number], self._captured(self._steps[number].fault)))
            if injects and not cut and self._ground.fingerprint() != self._before:
                self._check_seen(done[-1], run_id, told)
        except (BotoCoreError, ClientError, DrillError) as problem:
            self.problems.append(f"{told}: {problem}")
        finally:
            for one in reversed(done):
                self._undo(one, run_id, told)
        if self._ground.fingerprint() != self._before:
            self.problems.append(
                f"{told}: the system is not as it was before; undo or capture misses something"
            )
        return cut

    def _inject(self, step: Step, run_id: str, done: list[_Done], breaks_at: int | None) -> bool:
        """Capture and inject a step; return whether it was cut short."""
        fault = step.fault
        captured = self._captured(fault)
        done.append(_Done(step, captured))
        self._check_dead_man(fault, captured, run_id)
        aws = Recorded(self._aws, breaks_at)
        try:
            fault.inject(aws, captured, Intent(run_id, step.name))
            self._await_ready(fault, aws, captured, run_id)
        except (BotoCoreError, ClientError, DrillError):
            if not aws.broken:
                raise
        finally:
            self._check_declared(fault, aws.made)
        return aws.broken

    def _captured(self, fault: Fault) -> Mapping[str, Json]:
        """Return the state before as a later process would read it, from JSON."""
        aws = Recorded(self._aws)
        captured = fault.capture(aws)
        if aws.writes:
            self.problems.append(f"{fault.kind}: capture changes something: {[str(one) for one in aws.made]}")
        self._check_declared(fault, aws.made)
        read: Mapping[str, Json] = json.loads(json.dumps(captured, allow_nan=False))
        return read

    def _await_ready(self, fault: Fault, aws: Aws, captured: Mapping[str, Json], run_id: str) -> None:
        timing = self._ground.target.timing
        until_ns = clock.monotonic_ns() + round(timing.deadline_s * 1e9)
        while not fault.ready(aws, captured, run_id):
            if clock.monotonic_ns() >= until_ns:
                msg = f"{fault.kind} is not ready after {timing.deadline_s:g} s (timing.deadline_s)"
                raise DrillError(msg)
            clock.sleep(timing.poll_s)

    def _undo(self, done: _Done, run_id: str, told: str) -> None:
        """Undo a step twice, by a fault that is built anew, and see that it says so."""
        fault = registry.build(
            done.step.fault.kind, json.loads(json.dumps(registry.arguments(done.step.fault)))
        )
        aws = Recorded(self._aws)
        for time in ("undone", "undone twice"):
            problem = self._undone(fault, aws, done.captured, run_id)
            if problem:
                self.problems.append(f"{told}, {time}: {done.step.name}: {problem}")
        self._check_declared(fault, aws.made)

    def _undone(self, fault: Fault, aws: Aws, captured: Mapping[str, Json], run_id: str) -> str:
        """Undo until it shows, as a rollback does; return what went wrong, or nothing."""
        timing = self._ground.target.timing
        within_s = max(timing.effect_s, fault.undo_within_s)
        until_ns = clock.monotonic_ns() + round(within_s * 1e9)
        last = f"undone() is still false after {within_s:g} s"
        while True:
            try:
                drift = fault.undo(aws, captured, run_id)
                if fault.undone(aws, captured, run_id):
                    return f"it tells of a drift though nobody changed anything: {drift}" if drift else ""
            except (BotoCoreError, ClientError) as problem:
                last = str(problem)
            except DrillError as problem:
                return str(problem)
            if clock.monotonic_ns() >= until_ns:
                return last
            clock.sleep(timing.poll_s)

    def _check_seen(self, done: _Done, run_id: str, told: str) -> None:
        """Find a fault that calls itself undone while its undo still has something to put back.

        One whose effect goes with an earlier step's is right to, and so is one that the system itself put
        back meanwhile, as auto scaling does.
        """
        fault = done.step.fault
        if not fault.undone(self._aws, done.captured, run_id):
            return
        there = self._ground.fingerprint()
        fault.undo(self._aws, done.captured, run_id)
        if self._ground.fingerprint() != there:
            self.problems.append(f"{told}: undone() says yes while it is in place")

    def _check_declared(self, fault: Fault, made: Sequence[Made]) -> None:
        target = self._ground.target
        missing = {str(one): one for one in made if undeclared(one, fault.calls, target)}
        self._add(f"{fault.kind} does not declare a call that it makes: {one}" for one in missing)

    def _check_dead_man(self, fault: Fault, captured: Mapping[str, Json], run_id: str) -> None:
        calls = fault.dead_man(captured, run_id).calls
        if fault.plain_undo is not bool(calls):
            self._add(
                [f"{fault.kind}: plain_undo is {fault.plain_undo}, and dead_man() has {len(calls)} calls"]
            )
        for call in calls:
            self._add(_of_api_call(fault, call))

    def _add(self, found: "Iterator[str] | list[str]") -> None:
        self.problems += [problem for problem in found if problem not in self.problems]


def _of_api_call(fault: Fault, call: ApiCall) -> Iterator[str]:
    """Yield what AWS's model of a call does not take of it."""
    model = botocore.session.get_session().get_service_model(call.service)
    if call.action not in model.operation_names:
        yield f"{fault.kind}: its dead-man's undo calls {call.service}:{call.action}, which is no call"
        return
    shape = model.operation_model(call.action).input_shape
    report: Any = ParamValidator().validate(dict(call.request), shape)
    if report.has_errors():
        yield f"{fault.kind}: its dead-man's undo {call.service}:{call.action}: {report.generate_report()}"
