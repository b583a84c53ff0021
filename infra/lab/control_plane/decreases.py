"""How often DynamoDB lets the capacity of a table, or of an index, be decreased; pure.

Four decreases within an hour, if there were none before on that UTC day; after that one
whenever there was none in the hour before. Wall-clock time in every lab: the quota is read
by its dates in DescribeTable.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#decreasing-provisioned-throughput

A lab that is started with ``DRILL_LAB_FORGETS_DECREASES=1`` keeps none in mind, and has no quota: for
tests that lower a capacity more often than that.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

AT_FIRST = 4
HOUR = timedelta(hours=1)
FORGETS = "DRILL_LAB_FORGETS_DECREASES"


@dataclass(frozen=True, slots=True)
class CapacityHistory:
    """When the capacity of a table, or of an index, was changed.

    Attributes:
        increased_at: The last increase.
        decreased_at: Every decrease of the current UTC day and the last one before, oldest first.

    """

    increased_at: datetime | None = None
    decreased_at: tuple[datetime, ...] = ()

    def today(self, now: datetime) -> tuple[datetime, ...]:
        """Return the decreases of the current UTC day."""
        return tuple(at for at in self.decreased_at if at.date() == now.date())

    def after(self, before: Sequence[int], wanted: Sequence[int], now: datetime) -> "CapacityHistory":
        """Return the history with a change of reads and writes; one that raises and lowers is both."""
        pairs = list(zip(before, wanted, strict=True))
        raised = any(new > old for old, new in pairs)
        lowered = any(new < old for old, new in pairs)
        decreases = self.decreased_at
        if lowered and os.environ.get(FORGETS) != "1":
            today = self.today(now)
            decreases = (*(today or decreases[-1:]), now)
        return CapacityHistory(now if raised else self.increased_at, decreases)


def next_decrease_at(history: CapacityHistory, now: datetime) -> datetime:
    """Return when a decrease is allowed: ``now``, or later."""
    today = history.today(now)
    if not history.decreased_at:
        return now
    first_hour = bool(today) and now - today[0] < HOUR
    if (not today) or (first_hour and len(today) < AT_FIRST):
        return now
    hour_later = history.decreased_at[-1] + HOUR
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    return max(now, min(hour_later, midnight))


def refusal(history: CapacityHistory, now: datetime, index: str) -> str:
    """Return why a decrease is refused now, naming the index; empty if it is not."""
    allowed_at = next_decrease_at(history, now)
    if allowed_at <= now:
        return ""
    what = f" of the index {index}" if index else ""
    return (
        f"Subscriber limit exceeded: Provisioned throughput decreases{what} are limited within a given "
        f"UTC day. After the first {AT_FIRST} decreases, each subsequent decrease in the same UTC day can be "
        f"performed at most once every {HOUR.seconds} seconds. Number of decreases today: "
        f"{len(history.today(now))}. Last decrease at {_iso(history.decreased_at[-1])}. "
        f"Next decrease can be made at {_iso(allowed_at)}"
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
