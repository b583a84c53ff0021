"""What a check is given: the system, and the ways to ask it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drill.audit.reads import Reads
from drill.target import Region, Target


@dataclass(frozen=True, slots=True)
class System:
    """A deployed system under audit.

    Attributes:
        target: What its target file says.
        reads: Asks AWS.
        at: When the audit began.
        runs: The folder of all drills.
        drilled_within_days: How old the newest drill of a scenario may be.

    """

    target: Target
    reads: Reads
    at: datetime
    runs: Path
    drilled_within_days: float

    @property
    def regions(self) -> tuple[Region, Region]:
        """Both regions, the primary first."""
        return self.target.primary, self.target.standby

    @property
    def pairs(self) -> Iterator[tuple[Region, Region]]:
        """Each region with the other one."""
        yield self.target.primary, self.target.standby
        yield self.target.standby, self.target.primary

    def role(self, region: Region) -> str:
        """Return ``primary`` or ``standby``, as keys of the target file begin."""
        return "primary" if region.name == self.target.primary.name else "standby"
