"""A template's parameters: their values, or why CloudFormation refuses them, in its own words.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import re
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError


def values(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter's value: a number, a list of texts, or a text.

    Args:
        declared: The template's ``Parameters``.
        given: Values by name, as text; the others have their defaults.

    Raises:
        ValidationError: One is unknown, missing, or not as the template wants it.

    """
    texts = {name: text(given.get(name, slot.get("Default"))) for name, slot in declared.items()}
    _check(declared, given, texts)
    return {name: _typed(str(declared[name].get("Type", "String")), value) for name, value in texts.items()}


def text(value: Any) -> str:
    """Return a parameter's value as the API shows it."""
    if isinstance(value, list):
        return ",".join(text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(kind: str, value: str) -> Any:
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        items = [item.strip() for item in value.split(",")]
        return [_number(item) for item in items] if kind == "List<Number>" else items
    return _number(value) if kind == "Number" else value


def _number(value: str) -> int | float:
    return int(value) if value.lstrip("+-").isdigit() else float(value)


def _check(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], texts: Mapping[str, str]
) -> None:
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = sorted(name for name, slot in declared.items() if "Default" not in slot and name not in given)
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in texts.items():
        problem = _problem(name, declared[name], value)
        if problem:
            raise ValidationError(message=problem)


def _problem(name: str, slot: Mapping[str, Any], value: str) -> str:
    kind = str(slot.get("Type", "String"))
    if kind.startswith("AWS::SSM::"):
        return f"Parameter '{name}': the lab takes no values from the parameter store"
    if kind == "Number" and not _is_number(value):
        return f"Parameter '{name}' must be a number."
    listed = value.split(",") if kind == "CommaDelimitedList" or kind.startswith("List<") else [value]
    for one in listed:
        problem = _problem_of_one(name, slot, one.strip())
        if problem:
            return problem
    return ""


def _problem_of_one(name: str, slot: Mapping[str, Any], value: str) -> str:
    allowed = [str(item) for item in slot.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"Parameter '{name}' must be one of AllowedValues"
    pattern = slot.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), value):
        said = slot.get("ConstraintDescription") or f"must match pattern {pattern}"
        return f"Parameter '{name}' failed to satisfy constraint: {said}"
    if len(value) < int(slot.get("MinLength", 0)):
        return f"Parameter '{name}' must contain at least {slot['MinLength']} characters"
    if "MaxLength" in slot and len(value) > int(slot["MaxLength"]):
        return f"Parameter '{name}' must contain at most {slot['MaxLength']} characters"
    if "MinValue" in slot and float(value) < float(slot["MinValue"]):
        return f"Parameter '{name}' must be a number not less than {slot['MinValue']}"
    if "MaxValue" in slot and float(value) > float(slot["MaxValue"]):
        return f"Parameter '{name}' must be a number not greater than {slot['MaxValue']}"
    return ""


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
