"""Reads templates: short forms, the order of resources, and properties with everything resolved."""

import graphlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from infra import template_yaml

_SUB = re.compile(r"\$\{([^!{}][^{}]*)\}")
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(arn:[^}]*?:secret:[^:}]+|[^:}]+)(?::([^}]*))?\}\}")


def parse(text: str) -> dict[str, Any]:
    """Return a template as plain values, with every ``Fn::GetAtt`` as resource and attribute.

    Raises:
        ValidationError: It is neither YAML nor JSON, or not a mapping.

    """
    try:
        return template_yaml.parse(text)
    except ValueError as problem:
        raise ValidationError(message=f"Template format error: {problem}") from problem


def needs(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return for each resource the resources that must be there before it.

    Raises:
        ValidationError: A name is not defined, or resources need one another in a circle.

    """
    resources: Mapping[str, Any] = template.get("Resources", {})
    known = {*resources, *template.get("Parameters", {})}
    graph: dict[str, set[str]] = {}
    for name, resource in resources.items():
        after = resource.get("DependsOn", [])
        needed = {name for name, _ in references(resource)} | {
            *([after] if isinstance(after, str) else after)
        }
        missing = sorted(item for item in needed - known if not item.startswith("AWS::"))
        if missing:
            raise ValidationError(
                message="Template format error: Unresolved resource dependencies"
                f" [{', '.join(missing)}] in the Resources block of the template"
            )
        graph[name] = needed & set(resources)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as problem:
        circle = ", ".join(sorted(set(problem.args[1])))
        raise ValidationError(message=f"Circular dependency between resources: [{circle}]") from problem
    return graph


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield what a value refers to: a parameter, or a resource and, for ``Fn::GetAtt``, its attribute."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "Ref":
            yield item, ""
        elif key == "Fn::GetAtt":
            yield item[0], str(item[1])
        elif key == "Fn::Sub":
            yield from _references_of_text(item)
        else:
            yield from references(item)


def _references_of_text(given: Any) -> Iterator[tuple[str, str]]:
    text, own = given if isinstance(given, list) else (given, {})
    for name in map(str.strip, _SUB.findall(text)):
        if name not in own:
            resource, _, attribute = name.partition(".")
            yield resource, attribute
    yield from references(own)


def with_secrets(value: Any, client: Callable[[str], Any]) -> Any:
    """Put secrets' values where a template refers to them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """
    if isinstance(value, dict):
        return {key: with_secrets(item, client) for key, item in value.items()}
    if isinstance(value, list):
        return [with_secrets(item, client) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        resolved = _SECRET.sub(lambda found: _secret(found[1], found[2] or "", client), value)
        if "{{resolve:" in resolved:
            msg = f"the lab resolves references to secrets only, not {value}"
            raise ValueError(msg)
        return resolved
    return value


def _secret(secret_id: str, rest: str, client: Callable[[str], Any]) -> str:
    _kind, key, stage, version = (*rest.split(":"), "", "", "", "")[:4]
    call = {"SecretId": secret_id}
    if stage:
        call["VersionStage"] = stage
    if version:
        call["VersionId"] = version
    text: str = client("secretsmanager").get_secret_value(**call)["SecretString"]
    if not key:
        return text
    return str(json.loads(text)[key])
