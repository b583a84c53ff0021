"""The system that a command drills: the target file's, or a lab started for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from drill import target
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
    from infra.lab import session

    with session.temporary(profile, root, told.said) as lab_target:
        yield lab_target
