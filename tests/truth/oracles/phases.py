"""Phases: every boundary, and every duration between two of them.

The steady phase is defined by what the probe itself saw before (answers as quick as then), not
by anything that the lab could log: its end has no oracle, and nor has the whole.
"""

from collections.abc import Iterator

from drill.measure.bounds import nanoseconds
from drill.model import Between
from scenarios.region_outage import CHECK, CLIENTS, RESOLVER, ZONE
from tests.truth.case import Case, Check, Span, length_ns, ns

_CHECKED_SHARE = 0.18
_PROBES = {
    "detection": CHECK,
    "routing": ZONE,
    "caching": RESOLVER,
    "first_request": CLIENTS,
    "all_requests": CLIENTS,
}


def judge(case: Case) -> Iterator[Check]:
    """Judge the ends of all phases but the steady one, and how long each took."""
    true = _ends(case)
    began_ns, began_allowed_ns = case.faulted_ns, length_ns(case.injected)
    for phase in case.record.measured.phases:
        ended_ns = true.get(phase.name)
        if ended_ns is None or phase.ends is None:
            return
        allowed_ns = _allowed_ns(case, _PROBES[phase.name], phase.ends)
        if phase.name == "detection" and case.drill.method == "inversion":
            allowed_ns += length_ns(case.injected)
        ends = phase.ends
        yield Span(
            "boundary",
            phase.name,
            ends.earliest_ns - case.injected.earliest_ns,
            ends.latest_ns - case.injected.earliest_ns,
            (ended_ns - case.injected.earliest_ns, ended_ns - case.injected.earliest_ns),
            allowed_ns,
        )
        took = case.measured("phase", phase.name)
        if took is not None:
            true_ns = ended_ns - began_ns
            yield Span(
                "phase",
                phase.name,
                nanoseconds(took.low),
                ns(took.high),
                (true_ns, true_ns),
                began_allowed_ns + allowed_ns,
            )
        began_ns, began_allowed_ns = ended_ns, allowed_ns


def _ends(case: Case) -> dict[str, int]:
    """Return when each phase ended."""
    ends: dict[str, int] = {}
    detected = case.faulted_ns if case.drill.method == "inversion" else _detected_ns(case)
    shown = case.shown_ns(case.under_fault, healthy=False)
    routed = case.routed_ns(case.under_fault, case.target.standby.name)
    if detected is not None and shown and routed:
        ends["detection"], ends["routing"], ends["caching"] = detected, shown[0], routed[0]
        ends["first_request"], ends["all_requests"] = routed[0], routed[-1]
    return ends


def _detected_ns(case: Case) -> int | None:
    """Return when too few checkers last saw the primary well, as Route 53 tells it."""
    check = case.target.primary.health_check_id
    good = dict.fromkeys(range(case.drill.cloud.profile().checkers), True)
    watched = Between(case.record.marks.probes_started_ns, case.undone.earliest_ns)
    for event in case.of_kind("checker_changed", watched, health_check_id=check):
        good[event["checker"]] = event["good"]
        few = sum(good.values()) <= _CHECKED_SHARE * len(good)
        if few:
            return int(event["at_ns"]) if event["at_ns"] >= case.injected.earliest_ns else None
    return None


def _allowed_ns(case: Case, probe: str, at: Between) -> int:
    return 2 * case.interval_ns(probe) + case.took_ns(probe, at.latest_ns)
