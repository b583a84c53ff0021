"""Reads CloudFormation's YAML and JSON as plain values: short forms written out, dates left as text."""

from typing import Any

import yaml

# The one of libyaml where PyYAML was built with it: templates are long.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    """Return a template, with every ``Fn::GetAtt`` as resource and attribute.

    Raises:
        ValueError: It is neither YAML nor JSON, or not a mapping; the text is one line.

    """
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader with CloudFormation's tags)
    except yaml.YAMLError as problem:
        raise ValueError(" ".join(str(problem).split())) from problem
    if not isinstance(found, dict):
        msg = "unsupported structure."
        raise ValueError(msg)  # noqa: TRY004 (the text is wrong, not what was passed)
    whole: dict[str, Any] = _whole_attributes(found)
    return whole


def _whole_attributes(value: Any) -> Any:  # noqa: ANN401 (whatever YAML holds)
    if isinstance(value, dict):
        if set(value) == {"Fn::GetAtt"}:
            asked = value["Fn::GetAtt"]
            parts = asked.split(".") if isinstance(asked, str) else asked
            return {"Fn::GetAtt": [parts[0], ".".join(parts[1:])]}
        return {key: _whole_attributes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_attributes(item) for item in value]
    return value
