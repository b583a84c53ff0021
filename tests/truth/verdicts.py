"""What the truth test came to: every drill's checks, and what must hold of all of them together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.truth.case import Case, Check, Same, Span
from tests.truth.draw import Drill
from tests.truth.oracles import judged
from tests.truth.shift import MUTATIONS

NARROW_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Verdict:
    """One drill, judged.

    Attributes:
        drill: Which.
        checks: What was checked of it; empty if it came to no record.
        starved: Its probes were starved, on purpose or by a busy machine: its intervals must hold,
            and may be wide.
        complaint: Why it could not be judged; empty if it could.
        caught: For each mutation, the measures that it was caught by.
        asked: The measures that have intervals of some width, which a mutation can move.

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
        frozenset(_name(check) for check in judged(mutate(case)) if not check.inside)
        for mutate in MUTATIONS.values()
    )
    asked = frozenset(
        _name(check)
        for check in checks
        if isinstance(check, Span) and check.width_ns is not None and check.part != "marker"
    )
    return Verdict(case.drill, checks, case.starved, "", caught, asked)


def _name(check: Check) -> str:
    return check.measure


def problems(verdicts: Sequence[Verdict], narrow_share: float = NARROW_SHARE) -> list[str]:
    """Return what must not be so, one line each; none means that the test passed."""
    told = [f"seed {one.drill.seed}: {what}" for one in verdicts for what in one.wrong]
    spans = [span for one in verdicts for span in one.spans]
    wide = [span for span in spans if not span.narrow]
    if len(wide) > (1 - narrow_share) * len(spans):
        told.append(
            f"{len(wide)} of {len(spans)} intervals are wider than two of their probe's intervals allow"
        )
    for place, mutation in enumerate(MUTATIONS):
        asked = frozenset().union(*(one.asked for one in verdicts))
        caught = frozenset().union(*(one.caught[place] for one in verdicts if one.caught))
        told += [f"a {name} that is {mutation} is not found out" for name in sorted(asked - caught)]
    return told


def kept(verdicts: Iterable[Verdict]) -> list[Check]:
    """Return all checks of all drills."""
    return [check for one in verdicts for check in one.checks]


def exact(checks: Iterable[Check]) -> list[Same]:
    """Return the checks of equality."""
    return [check for check in checks if isinstance(check, Same)]
