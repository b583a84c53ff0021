"""A drill's observations, made up from a script of what was reachable when; the same at every call."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drill.model import Goodness, Json, Observation, ProbeSpec

EAST, WEST = "us-east-1", "us-west-2"
BASE_NS = 7_654_321_000_000_000
WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Script:
    """When the made-up world changed, in seconds from the fault.

    Attributes:
        scale: Everything below is multiplied by it.
        dark: From when to when the primary can't be reached; None for an inversion.
        check: From when to when the primary's check is unhealthy.
        zone: From when to when the zone answers with the standby.
        clients: From when to when the resolver's cache does.
        end: When the drill ended.
        cold_s: How long the standby's first answers took.

    """

    scale: float = 1.0
    dark: tuple[float, float] | None = (0.11, 6.35)
    check: tuple[float, float] = (0.72, 6.94)
    zone: tuple[float, float] = (0.91, 7.12)
    clients: tuple[float, float] = (1.42, 7.63)
    end: float = 10.7
    cold_s: float = 0.52

    def within(self, span: tuple[float, float] | None, at_s: float) -> bool:
        """Say whether an instant lies in one of the spans above."""
        return span is not None and span[0] * self.scale <= at_s < span[1] * self.scale


def specs(scale: float = 1.0) -> tuple[ProbeSpec, ...]:
    """Return the probes of a region outage."""
    fast, slow = 0.02 * scale, 0.2 * scale
    return (
        ProbeSpec("clients", "http", fast, 1.0 * min(scale, 5)),
        ProbeSpec("writer", "writer", fast * 2.5, 1.0 * min(scale, 5)),
        ProbeSpec("primary-direct", "http", fast * 2, 1.0 * min(scale, 5)),
        ProbeSpec("zone", "dns", fast, 1.0),
        ProbeSpec("primary-check", "health_check", slow, 1.0),
        ProbeSpec("replication", "replication", slow, 1.0),
        ProbeSpec("resolver", "dns", fast, 1.0),
    )


def at_ns(at_s: float) -> int:
    """Return the monotonic instant of a time relative to the fault, at any scale."""
    return BASE_NS + round(at_s * 1e9)


def observe(script: Script, seed: int = 7) -> list[Observation]:
    """Return everything that the probes would have seen."""
    draw = random.Random(seed)
    seen: list[Observation] = []
    for spec in specs(script.scale):
        for number, due_s in enumerate(_schedule(script, spec.interval_s)):
            seen.append(_attempt(script, spec, (number, due_s), draw))
    return seen


def _schedule(script: Script, interval_s: float) -> Iterator[float]:
    due_s = -WARM_UP_S * script.scale
    while due_s < script.end * script.scale:
        yield due_s
        due_s += interval_s


def _attempt(script: Script, spec: ProbeSpec, when: tuple[int, float], draw: random.Random) -> Observation:
    number, due_s = when
    sent_s = due_s + abs(draw.gauss(0.0002, 0.0001))
    goodness, region, took_s = _KINDS[spec.kind](script, spec, sent_s, draw)
    detail: dict[str, Json] = {"error": "timeout"} if goodness is not Goodness.GOOD else {}
    done_ns = at_ns(sent_s + took_s)
    return Observation(spec.name, number, at_ns(due_s), at_ns(sent_s), done_ns, goodness, region, detail)


Seen = tuple[Goodness, str | None, float]


def _asked(script: Script, spec: ProbeSpec, at_s: float, draw: random.Random) -> Seen:
    """Return what a client's request comes to: it goes where the resolver's cache points."""
    direct = spec.name == "primary-direct"
    west = not direct and script.within(script.clients, at_s)
    took_s = draw.lognormvariate(-5.4, 0.35) * (4 if spec.kind == "writer" else 1)
    if not west and script.within(script.dark, at_s):
        return (Goodness.UNKNOWN if spec.kind == "writer" else Goodness.BAD), None, spec.timeout_s
    first = script.clients[0] * script.scale
    if west and at_s < first + script.cold_s:
        took_s += first + script.cold_s - at_s
    return Goodness.GOOD, (WEST if west else EAST), took_s


def _named(script: Script, spec: ProbeSpec, at_s: float, draw: random.Random) -> Seen:
    span = script.zone if spec.name == "zone" else script.clients
    return Goodness.GOOD, WEST if script.within(span, at_s) else EAST, draw.lognormvariate(-7, 0.2)


def _checked(script: Script, spec: ProbeSpec, at_s: float, draw: random.Random) -> Seen:
    bad = script.within(script.check, at_s)
    return (Goodness.BAD if bad else Goodness.GOOD), None, draw.lognormvariate(-4.5, 0.2)


def _replicated(script: Script, spec: ProbeSpec, at_s: float, draw: random.Random) -> Seen:
    if script.within(script.dark, at_s):
        return Goodness.UNKNOWN, None, spec.timeout_s
    return Goodness.GOOD, WEST, draw.lognormvariate(-2.6, 0.4)


_KINDS: dict[str, Callable[[Script, ProbeSpec, float, random.Random], Seen]] = {
    "http": _asked,
    "writer": _asked,
    "dns": _named,
    "health_check": _checked,
    "replication": _replicated,
}
