"""How often DynamoDB still lets the capacity of a table, or of an index, be decreased; pure.

Up to four decreases within an hour, if there were none before on that UTC day; after that one
whenever there was none in the hour before. Increases are never limited.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#decreasing-provisioned-throughput

DescribeTable tells how many there were today and when the last one was, not when the first was.
Where it hangs on that, a decrease is taken for possible: AWS refuses it whole if it is not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from drill.faults.table_description import Part

AT_FIRST = 4
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the quota.

    Attributes:
        now: Decreases that are possible now, at most.
        next_at: When the next one is possible.

    """

    now: int
    next_at: datetime


def left(part: Part, at: datetime) -> Left:
    """Return how many decreases of a part are left at a moment, and when the next is possible."""
    last = part.decreased_at
    if last is None or not part.decreases:
        return Left(AT_FIRST, at)
    if last + HOUR <= at:
        return Left(1, at)
    if part.decreases < AT_FIRST:
        return Left(AT_FIRST - part.decreases, at)
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(days=1)
    return Left(0, min(last + HOUR, midnight))
