"""The ways in which a scenario can be run: its defaults, and each parameter changed once."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from drill.scenario import Params, Scenario


@dataclass(frozen=True, slots=True)
class Way:
    """A scenario with parameters.

    Attributes:
        scenario: The scenario.
        params: Its parameters.
        name: As it would be typed, for the name of a test.

    """

    scenario: Scenario[Any]
    params: Params
    name: str


def ways(scenario: Scenario[Any]) -> Iterator[Way]:
    """Yield a scenario with its defaults, then with every switch and every choice of its parameters.

    Numbers and texts are left at their defaults: nobody knows which of them mean anything.
    """
    yield Way(scenario, scenario.parameters(), scenario.name)
    for name, field in scenario.parameters.model_fields.items():
        for value in _others(field.annotation, field.default):
            try:
                params = scenario.parameters(**{name: value})
            except ValidationError:  # it asks for another parameter beside it
                continue
            flag = f"--{name.replace('_', '-')}"
            typed = flag if value is True else f"{flag}={value}"
            yield Way(scenario, params, f"{scenario.name} {typed}")


def _others(kind: Any, default: object) -> Iterator[object]:  # noqa: ANN401 (an annotation has no one type)
    if get_origin(kind) in {UnionType, Union}:
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if kind is bool:
        yield not default
    elif get_origin(kind) is Literal:
        yield from (choice for choice in get_args(kind) if choice != default)
