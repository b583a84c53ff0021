"""What a scenario and a fault must declare; each function yields what does not hold, one line each."""

import inspect
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import DataNotFoundError

from drill import catalogue, journal, plan
from drill.errors import DrillError, UsageError
from drill.faults import registry
from drill.faults.contract import Call, Fault
from drill.journal import Journal
from drill.measure import KINDS as MEASURES
from drill.model import Between, History, Marks
from drill.probes.catalogue import probes
from drill.probes.contract import Context
from drill.scenario import Scenario, Step
from drill.target import Target
from drill.testing.untouched import untouched
from drill.testing.ways import Way

_MOMENTS = frozenset({"capture", "arm", "inject", "undo", "undone"})


def of_scenario(scenario: Scenario[Any]) -> Iterator[str]:
    """Yield what a scenario does not declare as it must."""
    try:
        found = catalogue.find(scenario.name)
    except UsageError as problem:
        yield f"{problem}; is there an entry point {scenario.name!r} in the group {catalogue.GROUP}?"
    else:
        if type(found) is not type(scenario):
            yield f"the entry point {scenario.name!r} is {type(found).__qualname__}, another class"
    texts = (("title", scenario.title), ("awaited", scenario.awaited))
    for name, text in (*texts, *(("covers", text) for text in scenario.covers)):
        yield from _one_line(name, text, ends="")
    yield from _one_line("hypothesis", scenario.hypothesis, ends=".")
    yield from _of_parameters(scenario)


def _of_parameters(scenario: Scenario[Any]) -> Iterator[str]:
    for name, field in scenario.parameters.model_fields.items():
        if not field.description:
            yield f"parameter {name} has no description: Field(description=…)"
        if field.is_required():
            yield f"parameter {name} has no default: a drill runs without any"


def of_way(way: Way, target: Target) -> Iterator[str]:
    """Yield what is wrong with what a scenario asks for with these parameters."""
    scenario, params = way.scenario, way.params
    specs = scenario.probes(target, params)
    try:
        probes(specs, Context.of(target, "run-1"))
    except UsageError as problem:
        yield str(problem)
    watched = {spec.name for spec in specs}
    for measure in scenario.measures(target, params):
        if measure.kind not in MEASURES:
            yield f"no measure {measure.kind!r}; it is one of {', '.join(sorted(MEASURES))}"
        if measure.probe and measure.probe not in watched:
            yield f"the measure {measure.kind} reads {measure.probe!r}, which is no probe of this scenario"
    yield from _of_nothing_seen(way, target)


def _of_nothing_seen(way: Way, target: Target) -> Iterator[str]:
    """Yield what a scenario claims of a history in which nobody has seen anything."""
    scenario, params = way.scenario, way.params
    specs = {spec.name: spec for spec in scenario.probes(target, params)}
    before = History(specs, {name: [] for name in specs}, Marks(0))
    claims: list[tuple[str, Callable[[History], bool]]] = [
        ("steady", lambda seen: scenario.steady(target, seen, 0, target.timing.warm_up_s)),
        ("took_effect", lambda seen: scenario.took_effect(target, params, seen)),
        ("ended", lambda seen: scenario.ended(target, params, seen)),
    ]
    for name, claim in claims:
        if claim(before):
            yield f"{name} holds before anything was injected or seen"
    if not scenario.steps(target, params):
        return  # the scenario only declares a disaster: there is nothing that could bite
    injected = History(specs, before.observations, Marks(0, injected=Between(1, 2)))
    for name, claim in claims[1:]:
        if claim(injected):
            yield f"{name} holds though no probe saw anything: a fault that does not bite would count"


def of_purity(way: Way, target: Target) -> Iterator[str]:
    """Yield what a plan calls, and where two plans of the same differ."""
    plan.make(way.scenario, way.params, target)  # what is imported on the way is read from the disk
    with untouched() as called:
        first, second = (plan.make(way.scenario, way.params, target) for _ in range(2))
    for call in called:
        yield f"planning calls somebody: {call}"
    if first != second or plan.as_json(first) != plan.as_json(second):
        yield "two plans of the same scenario, parameters and target are not the same"


def steps_of(way: Way, target: Target) -> tuple[Step, ...]:
    """Return every step of a scenario, the recovery procedure's too."""
    scenario, params = way.scenario, way.params
    return (*scenario.steps(target, params), *scenario.recovery(target, params))


def of_round_trip(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the steps whose fault is another one after a journal was written and read."""
    every = tuple(steps)
    with tempfile.TemporaryDirectory(prefix="drill-journal-") as place:
        folder = Path(place) / "run"
        folder.mkdir()
        with Journal.create(folder, "conformance", "conformance") as written:
            for step in every:
                written.intend(step.name, step.fault.kind, registry.arguments(step.fault), {})
        read = {one.step: one for one in journal.pending(journal.read(folder))}
    for step in every:
        try:
            built = registry.build(read[step.name].fault, read[step.name].args)
        except DrillError as problem:
            yield f"step {step.name}: {problem}"
            continue
        if built != step.fault:
            yield f"step {step.name}: the journal gives {built!r} for {step.fault!r}"


def of_fault(fault: Fault) -> Iterator[str]:
    """Yield what a fault does not declare as it must."""
    parameters = getattr(fault, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        yield f"{fault.kind} is no frozen dataclass"
    if inspect.getattr_static(type(fault), "kind", None) != fault.kind:
        yield f"{type(fault).__qualname__} does not declare its kind"
    if type(registry.build(fault.kind, registry.arguments(fault))) is not type(fault):
        yield f"the entry point {fault.kind!r} in the group {registry.GROUP} is another class"
    yield from _one_line(f"{fault.kind}: describe()", fault.describe(), ends="")
    yield from _one_line(f"{fault.kind}: dead_man_note", fault.dead_man_note, ends="")
    for call in fault.calls:
        yield from (f"{fault.kind}: {problem}" for problem in _of_call(call))


def _of_call(call: Call) -> Iterator[str]:
    named = f"{call.service}:{call.action}"
    if call.when not in _MOMENTS:
        yield f"{named} is made when {call.when!r}, which is none of {', '.join(sorted(_MOMENTS))}"
    if not call.resources:
        yield f"{named} names no resource: '*' where IAM knows none"
    try:
        operations = operations_of(call.service)
    except DataNotFoundError:
        yield f"boto3 knows no service {call.service!r}"
        return
    if call.action not in operations:
        yield f"boto3's {call.service} has no call {call.action}"
    json.dumps(dict(call.conditions))


@cache
def operations_of(service: str) -> frozenset[str]:
    """Return the calls of a service, as its own model names them.

    Raises:
        DataNotFoundError: botocore knows no such service.

    """
    return frozenset(botocore.session.get_session().get_service_model(service).operation_names)


def _one_line(name: str, text: str, *, ends: str) -> Iterator[str]:
    if not text or text != " ".join(text.split()):
        yield f"{name} is no line of text: {text!r}"
    elif ends and not text.endswith(ends):
        yield f"{name} does not end with a full stop: {text!r}"
    elif not ends and text.endswith("."):
        yield f"{name} ends with a full stop, and is put into other sentences: {text!r}"
