"""One drill per target at a time: on this machine by a file, on all machines by a lease table.

A lease has a *fence*: a number that grows with each holder. Whoever acts on the target or
writes its journal asks :meth:`Lease.check` first; a holder that was paused while another took
over is told so then, and does nothing more.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from drill import lease_file, lease_table
from drill.aws import Aws
from drill.lease_file import FileLease
from drill.lease_table import TableLease
from drill.model import Json
from drill.process import Process
from drill.target import Target


@dataclass(frozen=True, slots=True)
class Lease:
    """A held target.

    Attributes:
        file: Held on this machine.
        table: Held on all machines; None where the target names no lease table.

    """

    file: FileLease
    table: TableLease | None

    @property
    def fence(self) -> int:
        """The number of this holder, on all machines if it is held there."""
        return self.table.fence if self.table else self.file.fence

    def lost(self) -> str:
        """Return why a drill must stop: the lease is lost, or can't be renewed; empty if all is well."""
        return self.file.lost() or (self.table.lost() if self.table else "")

    def check(self) -> None:
        """Return if this process may still act.

        Raises:
            LeaseLost: Another holds the target.
            DrillError: Nobody can say who does.

        """
        self.file.check()
        if self.table:
            self.table.check()

    def remember(self, step: str, undo: Mapping[str, Json]) -> None:
        """Keep what the undo of a step needs where another machine finds it.

        Raises:
            DrillError: It could not be written.

        """
        if self.table:
            self.table.remember(step, undo)

    def forget(self, step: str) -> None:
        """Take the undo of a step out again: it is done.

        Raises:
            DrillError: It could not be written.

        """
        if self.table:
            self.table.forget(step)


@contextmanager
def taken(
    root: Path, target: Target, aws: Aws, run_id: str, dead_fence: int | None = None
) -> Iterator[Lease]:
    """Hold a target for as long as the block runs.

    Args:
        root: The folder of all runs.
        target: What is held.
        aws: Where its lease table is.
        run_id: The drill; whoever goes on with a run's undo names that run.
        dead_fence: The fence of a holder that is known to be dead.

    Raises:
        Refused: Another drill holds it, or left something broken.
        DrillError: The lease can't be written.

    """
    with ExitStack() as stack:
        file = stack.enter_context(lease_file.taken(root, target.name))
        table = None
        if target.drills.lease_table:
            holder = str(Process.own())
            table = stack.enter_context(lease_table.taken(aws, target, run_id, holder, dead_fence))
        yield Lease(file, table)
