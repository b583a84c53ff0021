"""The templates of the drilled system, read for the tests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cfnlint.decode import decode_str

FOLDER = files("infra") / "stacks"
NAMES = sorted(item.name for item in FOLDER.iterdir() if item.name.endswith(".yaml"))


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template.

    Attributes:
        name: Its logical id.
        kind: For example ``AWS::EC2::VPC``.
        properties: As the template says them.
        whole: With its policies, conditions and metadata.

    """

    name: str
    kind: str
    properties: Mapping[str, Any]
    whole: Mapping[str, Any]


def text(name: str) -> str:
    """Return a template as it is written."""
    return (FOLDER / name).read_text(encoding="utf-8")


def template(name: str) -> Mapping[str, Any]:
    """Return a template as plain values, its short forms as long ones."""
    found, problems = decode_str(text(name))
    assert not problems
    plain: Mapping[str, Any] = found
    return plain


def resources(name: str, *kinds: str) -> Iterator[Resource]:
    """Yield a template's resources, or those of some kinds alone."""
    for logical_id, whole in template(name)["Resources"].items():
        if not kinds or whole["Type"] in kinds:
            yield Resource(logical_id, whole["Type"], whole.get("Properties", {}), whole)


def everywhere(*kinds: str) -> Iterator[Resource]:
    """Yield the resources of some kinds of all templates."""
    for name in NAMES:
        yield from resources(name, *kinds)


def walk(value: Any) -> Iterator[Any]:
    """Yield a value and all that is within it."""
    yield value
    if isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)
