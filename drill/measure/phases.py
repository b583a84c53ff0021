"""The phases of a failover on one time line.

fault → checkers see it fail → authoritative answer flips (→ the resolver's answer flips) → first
request served by the standby → all requests served by it → steady.

Probe: ``http``. Options:

- ``primary``, ``standby``: the two regions' names;
- ``check``: the ``health_check`` probe (good while the primary's check is healthy);
- ``zone``: the ``dns`` probe of the authoritative servers;
- ``resolver``: the ``dns`` probe of the resolver that clients use; may be null;
- ``detection_exercised``: false when the drill's method flips the check itself;
- ``failures``, ``successes``: the debounce.

Measurements: ``phase``, one part for each phase, and its part ``whole``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import and_

from drill.columns import GOODNESS, columns
from drill.measure.attempts import Attempts, attempts, chosen
from drill.measure.boundaries import Flip, check_telescoping, flip, in_sequence
from drill.measure.bounds import elapsed_at_least_s, elapsed_s, hull, seconds
from drill.measure.options import flag, optional_text, text
from drill.measure.parts import NOTHING
from drill.measure.quantiles import quantile
from drill.measure.recovery import Recovery, Window, fault_window, recovery
from drill.measure.stretches import Rule, outages, rule
from drill.model import Between, Goodness, History, Measured, Measurement, MeasureSpec, Phase
from drill.target import Target

NAME = "phase"
WHOLE = "whole"
# https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html
_CHECKERS = (
    "Route 53 tells what each checker saw last, not how far it has counted towards the failure "
    "threshold: that counting is part of the next phase."
)
# Fewer healthy answers than this say nothing about how quick a healthy answer is.
ENOUGH_BEFORE = 20
# An answer within this many times the 99th percentile of before is as quick as before.
AS_QUICK = 2


@dataclass(frozen=True, slots=True)
class _Stage:
    """One phase as it is looked for, and what shows its end."""

    name: str
    label: str
    end: Flip
    exercised: bool = True
    note: str = ""


def phases(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return the phases that were seen, the last of them open where the failover stopped."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    by = rule(spec, history, target)
    served = attempts(history, spec.probe, text(spec, "standby")).before(window.end_ns)
    seen = recovery(served, by, window)
    if seen is None:
        return NOTHING
    stages = (
        *_routing_stages(spec, history, window),
        _Stage("first_request", "first request served by the standby", flip(served, window.begin)),
        _Stage("all_requests", "all requests served by the standby", Flip(seen.back, seen.not_before_ns)),
        *_steady_stage(attempts(history, spec.probe), served, seen, by, window),
    )
    listed = _phases(window.begin, stages)
    check_telescoping(listed)
    return Measured(_measurements(listed, stages), listed, (), ())


def _routing_stages(spec: MeasureSpec, history: History, window: Window) -> list[_Stage]:
    """Return the phases before a client can notice anything: those that have a probe."""
    stages: list[_Stage] = []
    if check := optional_text(spec, "check"):
        stages.append(
            _detection(flag(spec, "detection_exercised"), _flip(history, check, window, _unhealthy))
        )
    standby = text(spec, "standby")

    def names_standby(_: Goodness, answered_by: str | None) -> bool | None:
        return None if answered_by is None else answered_by == standby

    for option, name, label in (
        ("zone", "routing", "Route 53 decides, its answer flips"),
        ("resolver", "caching", "resolver's answer flips"),
    ):
        if probe := optional_text(spec, option):
            stages.append(_Stage(name, label, _flip(history, probe, window, names_standby)))
    return stages


def _detection(exercised: bool, seen: Flip) -> _Stage:
    """Return the checkers' phase; a method that skips it ends it at once where no flip was seen."""
    if exercised:
        return _Stage("detection", "health checkers see it fail", seen, note=_CHECKERS)
    note = "Not exercised: the drill flipped the health check itself."
    return _Stage("detection", "health check flips", seen, exercised=False, note=note)


def _unhealthy(goodness: Goodness, _: str | None) -> bool | None:
    return None if goodness is Goodness.UNKNOWN else goodness is Goodness.BAD


def _flip(
    history: History, probe: str, window: Window, shows: Callable[[Goodness, str | None], bool | None]
) -> Flip:
    """Return when a probe first showed something; readings that show neither are left out."""
    seen = columns(history, probe)
    known = {
        pair: shows(GOODNESS[pair[0]], seen.regions.get(pair[1]))
        for pair in set(zip(seen.goodness, seen.region, strict=True))
    }
    shown = [known[pair] for pair in zip(seen.goodness, seen.region, strict=True)]
    places = [place for place in seen.by_sending() if shown[place] is not None]
    every = chosen(seen, places, [bool(one) for one in shown])
    return flip(every.before(window.end_ns), window.begin)


def _steady_stage(
    plain: Attempts, served: Attempts, seen: Recovery, by: Rule, window: Window
) -> list[_Stage]:
    """Return the phase until answers are as quick as before; none if nobody knows how quick that was."""
    before = sorted(plain.healthy_ns(window.begin.earliest_ns))
    if len(before) < ENOUGH_BEFORE:
        return []
    limit_ns = AS_QUICK * quantile(before, 0.99)
    note = f"Steady: answers take at most {seconds(limit_ns):.3f} s, twice the 99th percentile of before."
    return [
        _Stage("steady", "answers as quick as before", _quick_again(served, seen, by, limit_ns), note=note)
    ]


def _quick_again(served: Attempts, seen: Recovery, by: Rule, limit_ns: int) -> Flip:
    """Return when answers were quick for good; isolated slow ones do not count."""
    if seen.back is None:
        return Flip(None, seen.not_before_ns)
    late = served[served.place_since(seen.not_before_ns) :]
    quick = bytes(map(and_, late.good, map(limit_ns.__ge__, late.took_ns())))
    after = replace(late, good=quick)
    slow = outages(after, by)
    if not slow:
        return Flip(seen.back, seen.not_before_ns)
    last = slow[-1].last_bad
    first = after.next_good(last + 1)
    not_before_ns = after.sent_ns[last]
    return Flip(None if first is None else Between(not_before_ns, after.done_ns[first]), not_before_ns)


def _phases(fault: Between, stages: Sequence[_Stage]) -> tuple[Phase, ...]:
    """Return the stages as phases that follow one another, up to the first that never ended."""
    seen = [place for place, stage in enumerate(stages) if stage.end.at is not None]
    reached = stages[: seen[-1] + 1] if seen else ()
    boundaries = in_sequence([fault, *_filled(fault, reached)])
    listed = [
        Phase(stage.name, stage.label, begins, ends, stage.exercised, _note(stage, ends))
        for stage, (begins, ends) in zip(reached, pairwise(boundaries), strict=True)
    ]
    listed += [
        Phase(stage.name, stage.label, boundaries[-1], None, stage.exercised, stage.note)
        for stage in stages[len(reached) : len(reached) + 1]
    ]
    return tuple(listed)


def _note(stage: _Stage, end: Between) -> str:
    """Return a stage's note, and what was done to its end so that the phases follow one another."""
    if stage.end.at is None:
        extra = "Its end was not seen; it lies between its neighbours' ends." if stage.exercised else ""
    elif hull(stage.end.at, end) != stage.end.at:
        extra = "Seen in another order than the next or the last phase's end; the bounds hold both."
    else:
        extra = ""
    return f"{stage.note} {extra}".strip()


def _filled(fault: Between, reached: Sequence[_Stage]) -> list[Between]:
    """Return the ends of phases; one that nobody saw end lies between its neighbours' ends."""
    ends: list[Between] = []
    for place, stage in enumerate(reached):
        before = ends[-1] if ends else fault
        if stage.end.at is None and not stage.exercised:
            ends.append(before)
            continue
        after = next(later.end.at for later in reached[place:] if later.end.at is not None)
        ends.append(stage.end.at or hull(before, after))
    return ends


def _measurements(listed: Sequence[Phase], stages: Sequence[_Stage]) -> tuple[Measurement, ...]:
    how = "From one boundary to the next, each seen between two attempts of its probe."
    pairs = zip(listed, stages, strict=False)
    measured = [_measurement(phase, stage.end.not_before_ns, how) for phase, stage in pairs]
    last, stage = listed[-1], stages[len(listed) - 1]
    whole = Phase(WHOLE, "all phases", listed[0].begins, last.ends)
    how = "From the injection to the end of the last phase."
    return (*measured, _measurement(whole, stage.end.not_before_ns, how))


def _measurement(phase: Phase, not_before_ns: int, how: str) -> Measurement:
    low, high = elapsed_at_least_s(phase.begins, not_before_ns), None
    if phase.ends is not None:
        low, high = elapsed_s(phase.begins, phase.ends)
    return Measurement(NAME, low, high, "s", how, phase.label, phase.name)
