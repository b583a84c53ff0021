"""Read and write capacity of a DynamoDB table: what a request costs, and the bucket that it is taken from.

A bucket fills at the capacity per second and holds at most 300 seconds of what was not used,
as AWS keeps it; where the lab's clock is faster it holds as much less, and never less than a
second's worth. A new bucket begins with one second. A request is admitted while anything is
left and may take more than that: the next one then waits until the debt is paid.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
"""

from dataclasses import dataclass

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
BURST_S = 300.0
SHORTEST_S = 1.0


def write_units(size_bytes: int) -> int:
    """Return the units of one write: one for each KB that has begun.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    return max(1, -(-size_bytes // WRITE_UNIT_BYTES))


def read_units(size_bytes: int, *, consistent: bool) -> float:
    """Return the units of one read: one for each 4 KB that has begun, half of it if eventually consistent."""
    units = max(1, -(-size_bytes // READ_UNIT_BYTES))
    return float(units) if consistent else units / 2


def burst_s(clock_scale: float) -> float:
    """Return how many seconds of unused capacity a bucket keeps in a lab of this clock."""
    return max(SHORTEST_S, BURST_S * clock_scale)


@dataclass(slots=True)
class Bucket:
    """What is left of a capacity; times are monotonic seconds, and whoever uses it holds a lock.

    Attributes:
        rate: Units that come back each second.
        depth: The most that it holds.
        level: Units left at ``at_s``; below zero after a request that took more than was left.
        at_s: When the level was last reckoned.

    """

    rate: float
    depth: float
    level: float
    at_s: float

    def left(self, now_s: float) -> float:
        """Return the units that are left now."""
        level = self.level + (now_s - self.at_s) * self.rate
        self.level = min(self.depth, level)
        self.at_s = now_s
        return self.level

    def change(self, rate: float, depth: float, now_s: float) -> None:
        """Fill at another rate from now on; what is left stays, as far as it fits."""
        self.left(now_s)
        self.rate, self.depth = rate, depth
        self.level = min(self.level, depth)

    def wait_s(self, now_s: float) -> float:
        """Return how long it takes until a request is admitted; zero if it is now."""
        left = self.left(now_s)
        return 0.0 if left > 0 or self.rate <= 0 else -left / self.rate
