"""Cold starts: how many the standby's functions had, and how much of the recovery they explain.

Probe: ``http``. Options: ``served_by``, the standby's region (needed); ``also``, other probes of the
service whose answers are counted too; ``failures`` and ``successes``. Reads the answer's ``cold`` (its
process was new) and its ``total_s``.

Measurements: ``cold_starts``, a count; ``cold_start_share``, what the cold answers waited
within the recovery, as a share of the recovery time. Its upper bound takes all of that for
the cold start's, its lower bound only what a warm answer would not have taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drill.columns import GOOD, NEVER, Columns, columns
from drill.measure.attempts import attempts
from drill.measure.bounds import nanoseconds, seconds
from drill.measure.options import text, texts
from drill.measure.parts import NOTHING, only
from drill.measure.quantiles import quantile
from drill.measure.recovery import Recovery, Window, fault_window, recovery
from drill.measure.recovery_time import duration_s
from drill.measure.stretches import rule
from drill.model import History, Json, Measured, Measurement, MeasureSpec
from drill.target import Target


def cold_start(spec: MeasureSpec, history: History, target: Target) -> Measured:
    """Return the number of cold answers and the share of the recovery that they explain."""
    window = fault_window(history)
    if window is None:
        return NOTHING
    standby = text(spec, "served_by")
    told, cold = _cold(history, spec.probe, window, standby)
    total = len(cold)
    for probe in texts(spec, "also"):
        more, others = _cold(history, probe, window, standby)
        told, total = told + more, total + len(others)
    if not told:
        return NOTHING
    how = f"Answers of {standby} between injection and rollback that say that their process is new."
    count = Measurement("cold_starts", total, total, "1", how, "cold starts")
    seen = recovery(attempts(history, spec.probe, standby), rule(spec, history, target), window)
    if seen is None or seen.back is None:
        return only(count)
    return only(count, _share(history, spec.probe, cold, seen, window))


def _cold(history: History, probe: str, window: Window, region: str) -> tuple[int, list["_Answer"]]:
    """Return how many answers of a probe tell whether their process is new, and those for which it is."""
    told, cold = 0, []
    for one in _answers(columns(history, probe), window, region):
        told += isinstance(one.detail.get("cold"), bool)
        if one.detail.get("cold") is True:
            cold.append(one)
    return told, cold


@dataclass(frozen=True, slots=True)
class _Answer:
    """A good answer of the standby."""

    sent_ns: int
    done_ns: int
    detail: Mapping[str, Json]


def _answers(seen: Columns, window: Window, region: str) -> Iterator[_Answer]:
    """Yield a region's good answers in a window; a detail is let go of with its answer."""
    begin_ns, end_ns, code = window.begin.earliest_ns, window.end_ns, seen.code_of(region)
    for place, (sent_ns, goodness, by) in enumerate(
        zip(seen.sent_ns, seen.goodness, seen.region, strict=True)
    ):
        if goodness == GOOD and by == code and begin_ns <= sent_ns and (end_ns is None or sent_ns < end_ns):
            yield _Answer(sent_ns, seen.done_ns[place], seen.details[place])


def _share(
    history: History, probe: str, cold: Sequence[_Answer], seen: Recovery, window: Window
) -> Measurement:
    by_ns = window.begin.latest_ns if seen.back is None else seen.back.latest_ns
    within = [_waited(one) for one in cold if one.sent_ns < by_ns]
    stretches = [(begin_ns, min(end_ns, by_ns)) for begin_ns, end_ns in within]
    waited_s = seconds(_union_ns(stretches))
    warm_s = _warm_s(history, probe, window)
    low_s, high_s = duration_s(seen, window.begin)
    least_s = max(0.0, waited_s - warm_s * len(stretches))
    low = least_s / high_s if high_s else 0.0
    high = min(1.0, waited_s / low_s) if low_s else float(waited_s > 0)
    how = (
        f"{len(stretches)} cold answers took {waited_s:.3f} s of the recovery, against {warm_s:.3f} s "
        "for a warm answer before the fault."
    )
    label = "share of recovery explained by cold starts"
    return Measurement("cold_start_share", min(low, high), high, "share", how, label)


def _waited(seen: _Answer) -> tuple[int, int]:
    """Return from when to when a client waited for an answer."""
    total_s = seen.detail.get("total_s")
    if isinstance(total_s, int | float):
        return seen.sent_ns, seen.sent_ns + nanoseconds(float(total_s))
    return seen.sent_ns, seen.sent_ns if seen.done_ns == NEVER else seen.done_ns


def _union_ns(stretches: Sequence[tuple[int, int]]) -> int:
    """Return how long at least one stretch was under way: cold answers overlap."""
    total_ns, reached_ns = 0, 0
    for begin_ns, end_ns in sorted(stretches):
        total_ns += max(0, end_ns - max(begin_ns, reached_ns))
        reached_ns = max(reached_ns, end_ns)
    return total_ns


def _warm_s(history: History, probe: str, window: Window) -> float:
    """Return the median healthy answer's time before the fault; 0 if there was none."""
    took = sorted(attempts(history, probe).healthy_ns(window.begin.earliest_ns))
    return seconds(quantile(took, 0.5)) if took else 0.0
