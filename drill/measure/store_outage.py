"""Store outage: for how long orders did not reach one of the stores that an order is written to.

Probe: ``writer``. Options: ``store`` (for example ``aurora``), ``failures``, ``successes``.

An order is good here if the answer says that the store has it. One that was accepted as pending has
not reached it, though its client was served: that is what ``client_outage`` is about.

Measurements: ``store_recovery``, from the fault until the first order of a stretch that reached the
store, and its part ``impact``, from the first that did not; ``pending_share``, of the orders due between
the fault and the recovery.
"""

from collections.abc import Mapping

from drill.columns import GOOD, columns
from drill.measure.attempts import Attempts, chosen
from drill.measure.bounds import nanoseconds, seconds
from drill.measure.numbers import counted
from drill.measure.options import text
from drill.measure.parts import NOTHING, only, together
from drill.measure.recovery import Recovery, Window, fault_window, onset, recovery
from drill.measure.recovery_time import duration_s
from drill.measure.shares import wilson
from drill.measure.stretches import rule
from drill.model import Between, Goodness, History, Measured, Measurement, MeasureSpec, Observation
from drill.target import Target

NAME = "store_recovery"
IMPACT = "impact"


def store_outage(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return how long it took until a store had all orders again, and the share that it did not get."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    store, by = text(spec, "store"), rule(spec, history, target)
    every = _reached(history, spec.probe, store, window)
    seen = recovery(every, by, window)
    if seen is None:
        return NOTHING
    how = (
        f"From the fault to the first order of a stretch of {seconds(by.settle_ns):g} s whose answers all "
        f"say that {store} has them."
    )
    parts = [_measurement(seen, window.begin, store, how, "")]
    impact = onset(every, by, window)
    if impact is not None:
        how = f"As from the fault, but from the first order that {store} did not get."
        parts.append(_measurement(seen, impact, store, how, IMPACT))
    return together((only(*parts), _pending(history, spec.probe, store, _until_ns(seen, window), window)))


def reached(seen: Observation, store: str) -> bool:
    """Say whether the answer tells that a store has the order."""
    stores = seen.detail.get("stores")
    return seen.goodness is Goodness.GOOD and isinstance(stores, Mapping) and stores.get(store) == "written"


def _reached(history: History, probe: str, store: str, window: Window) -> Attempts:
    """Return the orders in the order of sending; those long before the fault are taken for good if taken."""
    seen = columns(history, probe)
    since_ns = window.begin.earliest_ns - nanoseconds(history.probes[probe].timeout_s)
    good = bytes(
        code == GOOD and (sent_ns < since_ns or reached(seen[place], store))
        for place, (code, sent_ns) in enumerate(zip(seen.goodness, seen.sent_ns, strict=True))
    )
    return chosen(seen, seen.by_sending(), good)


def _measurement(seen: Recovery, since: Between, store: str, how: str, part: str) -> Measurement:
    low, high = duration_s(seen, since)
    if high is None:
        how = f"Orders did not reach {store} for good again while anybody looked."
    elif not seen.outage:
        how = f"No stretch of orders missed {store}; the upper bound is the next that reached it."
    label = f"recovery of {store}" + (" from impact" if part else "")
    return Measurement(NAME, low, high, "s", how, label, part)


def _until_ns(seen: Recovery, window: Window) -> int | None:
    return window.end_ns if seen.first_good is None else seen.first_good.sent_ns


def _pending(history: History, probe: str, store: str, until_ns: int | None, window: Window) -> Measured:
    due = [
        seen
        for seen in history.due_since(probe, window.begin.earliest_ns)
        if until_ns is None or seen.due_ns < until_ns
    ]
    if not due:
        return NOTHING
    taken = sum(1 for seen in due if seen.goodness is Goodness.GOOD and not reached(seen, store))
    unknown = sum(1 for seen in due if seen.goodness is Goodness.UNKNOWN)
    how = (
        f"{taken} of {counted(len(due), 'order')} due from the fault to the recovery were accepted as pending"
    )
    low, high = wilson(taken, len(due))[0], wilson(taken + unknown, len(due))[1]
    return only(
        Measurement(
            "pending_share",
            low,
            high,
            "share",
            f"{how}; 95 % Wilson interval.",
            f"orders accepted without {store}",
        )
    )
