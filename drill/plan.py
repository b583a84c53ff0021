"""A plan: what a drill will touch, in order, worked out before anything is.

Pure: a scenario, its parameters and a target in, a value out.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from drill import dead_man
from drill.errors import NoSuchRun, UsageError
from drill.faults.contract import Call, Fault, Resource
from drill.faults.registry import arguments, build
from drill.model import CostItem, GuardSpec, Json, MeasureSpec, Objective, ProbeSpec
from drill.scenario import P, Scenario, Step
from drill.stop_expression import parse
from drill.target import Objectives, Target

FILE = "plan.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One injection, or one step of the recovery procedure, as the plan shows it.

    Attributes:
        name: The step's name.
        fault: The fault's kind.
        args: Its arguments.
        description: One line.
        touches: What it changes.
        calls: The AWS calls that it may make.
        dead_man: What undoes it when nobody is left to do it, or why nothing does; one line.
        needs: Earlier steps whose product it uses: known after them.
        costs: What AWS bills because of it.
        undo_within_s: How long its undo may take to show.

    """

    name: str
    fault: str
    args: Mapping[str, Json]
    description: str
    touches: tuple[Resource, ...]
    calls: tuple[Call, ...]
    dead_man: str
    needs: tuple[str, ...] = ()
    costs: tuple[CostItem, ...] = ()
    undo_within_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a drill will do, and against what."""

    schema: int
    scenario: str
    title: str
    hypothesis: str
    covers: tuple[str, ...]
    notes: tuple[str, ...]
    params: Mapping[str, Json]
    target: Target
    steps: tuple[PlannedStep, ...]
    guards: tuple[GuardSpec, ...]
    probes: tuple[ProbeSpec, ...]
    measures: tuple[MeasureSpec, ...]
    objectives: tuple[Objective, ...]
    ledger_stores: tuple[str, ...]
    recovery: tuple[PlannedStep, ...] = ()
    awaited: str = ""
    costs: tuple[CostItem, ...] = ()

    @property
    def every_step(self) -> tuple[PlannedStep, ...]:
        """Return the injections and the recovery procedure, in order."""
        return (*self.steps, *self.recovery)

    @property
    def expected_s(self) -> tuple[float, float]:
        """Return how long the drill takes at least, and when it gives up at the latest.

        What takes long to undo, such as a database to delete, is given the time that its step says.
        """
        timing = self.target.timing
        least = timing.warm_up_s + 2 * timing.settle_s
        long_s = sum(one.undo_within_s for one in self.every_step if one.undo_within_s > timing.effect_s)
        return least, least + timing.deadline_s + timing.failback_s + long_s


def make(scenario: Scenario[P], params: P, target: Target) -> Plan:
    """Work out the plan of a drill; nothing is touched.

    Raises:
        UsageError: The scenario declares steps that could not be undone from a journal.

    """
    injected, recovery = scenario.steps(target, params), scenario.recovery(target, params)
    _check(scenario.name, (*injected, *recovery))
    return Plan(
        schema=SCHEMA,
        scenario=scenario.name,
        title=scenario.title,
        hypothesis=scenario.hypothesis,
        covers=scenario.covers,
        notes=scenario.notes(target, params),
        params=params.model_dump(mode="json"),
        target=target,
        steps=tuple(_planned(step, target) for step in injected),
        guards=scenario.guards(target, params),
        probes=scenario.probes(target, params),
        measures=scenario.measures(target, params),
        objectives=scenario.objectives(target, params),
        ledger_stores=scenario.ledger_stores(target, params),
        recovery=tuple(_planned(step, target) for step in recovery),
        awaited=scenario.awaited,
        costs=scenario.costs(target, params),
    )


def _planned(step: Step, target: Target) -> PlannedStep:
    fault = step.fault
    return PlannedStep(
        step.name,
        fault.kind,
        arguments(fault),
        fault.describe(),
        fault.touches(),
        fault.calls,
        _dead_man(fault, target),
        step.needs,
        fault.costs,
        max(target.timing.effect_s, fault.undo_within_s),
    )


def _dead_man(fault: Fault, target: Target) -> str:
    if fault.plain_undo and not dead_man.possible(target):
        return (
            "none: the target file names no role or no group for EventBridge Scheduler "
            "(drills.scheduler_role_arn, drills.schedule_group)"
        )
    return fault.dead_man_note


def _check(scenario: str, steps: Sequence[Step]) -> None:
    """Refuse steps whose undo a later process could not find or build again."""
    names = [step.name for step in steps]
    if len(set(names)) != len(names):
        msg = f"scenario {scenario} has two steps of one name ({', '.join(names)}); mend or uninstall it"
        raise UsageError(msg)
    for step in steps:
        if build(step.fault.kind, arguments(step.fault)) != step.fault:
            msg = f"fault {step.fault.kind} of step {step.name} does not survive a journal; mend it"
            raise UsageError(msg)
    for place, step in enumerate(steps):
        unknown = set(step.needs) - set(names[:place])
        if unknown:
            msg = f"step {step.name} needs {', '.join(sorted(unknown))}, which is no earlier step; mend it"
            raise UsageError(msg)


def with_objectives(target: Target, scenario: str, asked: Objectives) -> Target:
    """Return the target with objectives given on the command line before its own."""
    given = asked.model_dump(exclude_none=True)
    own = target.objectives_for(scenario)
    merged = own.model_copy(update=given)
    return target.model_copy(update={"objectives": {**target.objectives, scenario: merged}})


def with_stops(target: Target, when: Sequence[str]) -> Target:
    """Return the target with stop conditions given on the command line after its own.

    Raises:
        UsageError: One can't be read; the text says what was expected.

    """
    stop = target.stop.model_copy(update={"when": (*target.stop.when, *stops_of(when))})
    return target.model_copy(update={"stop": stop})


def stops_of(when: Sequence[str]) -> tuple[str, ...]:
    """Return stop conditions as they are kept.

    Raises:
        UsageError: One can't be read; the text says what was expected.

    """
    try:
        return tuple(parse(text).text for text in when)
    except ValueError as problem:
        msg = f"--stop-when: {problem}; see: drill run --help"
        raise UsageError(msg) from problem


_ADAPTER: TypeAdapter[Plan] = TypeAdapter(Plan)


def write(plan: Plan, folder: Path) -> None:
    """Write the plan into a run's folder and on to the disk: a rollback needs it."""
    with (folder / FILE).open("wb") as file:
        file.write(_ADAPTER.dump_json(plan, indent=1, by_alias=True))
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Plan:
    """Read the plan of a run.

    Raises:
        NoSuchRun: The folder has none.
        UsageError: It is damaged or of another version.

    """
    try:
        raw = (folder / FILE).read_bytes()
    except OSError as problem:
        msg = f"{folder.name} has no plan: {problem.strerror}; list the runs with: drill runs"
        raise NoSuchRun(msg) from problem
    try:
        return _ADAPTER.validate_json(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        msg = f"plan of {folder.name} is damaged or of another version: {key}: {first['msg']}"
        raise UsageError(msg) from problem


def as_json(plan: Plan) -> str:
    """Return the plan as JSON text."""
    return _ADAPTER.dump_json(plan, indent=1, by_alias=True).decode()
