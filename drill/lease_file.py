"""The lease of a target on one machine: an exclusive lock on a file beside the runs.

The kernel frees it when its holder ends, however it ends. In the file stands the fence.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drill import clock
from drill.errors import DrillError, LeaseLost, Refused

# Who only looks holds the lock for less than this.
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class FileLease:
    """A held lock.

    Attributes:
        path: Its file.
        descriptor: The locked file, open.
        fence: The number of this holder.

    """

    path: Path
    descriptor: int
    fence: int

    def lost(self) -> str:
        """Return why another could hold it too: its file was removed or replaced; empty if all is well."""
        try:
            same = self.path.stat().st_ino == os.fstat(self.descriptor).st_ino
        except FileNotFoundError:
            same = False
        return "" if same else f"the lease on the target was lost: {self.path} was removed"

    def check(self) -> None:
        """Return unless another holder's number stands in the file.

        Raises:
            LeaseLost: It does.

        """
        try:
            now = _fence(self.path.read_bytes())
        except FileNotFoundError:
            return  # a stop condition by itself; nobody else has taken it
        if now > self.fence:
            msg = f"another process took the target over (fence {now}, this one has {self.fence})"
            raise LeaseLost(msg)


def held(root: Path, target: str) -> bool:
    """Say whether some process holds the lease of a target now; makes and changes nothing.

    Raises:
        DrillError: Nobody can tell.

    """
    path = root / f".lease-{target}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as problem:
        msg = f"nobody can tell who holds {path}: {problem.strerror}; look at its folder's permissions"
        raise DrillError(msg) from problem
    try:
        # Let go at once: a drill that begins just now tries again.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def taken(root: Path, target: str) -> Iterator[FileLease]:
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
            _lock(descriptor)
        except OSError as problem:
            msg = f"another drill is running on {target}; see it with: drill runs"
            raise Refused(msg) from problem
        yield FileLease(path, descriptor, _next(path, descriptor))
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock, or raise; a lock that is gone soon was only looked at."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        clock.sleep(_LOOK_S)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _next(path: Path, descriptor: int) -> int:
    fence = _fence(os.pread(descriptor, 64, 0)) + 1
    try:
        # Longer numbers only: written over the old one, it is never torn into a smaller number.
        os.pwrite(descriptor, b"%020d\n" % fence, 0)
        os.fsync(descriptor)
    except OSError as problem:
        msg = f"lease {path} can't be written: {problem.strerror}; free some space first"
        raise DrillError(msg) from problem
    return fence


def _fence(raw: bytes) -> int:
    """Return the number in a lease's file; 0 in a new or damaged one."""
    text = raw.strip()
    return int(text) if text.isdigit() else 0
