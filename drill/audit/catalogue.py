"""The checks that are installed, found through the entry points ``drill.audits``."""

import difflib
import inspect
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

from drill.audit.contract import Check
from drill.errors import UsageError

GROUP = "drill.audits"
_DECLARED = ("id", "title", "why", "severity", "mend", "source")


def every() -> tuple[Check, ...]:
    """Return all installed checks, in the order of their ids.

    Raises:
        UsageError: One is no valid plugin.

    """
    return tuple(_load(point) for point in sorted(entry_points(group=GROUP), key=lambda one: one.name))


def chosen(ids: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks of some ids, or all.

    Raises:
        UsageError: An id is unknown.

    """
    known = {check.id: check for check in every()}
    if not ids:
        return tuple(known.values())
    for one in ids:
        if one not in known:
            near = difflib.get_close_matches(one.upper(), known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            msg = f"no check {one!r}; {hint}list them with: drill audit --list"
            raise UsageError(msg)
    return tuple(known[one] for one in dict.fromkeys(ids))


def split(given: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of ``DR05,DR01``."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def _load(point: EntryPoint) -> Check:
    check_class = point.load()
    plugin = f"audit plugin {point.name} ({point.value})"
    if not (isinstance(check_class, type) and issubclass(check_class, Check)):
        msg = f"{plugin} is no subclass of drill.audit.contract.Check; mend or uninstall it"
        raise UsageError(msg)
    missing = [name for name in _DECLARED if not getattr(check_class, name, None)]
    if missing or inspect.isabstract(check_class):
        msg = f"{plugin} does not declare {', '.join(missing) or 'what it looks at'}; mend or uninstall it"
        raise UsageError(msg)
    if check_class.id != point.name:
        msg = f"{plugin} calls itself {check_class.id!r}; mend or uninstall it"
        raise UsageError(msg)
    return check_class()
