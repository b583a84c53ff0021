"""The checks that are installed, found through the entry points ``drill.audits``."""

import difflib
import inspect
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

from drill.audit.contract import Check
from drill.audit.judge import Unevaluated
from drill.errors import UsageError

GROUP = "drill.audits"
_DECLARED = ("id", "title", "why", "severity", "mend", "source")


def every() -> tuple[Check, ...]:
    """Return all installed checks, in the order of their ids.

    Raises:
        UsageError: One is no valid plugin.

    """
    return tuple(_load(point) for point in _points())


def usable() -> tuple[tuple[Check, ...], tuple[Unevaluated, ...]]:
    """Return the checks that can be loaded, and those that can't, each with the reason."""
    checks: list[Check] = []
    broken: list[Unevaluated] = []
    for point in _points():
        try:
            checks.append(_load(point))
        except UsageError as problem:
            broken.append(Unevaluated(point.name, "its plugin", str(problem)))
    return tuple(checks), tuple(broken)


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


def _points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda one: one.name)


def _load(point: EntryPoint) -> Check:
    try:
        check_class = point.load()
        wrong = _flaw(point, check_class)
        if not wrong:
            check: Check = check_class()
            return check
    except Exception as problem:  # noqa: BLE001 (whatever a module of somebody else's does when imported)
        said = " ".join(str(problem).split())
        wrong = f"can't be loaded: {type(problem).__name__}: {said}"
    package = point.dist.name if point.dist else ""
    of = f" of package {package}" if package else ""
    uninstall = f"uninstall it: pip uninstall {package}" if package else "uninstall its package"
    msg = f"audit plugin {point.name} ({point.value}){of} {wrong}; mend it, or {uninstall}"
    raise UsageError(msg)


def _flaw(point: EntryPoint, check_class: object) -> str:
    """Return what keeps something from being the check of an entry point; nothing if it is one."""
    if not (isinstance(check_class, type) and issubclass(check_class, Check)):
        return "is no subclass of drill.audit.contract.Check"
    missing = [name for name in _DECLARED if not getattr(check_class, name, None)]
    if missing or inspect.isabstract(check_class):
        return f"does not declare {', '.join(missing) or 'what it looks at'}"
    return "" if check_class.id == point.name else f"calls itself {check_class.id!r}"
