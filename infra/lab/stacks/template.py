"""Reads templates: short forms, the order of resources, and properties with everything resolved."""

import copy
import graphlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap, clean_json

# The one of libyaml where PyYAML was built with it: templates are long.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUB = re.compile(r"\$\{([A-Za-z0-9:]+)(?:\.[A-Za-z0-9.]+)?\}")
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(arn:[^}]*?:secret:[^:}]+|[^:}]+)(?::([^}]*))?\}\}")


class _Loader(_SafeLoader):
    """YAML with CloudFormation's short forms; dates stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str) -> dict[str, Any]:
    """Return a template as plain values, with every ``Fn::GetAtt`` as resource and attribute.

    Raises:
        ValidationError: It is neither YAML nor JSON, or not a mapping.

    """
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader with CloudFormation's tags)
    except yaml.YAMLError as problem:
        where = " ".join(str(problem).split())
        raise ValidationError(message=f"Template format error: {where}") from problem
    if not isinstance(found, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    whole: dict[str, Any] = _whole_attributes(found)
    return whole


def _whole_attributes(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"Fn::GetAtt"}:
            asked = value["Fn::GetAtt"]
            parts = asked.split(".") if isinstance(asked, str) else asked
            return {"Fn::GetAtt": [parts[0], ".".join(parts[1:])]}
        return {key: _whole_attributes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_attributes(item) for item in value]
    return value


def order(template: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the resources' names so that each comes after those that it needs.

    Raises:
        ValidationError: A name is not defined, or resources need one another in a circle.

    """
    resources: Mapping[str, Any] = template.get("Resources", {})
    known = {*resources, *template.get("Parameters", {})}
    graph: dict[str, set[str]] = {}
    for name, resource in resources.items():
        after = resource.get("DependsOn", [])
        needed = {*_names_in(resource), *([after] if isinstance(after, str) else after)}
        missing = sorted(item for item in needed - known if not item.startswith("AWS::"))
        if missing:
            raise ValidationError(
                message="Template format error: Unresolved resource dependencies"
                f" [{', '.join(missing)}] in the Resources block of the template"
            )
        graph[name] = needed & set(resources)
    try:
        return tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as problem:
        circle = ", ".join(sorted(set(problem.args[1])))
        raise ValidationError(message=f"Circular dependency between resources: [{circle}]") from problem


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _names_in(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "Ref":
            yield item
        elif key == "Fn::GetAtt":
            yield item[0]
        elif key == "Fn::Sub":
            text, own = (item[0], item[1]) if isinstance(item, list) else (item, {})
            yield from (name for name in _SUB.findall(text) if name not in own)
            yield from _names_in(own)
        else:
            yield from _names_in(item)


def wanted(resource: Mapping[str, Any], resources: ResourceMap) -> bool:
    """Say whether a resource's condition holds."""
    condition = resource.get("Condition")
    return condition is None or bool(resources.lazy_condition_map[condition])


def properties(
    resource: Mapping[str, Any], resources: ResourceMap, client: Callable[[str], Any]
) -> dict[str, Any]:
    """Return a resource's properties with functions and dynamic references resolved.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """
    declared = _zones_named(copy.deepcopy(resource.get("Properties", {})), client)
    cleaned = clean_json(declared, resources)
    resolved: dict[str, Any] = _without_secrets_unresolved(cleaned, client)
    return resolved


def _zones_named(value: Any, client: Callable[[str], Any]) -> Any:
    """Put the zones of the stack's own region for ``Fn::GetAZs``; moto knows those of one region only."""
    if isinstance(value, list):
        return [_zones_named(item, client) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::GetAZs"} and value["Fn::GetAZs"] in ("", {"Ref": "AWS::Region"}):
        zones = client("ec2").describe_availability_zones()["AvailabilityZones"]
        return sorted(zone["ZoneName"] for zone in zones)
    return {key: _zones_named(item, client) for key, item in value.items()}


def _without_secrets_unresolved(value: Any, client: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets_unresolved(item, client) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets_unresolved(item, client) for item in value if item is not None]
    if isinstance(value, str) and "{{resolve:" in value:
        return _SECRET.sub(lambda found: _secret(found[1], found[2] or "", client), value)
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
