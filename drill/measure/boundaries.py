"""Boundaries between phases: made to follow one another without claiming what nobody saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, pairwise

from drill.measure.attempts import Attempts
from drill.measure.bounds import elapsed_s, hull
from drill.model import Between, Phase


@dataclass(frozen=True, slots=True)
class Flip:
    """When something first became so.

    Attributes:
        at: When; None if it never did while anybody looked.
        not_before_ns: It was not so yet at this instant.

    """

    at: Between | None
    not_before_ns: int


def flip(every: Attempts, since: Between) -> Flip:
    """Return when something first became so after a call.

    Args:
        every: Readings in the order of sending; good means that it is so.
        since: The call.

    """
    first = every.next_good(every.place_since(since.earliest_ns))
    contrary = every.last_bad(before=None if first is None else every.place_since(every.sent_ns[first]))
    not_before_ns = since.earliest_ns
    if contrary is not None:
        not_before_ns = max(not_before_ns, every.sent_ns[contrary])
    if first is None:
        return Flip(None, not_before_ns)
    seen_ns = min(compress(every.done_ns[first:], every.good[first:]))
    return Flip(Between(not_before_ns, seen_ns), not_before_ns)


def in_sequence(seen: Sequence[Between]) -> tuple[Between, ...]:
    """Return boundaries of which each can follow the one before.

    Cause comes before effect, so a later boundary's lower bound holds for all after it and an
    earlier one's upper bound is at most those after it. Where what was seen contradicts that
    (an API that tells late, one name server that was asked before another), all boundaries in
    between are widened to hold everything that was seen: which came first is then not known.
    """
    merged = list(seen)
    while (pair := _contradiction(merged)) is not None:
        begin, end = pair
        whole = merged[begin]
        for place in range(begin + 1, end + 1):
            whole = hull(whole, merged[place])
        merged[begin : end + 1] = [whole] * (end + 1 - begin)
    lows = [max(one.earliest_ns for one in merged[: place + 1]) for place in range(len(merged))]
    highs = [min(one.latest_ns for one in merged[place:]) for place in range(len(merged))]
    return tuple(Between(low, high) for low, high in zip(lows, highs, strict=True))


def _contradiction(seen: Sequence[Between]) -> tuple[int, int] | None:
    """Return the first two boundaries of which the later surely came before the earlier."""
    for early in range(len(seen)):
        for late in range(len(seen) - 1, early, -1):
            if seen[early].earliest_ns > seen[late].latest_ns:
                return early, late
    return None


def check_telescoping(phases: Sequence[Phase]) -> None:
    """See that phases follow one another without a gap and add up to the whole.

    Raises:
        ValueError: They do not: the record would be wrong.

    """
    for before, after in pairwise(phases):
        if before.ends != after.begins:
            msg = f"phase {after.name} does not begin where {before.name} ends"
            raise ValueError(msg)
    ended = [(phase.begins, phase.ends) for phase in phases if phase.ends is not None]
    if not ended:
        return
    whole_low, whole_high = elapsed_s(ended[0][0], ended[-1][1])
    parts = [elapsed_s(begins, ends) for begins, ends in ended]
    low, high = sum(part[0] for part in parts), sum(part[1] for part in parts)
    # Sums of floats differ from the whole by rounding alone.
    slack = 1e-6
    if low > whole_high + slack or high < whole_low - slack:
        msg = (
            f"phases add up to {low:.3f} to {high:.3f} s, the whole is {whole_low:.3f} to {whole_high:.3f} s"
        )
        raise ValueError(msg)
