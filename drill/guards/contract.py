"""What a guard is given, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError
from drill.plan import Plan


def _now() -> datetime:
    return datetime.fromisoformat(clock.now().wall)


@dataclass(frozen=True, slots=True)
class Asked:
    """What guards look at.

    Attributes:
        plan: What is about to be done.
        runs: Folder of all runs.
        confirmed: The target's name as the operator typed it back; empty if not.
        at: When it would begin.
        lease: Why the target's lease was refused; empty if the asker holds it, None if nobody tried.

    """

    plan: Plan
    runs: Path
    confirmed: str
    at: datetime = field(default_factory=_now)
    lease: str | None = None


class CannotTell(DrillError):
    """A guard can't be evaluated, so it refuses; the text says why and what to do."""


Guard: TypeAlias = Callable[[Asked, Aws], str]
"""Returns why a drill may not begin, in one line with what to do next; empty if it may.

It may raise :class:`CannotTell` and let AWS's errors pass: both refuse.
"""
