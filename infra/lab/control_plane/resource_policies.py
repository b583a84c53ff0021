"""Policies of topics, queues, keys and functions: may a service do this?

Only what services need of one another: the lab does not ask who a person is. Conditions that
are unknown here don't hold, so that a statement with one grants nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import fnmatch
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Access:
    """What a service wants to do.

    Attributes:
        principal: For example ``sns.amazonaws.com``.
        action: For example ``sqs:SendMessage``.
        resource: ARN of what it is done to.
        context: Condition keys in lower case, for example ``aws:sourcearn``.

    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def allows(policy: str | Mapping[str, Any] | None, access: Access) -> bool:
    """Say whether a resource's policy lets a service do something: allowed, and not denied."""
    document = json.loads(policy) if isinstance(policy, str) and policy else policy
    if not isinstance(document, Mapping):
        return False
    matching = [one for one in _many(document.get("Statement")) if _applies(one, access)]
    effects = {one.get("Effect") for one in matching}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], access: Access) -> bool:
    return (
        _is_principal(statement, access.principal)
        and _names(statement, "Action", access.action.lower(), str.lower)
        and _names(statement, "Resource", access.resource, str)
        and all(_holds(how, wanted, access) for how, wanted in (statement.get("Condition") or {}).items())
    )


def _is_principal(statement: Mapping[str, Any], principal: str) -> bool:
    named = statement.get("Principal")
    if isinstance(named, str):
        return named == "*"
    known = named or {}
    return principal in _many(known.get("Service")) or "*" in _many(known.get("AWS"))


def _names(statement: Mapping[str, Any], member: str, wanted: str, plain: Callable[[str], str]) -> bool:
    """Say whether a statement is about an action or a resource; ``Not…`` is about all others."""
    if f"Not{member}" in statement:
        return not any(_like(wanted, plain(str(one))) for one in _many(statement[f"Not{member}"]))
    return any(_like(wanted, plain(str(one))) for one in _many(statement.get(member, "*")))


def _holds(operator: str, wanted: Mapping[str, Any], access: Access) -> bool:
    optional = operator.endswith("IfExists")
    compare = _COMPARISONS.get(operator.removesuffix("IfExists"))
    if compare is None:
        return False
    for key, values in wanted.items():
        present = access.context.get(key.lower())
        if present is None:
            # Negated operators hold where there is no such key.
            if not optional and not operator.startswith(("StringNot", "ArnNot")):
                return False
        elif not compare(present, [str(value) for value in _many(values)]):
            return False
    return True


def _like(value: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _any_like(present: str, values: Iterable[str]) -> bool:
    return any(_like(present, value) for value in values)


_COMPARISONS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "StringEquals": lambda present, values: present in values,
    "StringEqualsIgnoreCase": lambda present, values: present.lower() in map(str.lower, values),
    "StringNotEquals": lambda present, values: present not in values,
    "StringLike": _any_like,
    "StringNotLike": lambda present, values: not _any_like(present, values),
    "ArnEquals": _any_like,
    "ArnLike": _any_like,
    "ArnNotEquals": lambda present, values: not _any_like(present, values),
    "ArnNotLike": lambda present, values: not _any_like(present, values),
    "Bool": lambda present, values: present.lower() in map(str.lower, values),
}


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
