"""How far one read of AWS's API is believed.

A read may be answered by a copy that has not heard of the last change yet, and then tells of things
as they were, or of nothing at all. Right after a change one answer is no proof of absence.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/query-api-troubleshooting.html#eventual-consistency
"""

from collections.abc import Callable

from drill import clock

READS = 3
"""So many reads in a row must say that nothing is left."""


def all_agree(says: Callable[[], bool]) -> bool:
    """Say whether several reads in a row all say so; the first that does not ends it."""
    return all(says() for _ in range(READS))


def shown(holds: Callable[[], bool], wait_s: float, poll_s: float) -> bool:
    """Read until something holds; return False if it does not in that time."""
    ends_ns = clock.monotonic_ns() + round(wait_s * 1e9)
    while not holds():
        if clock.monotonic_ns() >= ends_ns:
            return False
        clock.sleep(poll_s)
    return True
