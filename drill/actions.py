"""What was done to the system, and how it was undone: gathered while a drill runs, for its record."""

from dataclasses import replace

from drill.record import Action
from drill.rollback import Undone
from drill.scenario import Step


class Actions:
    """The actions of one drill, in the order in which they were begun."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self._by_step: dict[str, Action] = {}

    def begun(self, step: Step, status: str, sent_ns: int, done_ns: int, error: str) -> None:
        """Take note of an injection; see :class:`drill.record.Action` for ``status``."""
        self._by_step[step.name] = Action(
            step=step.name,
            fault=step.fault.kind,
            description=step.fault.describe(),
            status=status,
            sent_ns=sent_ns,
            done_ns=done_ns,
            undo_status="pending",
            undo_sent_ns=None,
            undo_done_ns=None,
            error=error,
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
            )

    def listed(self) -> tuple[Action, ...]:
        """Return all of them."""
        return tuple(self._by_step.values())
