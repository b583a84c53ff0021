"""How policies name actions, resources and values: wildcards and variables. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Context = Mapping[str, tuple[str, ...]]
"""The values of condition keys; the keys are in lower case."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# An ARN is arn:partition:service:region:account:relative-id, and the last may hold colons.
_SEGMENTS = 6


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile("".join(parts), re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """Say whether a value is like a pattern, in which ``*`` is any text and ``?`` any character."""
    return _expression(pattern).fullmatch(value) is not None


def arn_like(arn: str, pattern: str) -> bool:
    """Say whether an ARN is like a pattern, part by part: a wildcard does not reach over a colon.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if pattern == "*" or ":" not in arn:
        return like(arn, pattern)
    parts, wanted = arn.split(":", _SEGMENTS - 1), pattern.split(":", _SEGMENTS - 1)
    return len(parts) == len(wanted) and all(map(like, parts, wanted))


def filled(pattern: str, context: Context) -> str | None:
    """Put in a pattern's variables; None if the request has no such value: it then matches nothing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    if "${" not in pattern:
        return pattern  # most are without, and a lab's every call asks for many
    unknown = False

    def value(found: re.Match[str]) -> str:
        nonlocal unknown
        name, _, fallback = found[1].partition(",")
        if name in {"*", "?", "$"}:
            return name
        values = context.get(name.strip().lower(), ())
        if len(values) == 1:
            return values[0]
        unknown = unknown or not fallback
        return fallback.strip().strip("'")

    text = _VARIABLE.sub(value, pattern)
    return None if unknown else text


def many(value: Any) -> list[Any]:
    """Return what a policy gives as one value or as a list of them."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
