"""Runs drills of the tests' own scenario, with other steps, and looks at what they did."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill import engine, journal, permissions, plan
from drill.aws import Aws
from drill.model import History
from drill.order import Order
from drill.record import Action, Record
from drill.scenario import Step
from drill.stop import Stop
from drill.target import Target, Timing
from tests.drill.recovery.plugin import MadeQueue, Recovering, RecoveringParams

REGIONS = ("us-east-1", "us-west-2")
TIMING = Timing(
    warm_up_s=0.05,
    settle_s=0.05,
    deadline_s=60,
    failback_s=20,
    api_timeout_s=20,
    poll_s=0.05,
    effect_s=5,
    lease_s=20,
)


@dataclass
class Told:
    """Whoever is told how a drill goes on, and what it does at a line.

    Attributes:
        lines: What was told.
        at: What is done when a line begins so.

    """

    lines: list[str] = field(default_factory=list)
    at: dict[str, Any] = field(default_factory=dict)

    def phase(self, name: str, detail: str = "") -> None:
        """Hear of a phase."""
        self.said(name)

    def seen(self, history: History) -> None:
        """Look away."""

    def said(self, line: str) -> None:
        """Keep it, and do what is to be done at it."""
        self.lines.append(line)
        for begins, act in self.at.items():
            if line.startswith(begins):
                act()


@dataclass
class Procedure(Recovering):
    """The same with other steps."""

    injected: tuple[Step, ...] = (Step("break", MadeQueue("broken")),)
    followed: tuple[Step, ...] = ()

    def steps(self, target: Target, params: RecoveringParams) -> tuple[Step, ...]:
        """As told."""
        return self.injected

    def recovery(self, target: Target, params: RecoveringParams) -> tuple[Step, ...]:
        """As told."""
        return self.followed


def run(
    scenario: Recovering, where: Target, root: Path, told: Told | None = None, stop: Stop | None = None
) -> Record:
    """Run a drill in this process."""
    params = RecoveringParams()
    order = Order(
        scenario, params, permissions.unchecked(plan.make(scenario, params, where)), root, "", "t", "d"
    )
    return engine.run(order, Aws.of(where, attempts=1), told or Told(), stop)


def queues(where: Target) -> list[str]:
    """Return what is left."""
    found = Aws.of(where).client("sqs", REGIONS[1]).list_queues().get("QueueUrls", [])
    return [str(url).rpartition("/")[2] for url in found]


def made(record: Record) -> dict[str, Action]:
    """Return the actions of a drill by step."""
    return {action.step: action for action in record.actions}


def undone(root: Path, run_id: str) -> list[str]:
    """Return the steps that were undone, in order, as the journal has them."""
    entries = journal.read(root / run_id)
    return [str(entry.fields["step"]) for entry in entries if entry.kind == "undone"]
