"""The conditions of a policy's statement. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from infra.lab.control_plane.permissions.patterns import Context, arn_like, filled, like, many

Comparison = Callable[[str, str], bool]

_ALL, _ANY, _IF_EXISTS = "ForAllValues:", "ForAnyValue:", "IfExists"


def hold(block: Mapping[str, Any] | None, context: Context) -> bool:
    """Say whether every condition of a statement holds for a request."""
    return all(
        _holds(operator, str(key), [_text(value) for value in many(values)], context)
        for operator, keys in (block or {}).items()
        for key, values in keys.items()
    )


def keys_of(block: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the condition keys that a statement asks about, as it writes them."""
    for keys in (block or {}).values():
        yield from map(str, keys)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    present = context.get(key.lower())
    if operator == "Null":
        return all((value.lower() == "true") is (present is None) for value in wanted)
    quantifier = next((one for one in (_ALL, _ANY) if operator.startswith(one)), "")
    named = operator.removeprefix(quantifier)
    compare, negated = _comparison(named.removesuffix(_IF_EXISTS))
    if compare is None:
        return False
    if not present:
        absent_holds = negated and quantifier != _ANY
        return absent_holds or quantifier == _ALL or named.endswith(_IF_EXISTS)
    patterns = [text for text in (filled(one, context) for one in wanted) if text is not None]

    def matches(value: str) -> bool:
        return any(_compared(compare, value, pattern) for pattern in patterns)

    if quantifier == _ALL:
        return all(matches(value) is not negated for value in present)
    if quantifier == _ANY:
        return any(matches(value) is not negated for value in present)
    return any(map(matches, present)) is not negated


def _compared(compare: Comparison, value: str, pattern: str) -> bool:
    with suppress(ValueError):  # what is no number, date or address is like none
        return compare(value, pattern)
    return False


def _comparison(operator: str) -> tuple[Comparison | None, bool]:
    """Return how an operator compares, and whether it is the opposite of that; None if unknown."""
    if operator in _NEGATED:
        return _COMPARISONS[_NEGATED[operator]], True
    return _COMPARISONS.get(operator), False


def _instant(text: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _within(value: str, pattern: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)


_COMPARISONS: Mapping[str, Comparison] = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringEqualsIgnoreCase": lambda value, pattern: value.lower() == pattern.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda value, pattern: value.lower() == pattern.lower(),
    "NumericEquals": lambda value, pattern: float(value) == float(pattern),
    "NumericLessThan": lambda value, pattern: float(value) < float(pattern),
    "NumericLessThanEquals": lambda value, pattern: float(value) <= float(pattern),
    "NumericGreaterThan": lambda value, pattern: float(value) > float(pattern),
    "NumericGreaterThanEquals": lambda value, pattern: float(value) >= float(pattern),
    "DateEquals": lambda value, pattern: _instant(value) == _instant(pattern),
    "DateLessThan": lambda value, pattern: _instant(value) < _instant(pattern),
    "DateLessThanEquals": lambda value, pattern: _instant(value) <= _instant(pattern),
    "DateGreaterThan": lambda value, pattern: _instant(value) > _instant(pattern),
    "DateGreaterThanEquals": lambda value, pattern: _instant(value) >= _instant(pattern),
    "IpAddress": _within,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
