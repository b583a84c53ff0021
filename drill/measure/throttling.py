"""Throttling: when it began, what share of the load it met, and how soon it was over.

Probe: ``writer``, which holds the load. Option ``table``: a probe of kind ``table`` that writes to
the table itself, without the SDK's retries.

An order is *throttled* if the store refused it at least once for want of capacity, also where the
application's SDK then got it through; it *failed* if it was not acknowledged after all of the
SDK's retries. Capacity that was not used before is used up first, so that the onset may lie long
after the change.

Measurements:

- ``throttling_onset``: from the fault to the first attempt of either probe that was throttled;
- ``throttled_share``, ``failed_share``: of the orders that were due between the onset and the
  rollback; its part ``table`` is that of the direct writes;
- a finding, ``throttled_failover``, if the other region answered any of these orders;
- ``time_to_clear``: from the undo's calls to the first order of a stretch that was neither
  throttled nor failed, as for the recovery time.
"""

from collections.abc import Callable, Sequence

from drill.columns import GOOD, Columns, columns
from drill.measure.attempts import Attempts, attempts, chosen
from drill.measure.bounds import elapsed_at_least_s, elapsed_s, nanoseconds, seconds
from drill.measure.numbers import counted
from drill.measure.options import optional_text
from drill.measure.parts import NOTHING, found, only, together
from drill.measure.recovery import Window, fault_window, recovery, undo_window
from drill.measure.recovery_time import duration_s
from drill.measure.shares import wilson
from drill.measure.stretches import rule
from drill.model import (
    REFUSED_FOR_CAPACITY,
    Between,
    Finding,
    Goodness,
    History,
    Measured,
    Measurement,
    MeasureSpec,
    Observation,
    Severity,
)
from drill.target import Target

TABLE = "table"

_Says = Callable[[Observation], bool]


def throttling(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return onset, shares and the time to clear."""
    window = fault_window(history)
    if window is None or not history.observations.get(spec.probe):
        return NOTHING
    table = optional_text(spec, "table") or ""
    first = _onset(history, (spec.probe, table), window)
    if first is None:
        return only(_never(attempts(history, spec.probe), window))
    parts = [only(_from_fault(first, window))]
    due = _due(history, spec.probe, first, window)
    parts.append(_share("throttled_share", "orders that were throttled", due, is_throttled))
    parts.append(_share("failed_share", "orders that failed after retries", due, _failed))
    written = _due(history, table, first, window)
    parts.append(_share("throttled_share", "direct writes that were throttled", written, is_throttled, TABLE))
    return together((*parts, _clear(spec, history, target, window), _moved(due, target)))


def is_throttled(seen: Observation) -> bool:
    """Say whether an attempt was refused at least once for want of capacity."""
    times = seen.detail.get("throttled")
    return (isinstance(times, int) and times > 0) or seen.detail.get("error") in REFUSED_FOR_CAPACITY


def _failed(seen: Observation) -> bool:
    return seen.goodness is Goodness.BAD


def _onset(history: History, probes: Sequence[str], window: Window) -> Between | None:
    """Return when the first throttled attempt met the table: not before the first was sent."""
    named = [probe for probe in probes if probe in history.probes]
    met = [
        (seen.sent_ns, seen.done_ns)
        for probe in named
        for seen in history.sent_since(probe, _in_flight_ns(history, probe, window))
        if is_throttled(seen)
        and seen.sent_ns is not None
        and seen.done_ns is not None
        and seen.done_ns >= window.begin.earliest_ns
        and (window.end_ns is None or seen.sent_ns < window.end_ns)
    ]
    if not met:
        return None
    return Between(min(sent for sent, _ in met), min(done for _, done in met))


def _in_flight_ns(history: History, probe: str, window: Window) -> int:
    """Return since when what was sent may have been under way at the injection, or came after it."""
    return window.begin.earliest_ns - nanoseconds(history.probes[probe].timeout_s)


def _from_fault(first: Between, window: Window) -> Measurement:
    low, high = elapsed_s(window.begin, first)
    how = (
        "From the fault to the first attempt that was throttled, between its sending and its answer; "
        "capacity that was unused before is used up by then."
    )
    return Measurement("throttling_onset", low, high, "s", how, "onset of throttling")


def _never(orders: Attempts, window: Window) -> Measurement:
    """Return a censored onset: nothing was throttled while anybody looked."""
    last_ns = max(orders.done_ns, default=window.begin.latest_ns)
    low = elapsed_at_least_s(window.begin, min(last_ns, window.end_ns or last_ns))
    how = "No attempt was throttled while anybody looked."
    return Measurement("throttling_onset", low, None, "s", how, "onset of throttling")


def _due(history: History, probe: str, first: Between, window: Window) -> list[Observation]:
    return [
        seen
        for seen in history.due_since(probe, first.earliest_ns)
        if window.end_ns is None or seen.due_ns < window.end_ns
    ]


def _share(name: str, label: str, due: Sequence[Observation], says: _Says, part: str = "") -> Measured:
    """Return a share with its bounds; an attempt whose answer nobody saw may be among them or not."""
    if not due:
        return NOTHING
    hits = sum(1 for seen in due if says(seen))
    unknown = sum(1 for seen in due if seen.goodness is Goodness.UNKNOWN and not says(seen))
    how = f"{hits} of {counted(len(due), 'attempt')} due between the onset and the rollback"
    if unknown:
        how += f", and {unknown} whose answer nobody saw"
    low, high = wilson(hits, len(due))[0], wilson(hits + unknown, len(due))[1]
    return only(Measurement(name, low, high, "share", f"{how}; 95 % Wilson interval.", label, part))


def _clear(spec: MeasureSpec, history: History, target: Target, fault: Window) -> Measured:
    window = undo_window(history)
    if window is None:
        return NOTHING
    by = rule(spec, history, target)
    served = _served(columns(history, spec.probe), _in_flight_ns(history, spec.probe, fault))
    seen = recovery(served, by, window)
    if seen is None:
        return NOTHING
    low, high = duration_s(seen, window.begin)
    how = (
        "From the undo's calls, which give the capacity back, to the first order of a stretch that was "
        f"neither throttled nor failed for {seconds(by.settle_ns):g} s."
    )
    if high is None:
        how = "Orders were still throttled, or failed, when nobody looked any longer."
    return only(Measurement("time_to_clear", low, high, "s", how, "time to clear"))


def _served(seen: Columns, since_ns: int) -> Attempts:
    """Return the orders in the order of sending, good if they were taken, since then at the first try."""
    good = bytes(
        code == GOOD and not (sent_ns >= since_ns and is_throttled(seen[place]))
        for place, (code, sent_ns) in enumerate(zip(seen.goodness, seen.sent_ns, strict=True))
    )
    return chosen(seen, seen.by_sending(), good)


def _moved(due: Sequence[Observation], target: Target) -> Measured:
    """Return a finding if clients were moved to the other region, which shares the capacity."""
    standby = target.standby.name
    there = sum(1 for seen in due if seen.answered_by == standby)
    if not there:
        return NOTHING
    title = "Clients were moved to the other region while the table was throttled"
    detail = (
        f"{standby} answered {there} of {counted(len(due), 'order')}. Both regions write to one global table "
        "and share its write capacity, so that moving them helps nobody."
    )
    mend = "Have the health check not count throttled writes: answer them with 429, and the check with 200."
    return found(Finding("throttled_failover", Severity.WARNING, title, detail, mend))
