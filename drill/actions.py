"""What was done to the system, and how it was undone: gathered while a drill runs, for its record."""

from dataclasses import replace

from drill.model import Between, StepMark
from drill.record import Action
from drill.rollback import Undone
from drill.scenario import Step


class Actions:
    """The actions of one drill, in the order in which they were begun."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self._by_step: dict[str, Action] = {}

    def begun(self, step: Step, status: str, called: Between, error: str, *, recovery: bool = False) -> None:
        """Take note of a step; see :class:`drill.record.Action` for ``status``."""
        self._by_step[step.name] = Action(
            step=step.name,
            fault=step.fault.kind,
            description=step.fault.describe(),
            status=status,
            sent_ns=called.earliest_ns,
            done_ns=called.latest_ns,
            undo_status="pending",
            undo_sent_ns=None,
            undo_done_ns=None,
            error=error,
            recovery=recovery,
        )

    def complete(self, step: Step, ready: Between) -> None:
        """Take note of when a step of the recovery procedure was complete."""
        self._by_step[step.name] = replace(self._by_step[step.name], ready=ready)

    def refused(self, step: Step) -> bool:
        """Say whether AWS, or the step itself, said no to it; a lost answer says nothing."""
        action = self._by_step.get(step.name)
        return action is not None and action.status == "failed"

    def marks(self) -> tuple[StepMark, ...]:
        """Return when each step was made and complete, for the measures."""
        return tuple(
            StepMark(one.step, Between(one.sent_ns, one.done_ns), one.ready)
            for one in self._by_step.values()
            if one.sent_ns is not None and one.done_ns is not None
        )

    def undone(self, one: Undone) -> None:
        """Take note of an undo; one of a step that nobody noted is left out."""
        action = self._by_step.get(one.step)
        if action is not None:
            self._by_step[one.step] = replace(
                action,
                undo_status="undo_failed" if one.error else "undone",
                undo_sent_ns=one.sent_ns,
                undo_done_ns=one.done_ns,
                error="; ".join(part for part in (action.error, one.error) if part),
                drift=one.drift,
                remains=one.remains,
            )

    def listed(self) -> tuple[Action, ...]:
        """Return all of them."""
        return tuple(self._by_step.values())
