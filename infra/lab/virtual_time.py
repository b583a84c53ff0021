"""The lab's clock for schedules: from the lab's start it runs faster than the real one.

``Profile.clock_scale`` says how much: with 0.02 an hour of it passes in 72 seconds. What is
written on a calendar (``cron``) and what lasts (``rate``, days of retention) follows this
clock; an instant that a caller names does not.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """Turns instants of the real clock into those of the lab's, and back.

    Attributes:
        scale: Real seconds that one second of this clock takes.
        started_s: When both clocks showed the same, in seconds since 1970.

    """

    scale: float
    started_s: float = field(default_factory=time.time)

    def shown_at(self, real_s: float) -> datetime:
        """Return what this clock shows at a real instant, in UTC."""
        return datetime.fromtimestamp(self.started_s + (real_s - self.started_s) / self.scale, UTC)

    def real_s(self, shown: datetime) -> float:
        """Return when this clock shows a time, in real seconds since 1970."""
        return self.started_s + (shown.timestamp() - self.started_s) * self.scale
