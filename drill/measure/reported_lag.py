"""Replication lag as AWS itself reports it, to stand beside what markers show.

Probe: ``metric``, of ``ReplicationLatency`` in ``AWS/DynamoDB``, in milliseconds. No options.

Measurement: ``reported_lag``: the greatest of the one-minute points that overlap the time from the
injection to the rollback. A minute is not cut at the injection, the clock is AWS's, and a table
without writes has no points: a number to compare, of which nothing hangs.
"""

from drill.measure.bounds import NS_PER_S
from drill.measure.numbers import counted
from drill.measure.parts import NOTHING, only
from drill.measure.recovery import fault_window
from drill.model import History, Measured, Measurement, MeasureSpec
from drill.target import Target

POINT_NS = 60 * NS_PER_S


def reported_lag(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return the greatest lag that CloudWatch reported during the fault."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    newest: dict[int, float] = {}
    for seen in sorted(history.observations.get(spec.probe, ()), key=lambda one: one.number):
        began_ns, value = seen.detail.get("began_ns"), seen.detail.get("value")
        if not isinstance(began_ns, int) or not isinstance(value, int | float):
            continue
        ends_ns = began_ns + POINT_NS
        if ends_ns > window.begin.earliest_ns and (window.end_ns is None or began_ns < window.end_ns):
            # The same minute again, with more in it; clocks drift by less than a second meanwhile.
            newest[round(began_ns / NS_PER_S)] = value
    if not newest:
        return NOTHING
    most_s = max(newest.values()) / 1000
    how = (
        f"The greatest of {counted(len(newest), 'one-minute point')} of CloudWatch's ReplicationLatency that "
        "overlap the fault; AWS's own number, for comparison."
    )
    return only(Measurement("reported_lag", most_s, most_s, "s", how, "replication lag as AWS reports it"))
