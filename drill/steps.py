"""Makes the steps of a drill: capture, journal the undo, arm, inject, note; and awaits completion.

Nothing is injected before its undo is on disk (:meth:`drill.journal.Journal.intend`), in the lease,
and, where AWS can undo by itself, armed there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from drill import clock, dead_man
from drill.actions import Actions
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.registry import arguments
from drill.journal import Journal
from drill.lease import Lease
from drill.model import Between, Json
from drill.progress import Progress
from drill.scenario import Step
from drill.target import Target

_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Steps:
    """Makes steps for one drill.

    Attributes:
        aws: With what the system is changed.
        target: What is drilled.
        run_id: The drill.
        journal: Where undos are written before.
        lease: Where they are kept too, for when this machine is lost.
        actions: Where what was made is noted.
        progress: Who is told.

    """

    aws: Aws
    target: Target
    run_id: str
    journal: Journal
    lease: Lease
    actions: Actions
    progress: Progress

    def make(self, step: Step, due: datetime, *, recovery: bool = False) -> str:
        """Make one step; return why it did not go as it should, or nothing.

        Args:
            step: The step.
            due: When AWS undoes it by itself, where it can.
            recovery: It belongs to the recovery procedure.

        """
        fault = step.fault
        try:
            captured = fault.capture(self.aws)
        except (BotoCoreError, ClientError, DrillError) as problem:
            return f"{step.name}: the state before could not be read: {problem}"
        args = arguments(fault)
        intent = self.journal.intend(step.name, fault.kind, args, captured)
        number = len(self.journal.pending())
        undo: dict[str, Json] = {"number": number, "fault": fault.kind, "args": args, "captured": captured}
        self.lease.remember(step.name, undo)
        unarmed = self._arm(step, captured, due)
        if unarmed:
            return unarmed
        sent_ns = clock.monotonic_ns()
        status, error = "injected", ""
        try:
            fault.inject(self.aws, captured, intent)
        except (ClientError, DrillError) as problem:
            status, error = "failed", str(problem)
        except BotoCoreError as problem:
            status, error = "unknown", str(problem)
        called = Between(sent_ns, clock.monotonic_ns())
        # First of all kept in memory: the journal may be what fails, and the record must know of it.
        self.actions.begun(step, status, called, error, recovery=recovery)
        self.actions.tell(step, fault.told(captured))
        self.journal.note(status, step.name, called.earliest_ns, called.latest_ns, error=error)
        _LOG.info("step", run_id=self.run_id, step=step.name, status=status, error=error)
        self.progress.said(f"{status}: {fault.describe()}")
        return f"{step.name}: {error}" if error else ""

    def complete(self, step: Step, until_ns: int, goes_on: Callable[[], bool]) -> str:
        """Look at a step of the recovery procedure until it is complete; return why it never was, or nothing.

        Args:
            step: The step, which was made.
            until_ns: When it is given up.
            goes_on: Waits a while between two looks, and says whether there is to be another.

        """
        captured = next(one.captured for one in self.journal.pending() if one.step == step.name)
        seen_ns = self.actions.marks()[-1].called.earliest_ns
        while True:
            sent_ns, said = clock.monotonic_ns(), ""
            try:
                if step.fault.ready(self.aws, captured, self.run_id):
                    self._completed(step, Between(seen_ns, clock.monotonic_ns()))
                    return ""
                seen_ns = sent_ns
            except (BotoCoreError, ClientError) as problem:
                said = f"; last: {problem}"  # nobody knows of it now, and it is asked again
            except DrillError as problem:
                return f"{step.name}: {problem}"
            if clock.monotonic_ns() >= until_ns:
                return f"{step.name}: not complete by the deadline{said}"
            if not goes_on():
                return ""

    def _completed(self, step: Step, ready: Between) -> None:
        self.actions.complete(step, ready)
        self.journal.note("ready", step.name, ready.earliest_ns, ready.latest_ns)
        self.progress.said(f"complete: {step.name}")

    def _arm(self, step: Step, captured: Mapping[str, Json], due: datetime) -> str:
        """Have AWS undo a step by itself when it is due, where it can; return why that failed, or nothing."""
        armed = step.fault.dead_man(captured, self.run_id)
        if not armed.calls or not dead_man.possible(self.target):
            return ""
        self.journal.arming(step.name)
        try:
            dead_man.arm(self.aws, self.target, self.run_id, step.name, armed, due)
        except (BotoCoreError, ClientError) as problem:
            return f"{step.name}: its dead-man's undo could not be armed: {problem}"
        self.progress.said(f"armed until {due:%H:%M:%S} UTC: {armed.note}")
        return ""
