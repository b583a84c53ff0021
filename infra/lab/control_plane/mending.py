"""Replaces single functions of moto, and says so when moto has moved them."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

ACCOUNT = "123456789012"

Function = Callable[..., Any]


def replace(owner: type | ModuleType, name: str, mended: Callable[[Any], Any]) -> None:
    """Put ``mended(original)`` in the place of ``owner.name``; a second time changes nothing.

    Args:
        owner: The class, or the module of a plain function.
        name: Of the member.
        mended: Makes the new one from the old.

    Raises:
        RuntimeError: moto has no such function any more: the pinned version was changed.

    """
    original = vars(owner).get(name)
    if original is None:
        msg = f"moto moved {_full_name(owner)}.{name}: the lab needs its pinned version"
        raise RuntimeError(msg)
    if getattr(_function(original), "_mended_by_the_lab", False):
        return
    replacement = mended(original)
    _function(replacement)._mended_by_the_lab = True
    setattr(owner, name, replacement)


def add(owner: type, name: str, function: Function) -> None:
    """Give ``owner`` an action that moto lacks.

    Raises:
        RuntimeError: moto has it now, so that the lab's own is no longer needed.

    """
    present = getattr(owner, name, None)
    if present is function:
        return
    if present is not None:
        msg = f"moto has {owner.__qualname__}.{name} now: the lab's own must go"
        raise RuntimeError(msg)
    setattr(owner, name, function)


def _full_name(owner: type | ModuleType) -> str:
    return owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__qualname__}"


def _function(member: Any) -> Any:
    return member.fget if isinstance(member, property) else member
