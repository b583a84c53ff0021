"""Calls to one API, no faster than it takes them: a bucket of tokens, for any number of threads."""

import threading

from drill import clock

# Well under what AWS grants an account for reads, which others in it make too: EC2 refills 20 a second,
# https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
PER_S = 10.0
BURST = 20.0


class Rate:
    """Lets a call through at once as long as there are tokens, then so many a second."""

    def __init__(self, per_s: float = PER_S, burst: float = BURST) -> None:
        """Begin with a full bucket.

        Args:
            per_s: Tokens that come back a second.
            burst: How many there are at most.

        """
        self._per_s, self._burst = per_s, burst
        self._tokens = burst
        self._at_ns = clock.monotonic_ns()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take a token, and wait until it is there."""
        with self._lock:
            now_ns = clock.monotonic_ns()
            grown = self._tokens + (now_ns - self._at_ns) / 1e9 * self._per_s
            self._tokens, self._at_ns = min(self._burst, grown) - 1, now_ns
            behind_s = -self._tokens / self._per_s
        clock.sleep(behind_s)
