"""What a scenario is: it declares, it never calls AWS.

A scenario says what breaks, what to watch and what should happen. Everything it returns is
a value; the engine acts on them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from drill.faults.contract import Fault
from drill.model import CostItem, GuardSpec, History, MeasureSpec, Objective, ProbeSpec
from drill.target import Target


class Params(BaseModel):
    """A scenario's parameters; subclass it with one documented field for each."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One change, in order: an injection, or a step of the recovery procedure under test.

    Attributes:
        name: Unique in the scenario; journals and plans carry it.
        fault: What is injected, and undone.
        then_wait_s: How long the system runs on with it before the next step.
        needs: Names of earlier steps whose product it uses. What they made is known only then: the
            step looks it up when it is injected, by the run's id, and the plan says so.
        within_s: How much longer than ``deadline_s`` the drill waits because of it.
        prepares: It breaks nothing and is no part of the recovery (it takes a fresh snapshot): it is
            awaited until it is ready, and what is measured begins after it.
        verifies: Stores whose ledgers are read once it is ready, and not again when the recovery has
            come: what the next steps write into them was not recovered.

    """

    name: str
    fault: Fault
    then_wait_s: float = 0.0
    needs: tuple[str, ...] = ()
    within_s: float = 0.0
    prepares: bool = False
    verifies: tuple[str, ...] = ()


def stated(*listed: tuple[str, str, float | None, str, str]) -> tuple[Objective, ...]:
    """Return the objectives whose limit is stated, of name, measurement, limit, unit and part of each."""
    return tuple(
        Objective(name, measurement, float(limit), unit, part)
        for name, measurement, limit, unit, part in listed
        if limit is not None
    )


P = TypeVar("P", bound=Params)


class Scenario(ABC, Generic[P]):
    """A drill's declaration. One class a file; found through the entry points ``drill.scenarios``.

    Attributes:
        name: What is typed: ``region-outage``.
        title: One line.
        hypothesis: What should happen when it breaks.
        covers: What it proves, with the seed's failure numbers.
        parameters: The class of its parameters.
        awaited: What :meth:`ended` waits for, as the sentence of a missed deadline names it.

    """

    name: ClassVar[str]
    title: ClassVar[str]
    hypothesis: ClassVar[str]
    covers: ClassVar[tuple[str, ...]]
    parameters: type[P]
    awaited: ClassVar[str] = "the awaited recovery"

    @abstractmethod
    def guards(self, target: Target, params: P) -> tuple[GuardSpec, ...]:
        """Return the preconditions beyond those of every drill."""

    @abstractmethod
    def steps(self, target: Target, params: P) -> tuple[Step, ...]:
        """Return the injections, in order."""

    def recovery(self, target: Target, params: P) -> tuple[Step, ...]:
        """Return the recovery procedure under test, in order: what a person or a runbook would do.

        It begins once the fault took effect, or at once where nothing is injected; each step begins
        when the one before is ready, and is timed. What the steps make is undone with the rest.
        """
        return ()

    @abstractmethod
    def probes(self, target: Target, params: P) -> tuple[ProbeSpec, ...]:
        """Return what is watched."""

    @abstractmethod
    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Say whether the steady-state hypothesis held for every attempt due from ``since_ns`` on.

        Args:
            target: What is drilled.
            history: All that was seen by now.
            since_ns: Where the window begins.
            window_s: How long it is: ``warm_up_s`` before the injection, ``settle_s`` after the
                rollback. The predicate itself must find enough attempts in it.

        """

    @abstractmethod
    def took_effect(self, target: Target, params: P, history: History) -> bool:
        """Say whether the fault bit, read on the component attacked and never on the response."""

    @abstractmethod
    def ended(self, target: Target, params: P, history: History) -> bool:
        """Say whether the awaited recovery has come and has stayed for ``settle_s``."""

    @abstractmethod
    def measures(self, target: Target, params: P) -> tuple[MeasureSpec, ...]:
        """Return what is measured."""

    @abstractmethod
    def objectives(self, target: Target, params: P) -> tuple[Objective, ...]:
        """Return what is wanted of the measurements."""

    def ledger_stores(self, target: Target, params: P) -> tuple[str, ...]:
        """Return the stores whose ledgers are read at cutover and after settling."""
        return ()

    def costs(self, target: Target, params: P) -> tuple[CostItem, ...]:
        """Return what AWS bills besides what its faults and probes cost, such as a load that it makes."""
        return ()

    def notes(self, target: Target, params: P) -> tuple[str, ...]:
        """Return what the reader of the report must know of this method's limits."""
        return ()
