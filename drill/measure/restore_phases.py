"""The phases of a restore on one time line, its recovery time, and its recovery point by the snapshot's age.

fault → (copy →) cluster available → instance available → first connection → login valid → first correct
query (→ application switched → first served order). A step of the recovery procedure is complete when its
own look at AWS shows it; what comes between is seen by the probes.

Probe: ``postgres``, on the restored database. Options:

- ``writer``: the ``writer`` probe whose orders the database should hold (for the nonces);
- ``orders``: the ``writer`` probe whose orders the restored database is to serve; none where nothing is
  switched. ``customer``: as the ``postgres`` probe names it, where the usual database serves besides and
  only the restored one can tell what it got. ``region``: who must have answered;
- ``copy restore instance login switch``: names of the steps, as far as there are such;
- ``store``: the store whose ledger tells the recovery point too (``aurora``);
- ``headline``: whether the recovery time without a part is this one (default: yes).

Measurements: ``restore_phase``, one part for each phase, and its part ``whole``; ``recovery_time`` with the
parts ``query`` and ``order``, and without a part the last of them; ``recovery_point`` with the part
``snapshot``. Findings: ``recovery_points_disagree``, ``wrong_answer``, ``stale_login``.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias, cast

from drill.measure import restore_point
from drill.measure.attempts import Attempts, sent_in_order
from drill.measure.boundaries import Flip, check_telescoping, flip, in_sequence
from drill.measure.bounds import elapsed_at_least_s, elapsed_s
from drill.measure.numbers import counted
from drill.measure.options import flag, optional_text, text
from drill.measure.parts import NOTHING
from drill.measure.recovery import Window, fault_window
from drill.measure.writes import WRITTEN, Writes, sent_writes
from drill.model import (
    Between,
    Finding,
    Goodness,
    History,
    Measured,
    Measurement,
    MeasureSpec,
    Observation,
    Phase,
    Severity,
    StepMark,
)
from drill.target import Target

NAME = "restore_phase"
WHOLE = "whole"
QUERY, ORDER = "query", "order"
RUN = "{run}"
# What a database's server itself says: it was reached, whatever it thinks of the question.
_ANSWERED = frozenset({"wrong_password", "no_database", "no_table", "no_permission"})
Holds: TypeAlias = Callable[[Observation], bool]

_STEPS = (
    ("copy", "copy", "snapshot copied"),
    ("restore", "cluster", "cluster available"),
    ("instance", "instance", "instance available"),
)


@dataclass(frozen=True, slots=True)
class _Stage:
    """One phase as it is looked for, and what shows its end."""

    name: str
    label: str
    end: Flip


def restore_phases(spec: MeasureSpec, history: History, target: Target) -> Measured:  # noqa: ARG001 (contract)
    """Return the phases that were seen, the last of them open where the restore stopped."""
    window = fault_window(history)
    if window is None or not (history.marks.steps or _sent(history, spec.probe, window)):
        return NOTHING  # nobody restored anything, and nobody looked
    stages = _stages(spec, history, window)
    listed = _phases(window.begin, stages)
    check_telescoping(listed)
    measured = [_phase_measurement(one, stage) for one, stage in zip(listed, stages, strict=False)]
    measured += _times(spec, window, stages)
    measured += restore_point.measurements(spec, history, window)
    findings = (
        *restore_point.findings(spec, history, window),
        *_wrong_answers(spec, history),
        *_stale_login(spec, history, window),
    )
    return Measured(tuple(measured), listed, (), findings)


def _stages(spec: MeasureSpec, history: History, window: Window) -> list[_Stage]:
    stages = [
        _Stage(name, label, _completed(mark, window))
        for option, name, label in _STEPS
        if (mark := _mark(spec, history, option)) is not None
    ]
    seen = _sent(history, spec.probe, window)
    stages.append(_Stage("connection", "first connection", _flip(seen, window.begin, _reached)))
    login = _mark(spec, history, "login")
    if login is not None:
        stages.append(_Stage("login", "login valid again", _completed(login, window)))
    writes = _writes(spec, history)
    stages.append(
        _Stage(QUERY, "first correct query", _flip(seen, window.begin, lambda one: _correct(one, writes)))
    )
    switch = _mark(spec, history, "switch")
    if switch is not None:
        stages.append(_Stage("switch", "application switched", _completed(switch, window)))
    if optional_text(spec, "orders"):
        stages.append(_Stage(ORDER, "first served order", _served(spec, history, window)))
    return stages


def _mark(spec: MeasureSpec, history: History, option: str) -> StepMark | None:
    name = optional_text(spec, option)
    return next((one for one in history.marks.steps if one.step == name), None) if name else None


def _completed(mark: StepMark, window: Window) -> Flip:
    ready = mark.ready
    if ready is None:
        return Flip(None, max(mark.called.earliest_ns, window.begin.earliest_ns))
    # It can't have been complete before its call was sent.
    return Flip(Between(max(ready.earliest_ns, mark.called.earliest_ns), ready.latest_ns), ready.earliest_ns)


def _sent(history: History, probe: str, window: Window) -> list[Observation]:
    return [one for one in sent_in_order(history, probe) if _before(one, window)]


def _sent_ns(one: Observation) -> int:
    return cast("int", one.sent_ns)  # sent_in_order keeps no other


def _flip(seen: Iterable[Observation], since: Between, holds: Holds) -> Flip:
    """Return when something first held; attempts of which nobody knows what they would show are left out."""
    known = [one for one in seen if one.goodness is not Goodness.UNKNOWN]
    sent_ns, done_ns = (
        array("q", (cast("int", at) for at in instants))
        for instants in ((one.sent_ns for one in known), (one.done_ns for one in known))
    )
    return flip(Attempts(sent_ns, done_ns, bytes(map(holds, known))), since)


def _reached(one: Observation) -> bool:
    return one.goodness is Goodness.GOOD or str(one.detail.get("error", "")) in _ANSWERED


def _writes(spec: MeasureSpec, history: History) -> Writes | None:
    writer = optional_text(spec, "writer")
    return sent_writes(history, writer, ()) if writer else None


def _correct(one: Observation, writes: Writes | None) -> bool:
    """Say whether a query was answered, and its newest order is one that the writer sent, if it has one."""
    return one.goodness is Goodness.GOOD and not _wrong(one, writes)


def _wrong(one: Observation, writes: Writes | None) -> bool:
    newest = one.detail.get("newest")
    shown = newest.get(RUN) if isinstance(newest, Mapping) else None
    if not isinstance(shown, Mapping) or writes is None:
        return False
    number = shown.get("number")
    place = writes.place(number) if isinstance(number, int) else None
    return place is not None and not writes.has_nonce(place, str(shown.get("nonce")))


def _served(spec: MeasureSpec, history: History, window: Window) -> Flip:
    """Return when the restored database first took an order that a client had acknowledged.

    Where the usual database still serves, an acknowledgement does not tell which of both has it: then the
    restored one is asked from which order on it has them.
    """
    probe, switch = text(spec, "orders"), _mark(spec, history, "switch")
    since_ns = window.begin.earliest_ns if switch is None else switch.called.earliest_ns
    first = _first_there(spec, history, since_ns)
    if optional_text(spec, "customer") and first is None:
        return Flip(None, since_ns)
    # Orders that were there when the database was first asked are not told apart from those of before.
    asked = any(
        one.goodness is Goodness.GOOD and cast("int", one.done_ns) <= since_ns
        for one in _sent(history, spec.probe, window)
    )
    store, region = text(spec, "store"), optional_text(spec, "region")

    def served(one: Observation) -> bool:
        stores = one.detail.get("stores")
        written = isinstance(stores, Mapping) and stores.get(store) == WRITTEN
        there = first is None or one.number >= first
        return one.goodness is Goodness.GOOD and written and there and region in (None, one.answered_by)

    every = [one for one in history.sent_since(probe, since_ns) if one.done_ns is not None]
    seen = sorted(every, key=lambda one: (_sent_ns(one), one.number))
    found = _flip((one for one in seen if _before(one, window)), Between(since_ns, since_ns), served)
    if found.at is None or first is None or asked:
        return found
    return Flip(Between(since_ns, found.at.latest_ns), since_ns)


def _before(one: Observation, window: Window) -> bool:
    return window.end_ns is None or _sent_ns(one) < window.end_ns


def _first_there(spec: MeasureSpec, history: History, since_ns: int) -> int | None:
    """Return the first order of a customer that the restored database got after it was restored."""
    customer = optional_text(spec, "customer")
    if not customer:
        return None
    lowest: list[int] = []
    for one in history.observations.get(spec.probe, ()):
        since = one.detail.get("since")
        number = since.get(customer) if isinstance(since, Mapping) else None
        if isinstance(number, int) and one.done_ns is not None and one.done_ns >= since_ns:
            lowest.append(number)
    return min(lowest, default=None)


def _phases(begin: Between, stages: Sequence[_Stage]) -> tuple[Phase, ...]:
    """Return the stages as phases that follow one another, up to the first that never ended."""
    reached: list[_Stage] = []
    for stage in stages:
        if stage.end.at is None:
            break
        reached.append(stage)
    ends = [stage.end.at for stage in reached if stage.end.at is not None]
    boundaries = in_sequence([begin, *ends])
    listed = [
        Phase(stage.name, stage.label, begins, ends)
        for stage, (begins, ends) in zip(reached, pairwise(boundaries), strict=True)
    ]
    listed += [
        Phase(stage.name, stage.label, boundaries[-1], None)
        for stage in stages[len(reached) : len(reached) + 1]
    ]
    return tuple(listed)


def _phase_measurement(phase: Phase, stage: _Stage) -> Measurement:
    how = "From one boundary to the next, each seen between two looks at AWS or two attempts of its probe."
    low, high = elapsed_at_least_s(phase.begins, stage.end.not_before_ns), None
    if phase.ends is not None:
        low, high = elapsed_s(phase.begins, phase.ends)
    return Measurement(NAME, low, high, "s", how, phase.label, phase.name)


def _times(spec: MeasureSpec, window: Window, stages: Sequence[_Stage]) -> list[Measurement]:
    """Return the recovery times: to the first correct query, to the first served order."""
    listed = []
    for stage in stages:
        if stage.name in {QUERY, ORDER}:
            low, high = elapsed_at_least_s(window.begin, stage.end.not_before_ns), None
            if stage.end.at is not None:
                low, high = elapsed_s(window.begin, stage.end.at)
            how = f"From the instant of the disaster to the {stage.label}, seen between two attempts."
            label = f"recovery time to the {stage.label}"
            listed.append(Measurement("recovery_time", low, high, "s", how, label, stage.name))
    if listed and flag(spec, "headline"):
        last = listed[-1]
        listed.insert(0, replace(last, label="recovery time", part=""))
    return listed


def _wrong_answers(spec: MeasureSpec, history: History) -> tuple[Finding, ...]:
    writes = _writes(spec, history)
    wrong = [one for one in history.observations.get(spec.probe, ()) if _wrong(one, writes)]
    if not wrong:
        return ()
    return (
        Finding(
            "wrong_answer",
            Severity.CRITICAL,
            f"{counted(len(wrong), 'answer')} of the restored database wrong",
            "The newest order there has another nonce than was sent: it is no order of this drill's.",
            "Compare the restored database with the table before anything uses it.",
        ),
    )


def _stale_login(spec: MeasureSpec, history: History, window: Window) -> tuple[Finding, ...]:
    """Tell whether the restored password was stale: only then was its reset really put to the test."""
    refused = [
        one for one in _sent(history, spec.probe, window) if one.detail.get("error") == "wrong_password"
    ]
    if not refused or _mark(spec, history, "login") is None:
        return ()
    return (
        Finding(
            "stale_login",
            Severity.NOTE,
            "The restored database refused the present login until it was reset",
            f"{counted(len(refused), 'attempt')} met a password from before the last rotation.",
        ),
    )
