"""Fallback: what still works while one store can't be reached, and whether nothing of it is lost.

Probe: ``writer``. Option: ``store``, the one that is away (``aurora``).

Measurements, over the writes sent between the injection and the rollback:

- ``pending_writes``: accepted without the store, which has to get them later;
- ``failed_share``: neither accepted nor certainly refused before anything was done counts as failed at
  most, a refusal at least;
- ``unreconciled_writes``: of all that were accepted as pending before the rollback, those that the
  store still did not hold when it was last read after it; none without such a reading.
"""

from drill.measure.accounts import PENDING, RESUMED, unreconciled_in
from drill.measure.attempts import sent_in_order
from drill.measure.numbers import counted, ranges
from drill.measure.options import optional_text
from drill.measure.parts import NOTHING, found, only, together
from drill.measure.recovery import fault_window
from drill.model import Finding, Goodness, History, Measured, Measurement, MeasureSpec, Severity
from drill.predicates import accepted
from drill.target import Target


def fallback(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001
    """Return how many writes were accepted without the store, refused, and reconciled later."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    store = optional_text(spec, "store") or "aurora"
    seen = [
        one
        for one in sent_in_order(history, spec.probe)
        if one.sent_ns is not None
        and one.sent_ns >= window.begin.latest_ns
        and (window.end_ns is None or one.sent_ns < window.end_ns)
    ]
    if not seen:
        return NOTHING
    pending = sum(1 for one in seen if accepted(one, store) == PENDING)
    refused = sum(1 for one in seen if one.goodness is Goodness.BAD)
    unknown = sum(1 for one in seen if one.goodness is Goodness.UNKNOWN)
    how = f"{pending} of {len(seen)} writes sent while {store} was cut off were accepted without it."
    shares = (
        f"Of {len(seen)} writes {refused} were refused, and {unknown} were never answered, which counts as "
        "failed at most."
    )
    return together(
        (
            only(
                Measurement("pending_writes", pending, pending, "writes", how, f"accepted without {store}"),
                Measurement(
                    "failed_share",
                    refused / len(seen),
                    (refused + unknown) / len(seen),
                    "share",
                    shares,
                    f"share of writes that failed without {store}",
                ),
            ),
            _reconciled(history, spec.probe, store),
        )
    )


def _reconciled(history: History, probe: str, store: str) -> Measured:
    reads = [
        one
        for one in history.ledgers
        if (one.store, one.occasion) == (store, RESUMED) and one.region is not None and not one.error
    ]
    if not reads:
        return NOTHING
    missing = unreconciled_in(reads[-1], history, probe)
    how = f"Accepted as pending before the rollback, and not in {store} when it was last read after it."
    label = f"pending writes that never came to {store}"
    counts = Measurement("unreconciled_writes", len(missing), len(missing), "writes", how, label)
    if not missing:
        return only(counts)
    title = f"{counted(len(missing), 'write')} accepted without {store} never came to it"
    detail = f"Numbers {ranges(missing)} were accepted as pending and were not in {store} after the rollback."
    mend = "See why pending orders are not reconciled: POST /orders/reconcile on each region does it at once."
    lost = Finding("unreconciled", Severity.WARNING, title, detail, mend)
    return together((only(counts), found(lost)))
