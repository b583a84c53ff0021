"""The scenarios that are installed, found through the entry points ``drill.scenarios``."""

import difflib
import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from drill.errors import UsageError
from drill.scenario import Scenario

GROUP = "drill.scenarios"
OWN = "drill"
"""The package whose scenarios come along."""
# Run ids carry the name, and runs are found by their ids.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DECLARED = ("name", "title", "hypothesis", "covers", "parameters")


def names() -> tuple[str, ...]:
    """Return the names of all installed scenarios, sorted; none is loaded."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def find(name: str) -> Scenario[Any]:
    """Load a scenario and check that it declares what it must.

    Raises:
        UsageError: None has that name (the text suggests near ones), or it is no valid plugin.

    """
    return _load(point(name))


def point(name: str) -> EntryPoint:
    """Return the entry point of a scenario: which package it is from; it is not loaded.

    Raises:
        UsageError: None has that name; the text suggests near ones.

    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        msg = f"no scenario {name!r}; {hint}list them with: drill scenarios"
        raise UsageError(msg)
    return next(iter(found))


def is_own(name: str) -> bool:
    """Say whether a scenario comes along with drill.

    Raises:
        UsageError: None has that name.

    """
    package = point(name).dist
    return package is not None and package.name == OWN


def check_name(name: str) -> None:
    """Refuse a name that no scenario may have.

    Raises:
        UsageError: It is one.

    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name of a scenario: small letters, digits and dashes, such as cache-loss"
        raise UsageError(msg)


def _load(found: EntryPoint) -> Scenario[Any]:
    scenario_class = found.load()
    if not (isinstance(scenario_class, type) and issubclass(scenario_class, Scenario)):
        msg = f"scenario plugin {found.value} is no subclass of drill.scenario.Scenario; mend or uninstall it"
        raise UsageError(msg)
    plugin = f"scenario plugin {found.name} ({found.value})"
    missing = [name for name in _DECLARED if not getattr(scenario_class, name, None)]
    if missing:
        msg = f"{plugin} does not declare {', '.join(missing)}; mend or uninstall it"
        raise UsageError(msg)
    if not _NAME.fullmatch(found.name):
        msg = f"{plugin} must be named with small letters, digits and dashes; mend or uninstall it"
        raise UsageError(msg)
    if scenario_class.name != found.name:
        msg = f"{plugin} calls itself {scenario_class.name!r}; mend or uninstall it"
        raise UsageError(msg)
    return scenario_class()
