"""Pure: observations → measurements with bounds; one measure a file.

A measure that has not enough to go on gives no measurement, and the verdict then says
inconclusive. One that crashes becomes a finding, ``measure_failed``, with the same effect; so does
a history of which not all is there, ``observations_damaged``.
"""

from collections.abc import Callable, Mapping, Sequence

from drill.errors import DrillError
from drill.measure.client_outage import client_outage
from drill.measure.cold_start import cold_start
from drill.measure.failback import failback
from drill.measure.fallback import fallback
from drill.measure.ledger import ledger
from drill.measure.parts import found, together
from drill.measure.phases import phases
from drill.measure.probe_health import edges, health, starved
from drill.measure.recovery_time import recovery_time
from drill.measure.replication_lag import replication_lag
from drill.measure.reported_lag import reported_lag
from drill.measure.store_outage import store_outage
from drill.measure.throttling import throttling
from drill.measure.time_to_alert import time_to_alert
from drill.measure.trust import damaged, trust
from drill.measure.writer_change import writer_change
from drill.model import Finding, History, Measured, MeasureSpec, Severity
from drill.target import Target

__all__ = ["KINDS", "edges", "health", "measure", "starved"]

Measure = Callable[[MeasureSpec, History, Target], Measured]

KINDS: Mapping[str, Measure] = {
    "client_outage": client_outage,
    "cold_start": cold_start,
    "failback": failback,
    "fallback": fallback,
    "ledger": ledger,
    "phases": phases,
    "recovery_time": recovery_time,
    "replication_lag": replication_lag,
    "time_to_alert": time_to_alert,
    "reported_lag": reported_lag,
    "store_outage": store_outage,
    "throttling": throttling,
    "writer_change": writer_change,
}


def measure(specs: Sequence[MeasureSpec], history: History, target: Target) -> Measured:
    """Return all that the measures of a scenario make of a drill's history."""
    return together((*(_measured(spec, history, target) for spec in specs), found(*trust(history))))


def _measured(spec: MeasureSpec, history: History, target: Target) -> Measured:
    try:
        return KINDS[spec.kind](spec, history, target)
    except DrillError as problem:  # what it needed of the run's file can't be read
        return found(damaged(str(problem)))
    except Exception as problem:  # noqa: BLE001 (one broken measure must not lose the others; it is told)
        title = f"The measure {spec.kind} of {spec.probe or 'the drill'} failed"
        detail = f"{type(problem).__name__}: {problem}. What it would have shown is not known."
        mend = "This is a bug in drill or in the scenario; the observations are kept in the run's folder."
        return found(Finding("measure_failed", Severity.CRITICAL, title, detail, mend))
