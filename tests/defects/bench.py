"""A deployed system on which failures are planted, and what the audit says of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from drill import clock
from drill.audit import catalogue, runner
from drill.audit.judge import Audited
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.aws import Aws
from drill.record import Record
from drill.target import Target

NO_RUNS = Path("no-runs")
_SETTLES_S = 60.0


@dataclass
class Bench:
    """A system that is deployed, with clients of it.

    Attributes:
        target: What its target file says.
        aws: The operator's clients.

    """

    target: Target
    aws: Aws

    @classmethod
    def of(cls, target: Target) -> "Bench":
        """Return the bench of a target."""
        return cls(target, Aws.of(target, as_operator=True))

    def client(self, service: str, region: str = "") -> Any:
        """Return a client, in the primary region if none is named."""
        return self.aws.client(service, region or self.target.primary.name)

    def audit(
        self,
        *only: str,
        active: bool = False,
        runs: Path = NO_RUNS,
        drilled_within_days: float = 90,
        target: Target | None = None,
    ) -> Audited:
        """Return what the audit says now."""
        checks = catalogue.chosen(only)
        at = datetime.fromisoformat(clock.now().wall)
        system = System(target or self.target, Reads(self.aws), at, runs, drilled_within_days)
        return runner.run(checks, system, limit_s=60, active=active)

    def audit_until(self, holds: Callable[[Audited], bool], **asked: Any) -> Audited:
        """Return what the audit says once something holds of it, or at last.

        Alarms, caches and checkers take a moment to see what has changed.
        """
        patient = Retrying(
            retry=retry_if_result(lambda audited: not holds(audited)),
            stop=stop_after_delay(_SETTLES_S),
            wait=wait_fixed(0.5),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        audited: Audited = patient(lambda: self.audit(**asked))
        return audited

    def settled(self) -> Audited:
        """Return what the audit says once nothing is wrong any more, or at last."""
        return self.audit_until(lambda audited: not audited.findings and not audited.unevaluated)


Undo = Callable[[], object]


def _everything(_record: Record) -> bool:
    return True


def _nothing(_bench: Bench) -> None:
    """Wait for nothing: the failure has its consequence at once."""


@dataclass(frozen=True)
class Drilled:
    """How a drill shows what a failure leads to.

    Attributes:
        scenario: Which.
        exit_code: What it ends with.
        flags: Its options.
        shows: What of its record shows the consequence: given the record, returns whether it does.
        awaits: What is waited for before the drill, once the failure is there.
        finding: The finding of the drill itself that names the cause, where the audit before it can't.

    """

    scenario: str
    exit_code: int
    flags: tuple[str, ...] = ()
    shows: Callable[[Record], bool] = _everything
    awaits: Callable[[Bench], None] = _nothing
    finding: str = ""

    @property
    def command(self) -> str:
        """What is typed."""
        return " ".join(("drill run", self.scenario, *self.flags))


@dataclass(frozen=True)
class Defect:
    """A failure that can be planted in a deployed system.

    Attributes:
        row: The check that must find it, alone as a root.
        name: What is planted.
        plant: Plants it, and returns what puts the system back.
        drill: How a drill shows it; None where none does.
        undrilled: Why none does.
        asked: How the audit is asked.
        follows: A check that tells a consequence of it, after a while.

    """

    row: str
    name: str
    plant: Callable[[Bench], Undo]
    drill: Drilled | None = None
    undrilled: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    follows: str = ""

    def __str__(self) -> str:
        """Return how tests name it."""
        return f"{self.row}-{self.name.replace(' ', '-')}"

    @contextmanager
    def planted(self, bench: Bench) -> Iterator[None]:
        """Have the failure in the system for the block."""
        undo = self.plant(bench)
        try:
            yield
        finally:
            undo()
