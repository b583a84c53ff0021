"""The system that a command drills: the target file's, or a lab started for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

from drill import target
from drill.errors import UsageError
from drill.plan import Plan
from drill.target import Target


class _Told(Protocol):
    def said(self, line: str) -> None: ...


@contextmanager
def drilled(path: Path | None, profile: str, root: Path, told: _Told) -> Iterator[Target]:
    """Yield the target of a file; without one, of a lab that lives as long as the block.

    The lab outlives this process while a run under ``root`` still has something to undo.
    """
    if path is not None:
        yield target.load(path)
        return
    with session_room().temporary(profile, root, told.said) as lab_target:
        yield lab_target


def permit(the_plan: Plan) -> None:
    """Permit the drills' role of a lab that was started for this drill what its scenario declares."""
    from infra.lab.permit import permit as permit_on_lab

    permit_on_lab(the_plan)


def session_room() -> ModuleType:
    """Return ``infra.lab.session``, which needs what the extra ``lab`` installs.

    Raises:
        UsageError: That extra is not installed.

    """
    try:
        return import_module("infra.lab.session")
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] in {"infra", "drill"}:
            raise
        msg = f"the lab needs {problem.name}, which is missing; install it with: pip install 'drill[lab]'"
        raise UsageError(msg) from problem
