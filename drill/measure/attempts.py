"""A probe's attempts as the measures read them: in the order in which they were sent.

Reading attempts by completion would lose a whole time-out when a fault makes them hang.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.model import Goodness, History, Observation


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was really sent.

    Attributes:
        sent_ns: When it was sent.
        done_ns: When its answer, or the lack of one, was known.
        good: Whether the client got what it asked for, from where it was awaited.

    """

    sent_ns: int
    done_ns: int
    good: bool


def attempts(history: History, probe: str, served_by: str | None = None) -> tuple[Attempt, ...]:
    """Return the attempts that were sent, in the order of sending.

    A client that got no answer was not served: what was sent and stayed unknown is not good.
    Attempts that were due and never sent are not here at all; they show nothing.

    Args:
        history: What was observed.
        probe: Whose attempts.
        served_by: Count an attempt as good only when this region answered it.

    """
    sent = [
        (seen.sent_ns, seen.number, seen.done_ns, _good(seen, served_by))
        for seen in history.observations.get(probe, ())
        if seen.sent_ns is not None and seen.done_ns is not None
    ]
    return tuple(Attempt(sent_ns, done_ns, good) for sent_ns, _, done_ns, good in sorted(sent))


def sent_in_order(history: History, probe: str) -> tuple[Observation, ...]:
    """Return a probe's observations that were sent and ended, whole, in the order of sending."""
    sent = (
        (seen.sent_ns, seen.number, seen)
        for seen in history.observations.get(probe, ())
        if seen.sent_ns is not None and seen.done_ns is not None
    )
    return tuple(seen for _, _, seen in sorted(sent, key=lambda one: one[:2]))


def _good(seen: Observation, served_by: str | None) -> bool:
    return seen.goodness is Goodness.GOOD and served_by in (None, seen.answered_by)


def sent_before(every: Sequence[Attempt], instant_ns: int | None) -> tuple[Attempt, ...]:
    """Return the attempts sent before an instant; all of them if it is None."""
    if instant_ns is None:
        return tuple(every)
    return tuple(one for one in every if one.sent_ns < instant_ns)
