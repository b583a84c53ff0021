"""What a stop condition says of a probe: ``clients bad > 50% for 10s``. Pure.

::

    expression = PROBE "bad" (">" | ">=") SHARE "%" "for" DURATION
    DURATION   = NUMBER ("ms" | "s" | "m")

It holds when, of all attempts of the probe that were due within one stretch as long as the
duration, more than that share was bad. Whatever is not known to be good counts as bad: a write
whose answer never came, an attempt that could not be sent. The stretch ends with the newest
attempt before which none is under way, since one under way may be hanging: an outage in which
attempts time out is seen later, by the probe's time-out, but never as smaller than it is.
Before the probe has run for the whole duration nothing holds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from drill.model import Goodness, History, Observation, ProbeSpec

FORM = "PROBE bad > SHARE% for DURATION, for example: clients bad > 50% for 10s"

_EXPRESSION = re.compile(
    r"(?P<probe>[A-Za-z0-9][\w.-]*)\s+bad\s*(?P<sign>>=?)\s*(?P<share>\d+(?:\.\d+)?)\s*%"
    r"\s+for\s+(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m)",
    re.ASCII,
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
# An attempt that has not come in so many time-outs after it was due will not come any more.
_GIVEN_UP_TIMEOUTS = 2
# Intervals that more is looked at than needed: which attempts are due is rounded.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Expression:
    """A share of a probe's attempts that must not be bad for so long.

    Attributes:
        text: As it was written.
        probe: The probe's name.
        share: From 0 to 1.
        inclusive: The share itself is too much already.
        window_s: How long the stretch is that it is taken of.

    """

    text: str
    probe: str
    share: float
    inclusive: bool
    window_s: float

    def exceeded_by(self, bad: int, all_of_them: int) -> bool:
        """Say whether so many bad ones are too many."""
        return bad >= self.share * all_of_them if self.inclusive else bad > self.share * all_of_them


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ValueError: It is none, or can never hold, or always would; the text says what was expected.

    """
    found = _EXPRESSION.fullmatch(text.strip())
    if found is None:
        msg = f"stop condition {text!r} is not of the form {FORM}"
        raise ValueError(msg)
    inclusive, percent = found["sign"] == ">=", float(found["share"])
    window_s = float(found["count"]) * _SECONDS[found["unit"]]
    if percent > 100 or (percent == 100 and not inclusive):
        msg = f"stop condition {text!r} can never hold: no share is more than 100%; write >= 100% for all"
        raise ValueError(msg)
    if inclusive and not percent:
        msg = f"stop condition {text!r} always holds; write > 0% for any"
        raise ValueError(msg)
    if not window_s:
        msg = f"stop condition {text!r} looks at no time at all; write a longer one after 'for'"
        raise ValueError(msg)
    return Expression(text.strip(), found["probe"], percent / 100, inclusive, window_s)


def fits(expression: Expression, probes: Sequence[ProbeSpec]) -> str:
    """Return why an expression can't be evaluated with these probes; empty if it can."""
    known = {spec.name: spec for spec in probes}
    spec = known.get(expression.probe)
    if spec is None:
        return f"'{expression.text}' names a probe that this drill lacks; it has {', '.join(known)}"
    if expression.window_s < 2 * spec.interval_s:
        return (
            f"'{expression.text}' is too short: {spec.name} looks every {spec.interval_s:g} s, "
            f"so write at least {2 * spec.interval_s:g}s"
        )
    return ""


def tripped(expression: Expression, history: History) -> str:
    """Return one line on why the expression holds now; empty if it does not."""
    spec = history.probes.get(expression.probe)
    first = history.first_number(expression.probe)
    if spec is None or first is None:
        return ""
    # Whatever was due before has been given up, and lies before every stretch that is looked at.
    reach_s = expression.window_s + _GIVEN_UP_TIMEOUTS * spec.timeout_s + _SPARE * spec.interval_s
    since_ns = history.last_due_ns(expression.probe) - round(reach_s * 1e9)
    seen = history.due_since(expression.probe, since_ns)
    last = _last_settled(seen, first, spec)
    # Counted in attempts, which are due at fixed instants: no rounding of time decides.
    due = max(1, round(expression.window_s / spec.interval_s))
    since = last - due + 1
    if since < first:
        return ""
    known = {one.number for one in seen if since <= one.number <= last and one.goodness is Goodness.GOOD}
    bad = due - len(known)
    if not expression.exceeded_by(bad, due):
        return ""
    return f"stop condition '{expression.text}': {bad} of {due} attempts of {spec.name} were bad"


def _last_settled(seen: Sequence[Observation], first: int, spec: ProbeSpec) -> int:
    """Return the number of the newest attempt before which none is under way."""
    numbers = {one.number for one in seen}
    newest = max(numbers)
    # No later than the clock now: something was due, or answered, at this instant.
    latest_ns = max(max(one.due_ns, one.done_ns or 0) for one in seen)
    patience_ns = _GIVEN_UP_TIMEOUTS * spec.timeout_s * 1e9
    interval_ns = spec.interval_s * 1e9
    one = seen[0]
    given_up = one.number + int((latest_ns - patience_ns - one.due_ns) // interval_ns)
    under_way = (number for number in range(max(first, given_up + 1), newest) if number not in numbers)
    return next(under_way, newest + 1) - 1
