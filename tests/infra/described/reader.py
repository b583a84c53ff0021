"""Reads a resource back through its service, in CloudFormation's names, and compares it with the template."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ClientOf = Callable[[str, str], Any]
"""Returns a boto3 client of a service (first) in a region (second)."""

Reader = Callable[[ClientOf, str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Takes clients, region, physical id and the declared properties; returns the properties as described."""


def differences(declared: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
    """Return a line for each declared property that its service does not show as declared."""
    return [
        f"{name}: declared {value!r}, described {described.get(name)!r}"
        for name, value in declared.items()
        if not shows(value, described.get(name), name)
    ]


def shows(declared: Any, described: Any, name: str = "") -> bool:
    """Say whether a value is described as it was declared.

    Numbers and truth values may be text, JSON may be text or a document, lists may be in
    another order, and a mapping may have keys besides. Tags may be more: those of the stack.
    """
    declared, described = _plain(declared), _plain(described)
    if isinstance(declared, Mapping) and isinstance(described, Mapping):
        return all(shows(value, described.get(key), key) for key, value in declared.items())
    if isinstance(declared, list) and isinstance(described, list):
        more = name.endswith("Tags")
        return (more or len(declared) == len(described)) and _each_has_its_own(declared, described)
    return bool(declared == described)


def _each_has_its_own(declared: Sequence[Any], described: Sequence[Any]) -> bool:
    left = list(described)
    for one in declared:
        found = next((other for other in left if shows(one, other)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}" if abs(value) < 1e6 else str(int(value))
    if isinstance(value, str):
        return _document(value)
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def _document(text: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower()
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
