"""What the truth test came to: every drill's checks, and what must hold of all of them together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from tests.truth.case import Case, Check, Same, Span
from tests.truth.draw import Drill
from tests.truth.oracles import judged
from tests.truth.shift import MUTATIONS

NARROW_SHARE = 0.99
# A part of a measure that is wide in itself must not hide among all the others.
PART_SHARE = 0.98
# Both edges of a time from the impact lie between two attempts, so that it is as wide as is allowed, where
# the others have an interval to spare: one attempt that is sent a moment late makes it wide.
LESS: Mapping[str, float] = {"recovery_time/impact": 0.8}
# Fewer intervals than this say nothing of a share so near to all.
ENOUGH = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """One drill, judged.

    Attributes:
        drill: Which.
        checks: What was checked of it; empty if it came to no record.
        starved: Its probes were starved, on purpose or by a busy machine: its intervals must hold,
            and may be wide.
        complaint: Why it could not be judged; empty if it could.
        caught: For each mutation, the parts of measures that it was caught by.
        asked: The parts of measures that have intervals of some width, which a mutation can move.

    """

    drill: Drill
    checks: Sequence[Check]
    starved: bool = False
    complaint: str = ""
    caught: tuple[frozenset[str], ...] = ()
    asked: frozenset[str] = frozenset()

    @property
    def wrong(self) -> list[str]:
        """What is wrong with it."""
        told = [str(check) for check in self.checks if not check.inside]
        return [self.complaint, *told] if self.complaint else told

    @property
    def spans(self) -> list[Span]:
        """The intervals whose width is asked."""
        every = [check for check in self.checks if isinstance(check, Span) and check.allowed_ns is not None]
        return [] if self.starved else every


def verdict(case: Case) -> Verdict:
    """Judge a drill, and see that it would be red if its measures were wrong."""
    checks = judged(case)
    caught = tuple(
        frozenset(name(check) for check in judged(mutate(case)) if not check.inside)
        for mutate in MUTATIONS.values()
    )
    asked = frozenset(
        name(check)
        for check in checks
        if isinstance(check, Span) and check.width_ns is not None and check.part != "marker"
    )
    return Verdict(case.drill, checks, case.starved, "", caught, asked)


def name(check: Check) -> str:
    """Return what was checked, as measure and part."""
    return f"{check.measure}/{check.part}" if check.part else check.measure


def problems(verdicts: Sequence[Verdict], narrow_share: float = NARROW_SHARE) -> list[str]:
    """Return what must not be so, one line each; none means that the test passed."""
    told = [f"seed {one.drill.seed}: {what}" for one in verdicts for what in one.wrong]
    spans = [span for one in verdicts for span in one.spans]
    wide = [span for span in spans if not span.narrow]
    if len(wide) > (1 - narrow_share) * len(spans):
        told.append(
            f"{len(wide)} of {len(spans)} intervals are wider than two of their probe's intervals allow"
        )
    for part, share, many in narrowness(spans):
        if many >= ENOUGH and share < min(narrow_share, LESS.get(part, PART_SHARE)):
            told.append(f"{100 * (1 - share):.1f} % of the {many} intervals of {part} are wider than allowed")
    for place, mutation in enumerate(MUTATIONS):
        asked = frozenset().union(*(one.asked for one in verdicts))
        caught = frozenset().union(*(one.caught[place] for one in verdicts if one.caught))
        told += [f"a {part} that is {mutation} is not found out" for part in sorted(asked - caught)]
    return told


def narrowness(spans: Iterable[Span]) -> list[tuple[str, float, int]]:
    """Return of each part of a measure the share of narrow intervals, and of how many."""
    every = sorted(((name(span), span.narrow) for span in spans), key=itemgetter(0))
    found = []
    for part, some in groupby(every, key=itemgetter(0)):
        narrow = [is_narrow for _, is_narrow in some]
        found.append((part, sum(narrow) / len(narrow), len(narrow)))
    return found


def kept(verdicts: Iterable[Verdict]) -> list[Check]:
    """Return all checks of all drills."""
    return [check for one in verdicts for check in one.checks]


def exact(checks: Iterable[Check]) -> list[Same]:
    """Return the checks of equality."""
    return [check for check in checks if isinstance(check, Same)]
