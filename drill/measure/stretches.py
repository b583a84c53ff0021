"""Good and bad stretches of a probe: where an outage begins, and where it ends for good.

Debounce decides *whether* there was an outage: at least ``failures`` bad attempts with fewer
than ``successes`` good ones in a row between them. Its edges are then dated back to the
first and the last of those. Fewer bad attempts than that are isolated and move no edge.
"""

from dataclasses import dataclass

from drill.measure.attempts import Attempts
from drill.measure.bounds import nanoseconds
from drill.measure.options import whole
from drill.model import History, MeasureSpec
from drill.target import Target

FAILURES = 3
SUCCESSES = 3
# More than this many intervals without an attempt is a hole, in which nobody knows anything.
HOLE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """When bad attempts are an outage, and when a good stretch is a recovery.

    Attributes:
        failures: Fewer bad attempts than this are isolated.
        successes: As many good attempts in a row end an outage.
        settle_ns: A recovered service stays good for this long.
        interval_ns: The probe's.

    """

    failures: int
    successes: int
    settle_ns: int
    interval_ns: int

    @property
    def enough_ns(self) -> int:
        """Return how far apart a settled stretch's first and last attempt must be sent.

        A window of ``settle_ns`` need not begin or end with an attempt.
        """
        return max(self.settle_ns - 2 * self.interval_ns, self.settle_ns // 2)


def rule(spec: MeasureSpec, history: History, target: Target) -> Rule:
    """Return the rule of a measure: its options, its probe's interval, the target's settling time."""
    return Rule(
        failures=whole(spec, "failures", FAILURES),
        successes=whole(spec, "successes", SUCCESSES),
        settle_ns=nanoseconds(target.timing.settle_s),
        interval_ns=nanoseconds(history.probes[spec.probe].interval_s),
    )


@dataclass(frozen=True, slots=True)
class Outage:
    """A debounced outage as places in the sequence of attempts.

    Attributes:
        first_bad: Its first bad attempt.
        last_bad: Its last one.

    """

    first_bad: int
    last_bad: int


def outages(every: Attempts, by: Rule) -> tuple[Outage, ...]:
    """Return the outages among attempts that are in the order of sending."""
    found: list[Outage] = []
    first = last = -1
    bads = 0
    for place in every.bad_places():
        if bads and place - last > by.successes:
            if bads >= by.failures:
                found.append(Outage(first, last))
            bads = 0
        first = first if bads else place
        last, bads = place, bads + 1
    if bads >= by.failures:
        found.append(Outage(first, last))
    return tuple(found)


def sustained(every: Attempts, span: range, by: Rule, cut: bool) -> int | None:
    """Return the place of the good attempt that starts a settled stretch.

    Args:
        every: Attempts in the order of sending.
        span: Places that hold no outage; the first follows an outage.
        by: What counts as settled.
        cut: The span ends only because nobody looked any longer, and what was seen was enough
            for the engine: the stretch may be shorter than the settling time.

    Returns:
        The place, or None when nothing shows that the service stayed good.

    """
    sent_ns, good = every.sent_ns, every.good
    start: int | None = None
    goods = 0
    for place in span:
        if place and sent_ns[place] - sent_ns[place - 1] > HOLE_INTERVALS * by.interval_ns:
            start, goods = None, 0
        if not good[place]:
            continue
        goods += 1
        start = place if start is None else start
        if sent_ns[place] - sent_ns[start] >= by.enough_ns:
            return start
    return start if cut and goods >= by.successes else None
