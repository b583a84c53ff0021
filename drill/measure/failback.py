"""Failback: from the rollback until the primary serves again for good.

Probe: ``http`` or ``writer``. Options: ``served_by``, the region that serves in the steady state
(needed); ``store``, which must hold what is written again for a write to count (may be left out);
``failures`` and ``successes`` as for the recovery time. Measurement: ``failback``.
"""

from drill.measure.attempts import attempts
from drill.measure.bounds import seconds
from drill.measure.options import optional_text, text
from drill.measure.parts import NOTHING, only
from drill.measure.recovery import recovery, undo_window
from drill.measure.recovery_time import duration_s
from drill.measure.stretches import rule
from drill.model import History, Measured, Measurement, MeasureSpec
from drill.target import Target


def failback(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return how long the way back took."""
    window = undo_window(history)
    if window is None:
        return NOTHING
    by = rule(spec, history, target)
    served_by = text(spec, "served_by")
    store = optional_text(spec, "store")
    seen = recovery(attempts(history, spec.probe, served_by, store), by, window)
    if seen is None:
        return NOTHING
    low, high = duration_s(seen, window.begin)
    into = f" and wrote into {store}" if store else ""
    how = (
        f"From the undo's calls to the first attempt of a stretch in which {served_by} served every "
        f"client for {seconds(by.settle_ns):g} s{into}, as for the recovery time."
    )
    if high is None:
        how = f"{served_by} did not serve every client again while anybody looked."
    return only(Measurement("failback", low, high, "s", how, "failback"))
