"""One drill per target at a time: an exclusive lock on a file beside the runs.

The kernel releases it when its holder ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drill.errors import DrillError, Refused


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease."""

    path: Path
    descriptor: int

    def lost(self) -> bool:
        """Say whether the lock's file was removed or replaced, so that another could hold it too."""
        try:
            return self.path.stat().st_ino != os.fstat(self.descriptor).st_ino
        except FileNotFoundError:
            return True


@contextmanager
def taken(root: Path, target: str) -> Iterator[Lease]:
    """Hold the lease of a target for as long as the block runs.

    Raises:
        Refused: Another drill holds it.
        DrillError: The lock's file can't be made.

    """
    path = root / f".lease-{target}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        msg = f"lease {path} can't be made: {problem.strerror}; choose another folder with: --runs DIR"
        raise DrillError(msg) from problem
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            msg = f"another drill is running on {target}; see it with: drill runs"
            raise Refused(msg) from problem
        yield Lease(path, descriptor)
    finally:
        os.close(descriptor)
