"""How well the probes kept their schedules, and whether that is enough to believe them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from operator import mul, sub

from drill.columns import NEVER, columns
from drill.measure.attempts import Attempts, attempts
from drill.measure.bounds import nanoseconds, seconds
from drill.measure.options import optional_text
from drill.measure.quantiles import quantile
from drill.measure.recovery import fault_window, onset, recovery
from drill.measure.stretches import HOLE_INTERVALS, rule
from drill.model import Between, History, Marks, MeasureSpec, ProbeSpec
from drill.record import ProbeHealth
from drill.target import Target

_WHY = {
    "late": "too late",
    "no_free_slot": "too many in flight",
    "stalled": "timed out while the sampler stood still",
}
EDGED = ("recovery_time",)


@dataclass(frozen=True, slots=True)
class Edge:
    """A moment that a verdict hangs on.

    Attributes:
        probe: Who saw it.
        at: Between which two attempts.

    """

    probe: str
    at: Between


def health(history: History) -> tuple[ProbeHealth, ...]:
    """Return how each probe kept its schedule, by name.

    Attempts that nobody recorded, since the probe's process had died, were due all the same.
    """
    return tuple(_health(history, spec) for _, spec in sorted(history.probes.items()))


def _health(history: History, spec: ProbeSpec) -> ProbeHealth:
    seen = columns(history, spec.name)
    known = [ns != NEVER for ns in seen.sent_ns]
    sent = sorted(compress(seen.sent_ns, known))
    lags = sorted(compress(map(sub, seen.sent_ns, seen.due_ns), known))
    return ProbeHealth(
        probe=spec.name,
        due=_due(history, spec),
        sent=len(sent),
        worst_gap_s=seconds(max(map(sub, sent[1:], sent), default=0)),
        lag_p99_s=seconds(quantile(lags, 0.99)) if lags else 0.0,
    )


def _due(history: History, spec: ProbeSpec) -> int:
    """Return how many attempts were due: those recorded, and those that the schedule wanted besides."""
    seen = columns(history, spec.name)
    interval_ns = nanoseconds(spec.interval_s)
    start_ns = min(
        map(sub, seen.due_ns, map(mul, seen.number, repeat(interval_ns))),
        default=history.marks.probes_started_ns,
    )
    # The last attempts may have been under way when the probes were told to stop.
    end_ns = _last_mark_ns(history.marks) - nanoseconds(spec.timeout_s)
    scheduled = max(0, (end_ns - start_ns) // interval_ns)
    return max(scheduled, len(seen), max(seen.number, default=-1) + 1)


def _last_mark_ns(marks: Marks) -> int:
    known = [marks.probes_started_ns]
    known += [one.latest_ns for one in (marks.injected, marks.undone) if one is not None]
    known += [one for one in (marks.recovery_ended_ns, marks.settled_ns) if one is not None]
    return max(known)


def edges(specs: Sequence[MeasureSpec], history: History, target: Target) -> tuple[Edge, ...]:
    """Return the moments that the recovery time's bounds come from."""
    return tuple(edge for spec in specs if spec.kind in EDGED for edge in _edges(spec, history, target))


def _edges(spec: MeasureSpec, history: History, target: Target) -> list[Edge]:
    window = fault_window(history)
    if window is None:
        return []
    try:
        by = rule(spec, history, target)
        served_by = optional_text(spec, "served_by")
    except (KeyError, ValueError):
        return []  # measuring it fails in the same way, and tells of it as a finding
    back = recovery(attempts(history, spec.probe, served_by), by, window)
    seen = [None if back is None else back.back, onset(attempts(history, spec.probe), by, window)]
    return [Edge(spec.probe, at) for at in seen if at is not None]


def starved(history: History, edges: Sequence[Edge], judged: Collection[str] = ()) -> str:
    """Return why the probes behind a verdict proved too little; empty if they did not.

    Args:
        history: What was observed.
        edges: The moments that the verdict hangs on; with none every probe must have kept up.
        judged: Probes besides those of the edges that a verdict is made from.

    """
    named = {edge.probe for edge in edges} | set(judged) if edges else set(history.probes)
    for one in health(history):
        if one.probe in named and one.starved:
            told = f"{one.probe} sent {one.sent} of {one.due} attempts that were due"
            return f"{told}{_why_unsent(history, one.probe)}."
    for edge in edges:
        gap_ns = _gap_ns(attempts(history, edge.probe), edge.at)
        interval_ns = nanoseconds(history.probes[edge.probe].interval_s)
        if gap_ns > HOLE_INTERVALS * interval_ns:
            return (
                f"{edge.probe} sent nothing for {seconds(gap_ns):.3f} s where a measured edge lies "
                f"(it was due every {seconds(interval_ns):g} s)."
            )
    return ""


def _why_unsent(history: History, probe: str) -> str:
    """Say why attempts were not sent, as far as the sampler wrote it down before it ended."""
    every = history.observations.get(probe, ())
    why = Counter(str(one.detail.get("error", "untold")) for one in every if one.sent_ns is None)
    counted = ", ".join(f"{_WHY.get(word, word)}: {count}" for word, count in sorted(why.items()))
    return f" ({counted})" if counted else ""


def _gap_ns(every: Attempts, at: Between) -> int:
    """Return the longest stretch between two attempts sent that touches an edge."""
    first, last = every.place_since(at.earliest_ns + 1), every.place_since(at.latest_ns)
    near = every.sent_ns[max(0, first - 1) : last + 1]
    return max(map(sub, near[1:], near), default=0)
