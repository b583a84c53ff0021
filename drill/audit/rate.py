"""Calls to one API, no faster than it takes them: a bucket of tokens, for any number of threads."""

import threading

from drill import clock

# Well under what AWS grants an account for reads, which others in it make too: EC2 refills 20 a second,
# https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
PER_S = 10.0
BURST = 20.0

# Of each service that grants less: tokens a second, and how many there are at most. Route 53 grants an
# account 10 requests a second, and 5 until July 2026; both leave room beside this.
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
_LESS = {"route53": (4.0, 4.0)}


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

    @classmethod
    def of(cls, service: str) -> "Rate":
        """Return the rate of a service, by boto3's name."""
        return cls(*_LESS.get(service, (PER_S, BURST)))

    def wait(self) -> None:
        """Take a token, and wait until it is there."""
        with self._lock:
            now_ns = clock.monotonic_ns()
            grown = self._tokens + (now_ns - self._at_ns) / 1e9 * self._per_s
            self._tokens, self._at_ns = min(self._burst, grown) - 1, now_ns
            behind_s = -self._tokens / self._per_s
        clock.sleep(behind_s)
