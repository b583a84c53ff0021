"""A scenario as a page of text: what it breaks and proves, what it takes, what it watches and calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from drill import catalogue, permissions, plan
from drill.plan import Plan
from drill.scenario import Params, Scenario
from drill.target import Target
from drill.testing.ways import Way, ways


def page(scenario: Scenario[Any], target: Target) -> Iterator[str]:
    """Yield what is known of a scenario without a system.

    Args:
        scenario: The scenario.
        target: One that names everything, on which it can plan all that it may.

    """
    yield f"{scenario.name}: {scenario.title}"
    yield f"  {scenario.hypothesis}"
    yield from ("", "Proves:", *(f"  {one}" for one in scenario.covers))
    yield from ("", "Parameters:", *(_parameters(scenario.parameters) or ["  none"]))
    plans = [(way, plan.make(scenario, way.params, target)) for way in ways(scenario)]
    for heading, of in _LISTED:
        yield from ("", f"{heading}:", *_by_way(plans, of))
    yield from ("", f"Waits for: {scenario.awaited}")
    yield from ("", *_documentation(catalogue.point(scenario.name)))


_LISTED: tuple[tuple[str, Callable[[Plan], Iterable[str]]], ...] = (
    ("Breaks with", lambda made: (step.fault for step in made.steps)),
    ("Recovers by", lambda made: (step.fault for step in made.recovery)),
    ("Blast radius", lambda made: (_place(one.kind, one.region, made) for one in _touched(made))),
    ("Watches", lambda made: (f"{spec.name} ({spec.kind})" for spec in made.probes)),
    ("Measures", lambda made: (spec.kind for spec in made.measures)),
    ("Guards besides those of every drill", lambda made: (spec.kind for spec in made.guards)),
    ("May call", lambda made: (action for one in permissions.statements(made) for action in one.actions)),
)


def _touched(made: Plan) -> Iterator[Any]:
    for step in made.every_step:
        yield from step.touches


def _place(kind: str, region: str, made: Plan) -> str:
    places = {made.target.primary.name: "primary", made.target.standby.name: "standby"}
    return f"{kind} ({places.get(region, region)})"


def _by_way(plans: list[tuple[Way, Plan]], of: Callable[[Plan], Iterable[str]]) -> Iterator[str]:
    """Yield what is so with the defaults, and below what each way has instead."""
    common = list(dict.fromkeys(of(plans[0][1])))
    yield f"  {', '.join(common) or 'nothing'}"
    for way, made in plans[1:]:
        instead = list(dict.fromkeys(of(made)))
        if instead != common:
            flag = way.name.partition(" ")[2]
            yield f"  with {flag}: {', '.join(instead) or 'nothing'}"


def _parameters(parameters: type[Params]) -> list[str]:
    described = parameters.model_json_schema().get("properties", {})
    return [f"  --{name.replace('_', '-')}: {_parameter(one)}" for name, one in described.items()]


def _parameter(schema: Mapping[str, Any]) -> str:
    kind = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    said = [_kind(kind), *_range(kind)]
    default = schema.get("default")
    said.append("left away by default" if default is None else f"by default {_typed(default)}")
    return f"{schema.get('description', '')} ({', '.join(said)})"


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return f"only {schema['const']}"
    kinds = {"boolean": "a switch", "integer": "a whole number", "number": "a number", "string": "a text"}
    return kinds.get(str(schema.get("type")), "a value")


def _range(schema: Mapping[str, Any]) -> Iterator[str]:
    for key, words in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    ):
        if key in schema:
            yield f"{words} {schema[key]:g}"


def _typed(default: object) -> str:
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)


def _documentation(found: EntryPoint) -> Iterator[str]:
    package = found.dist
    if package is None or package.name == catalogue.OWN:
        yield f"Documentation: docs/scenarios/{found.name}.md"
        return
    yield f"From: {package.name} {package.version} ({found.value})"
    for url in package.metadata.get_all("Project-URL", ()):
        label, _, address = str(url).partition(", ")
        if label.lower() == "documentation":
            yield f"Documentation: {address}"
