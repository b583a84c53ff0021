"""The time line: phases, what was done and what was observed, on one axis; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drill.columns import Columns
from drill.model import Between, Phase
from drill.record import Action, Record
from reports import sampling
from reports.sampling import Attempts, Key
from reports.series import Lane, Mark, Picture, Segment, Shade, Table, Tone, Window
from reports.wording import duration, instant, instants, seconds_since

# In this order; kinds that nobody thought of here come after them.
_KINDS_FIRST = ("http", "writer", "dns", "health_check")
# Has a picture of its own.
_NOT_AS_LANE = "replication"
_PAD = 0.08
# A reading is drawn until the next one, unless that is more than so many intervals away.
_HOLDS = 2.5


@dataclass(frozen=True, slots=True)
class Axis:
    """The drill's own time: seconds since the fault, or since the probes began if there was none.

    Attributes:
        zero_ns: Where zero is, on the monotonic clock.
        zero: What zero is called.
        whole: The whole drill.
        tones: The tone of each region.

    """

    zero_ns: int
    zero: str
    whole: Window
    tones: Mapping[str, Tone]

    def at(self, instant_ns: int) -> float:
        """Return an instant in seconds on this axis."""
        return seconds_since(instant_ns, self.zero_ns)


@dataclass(frozen=True, slots=True)
class Watched:
    """One probe with its attempts on the axis."""

    name: str
    kind: str
    interval_s: float
    attempts: Attempts


def axis(record: Record) -> Axis:
    """Return the axis that every picture and every instant of the page uses."""
    marks = record.marks
    zero_ns = marks.injected.earliest_ns if marks.injected else marks.probes_started_ns
    known = [marks.recovery_ended_ns, marks.undone.latest_ns if marks.undone else None, marks.settled_ns]
    last_ns = max(
        [instant_ns for instant_ns in known if instant_ns is not None] or [record.ended.monotonic_ns]
    )
    whole = Window(seconds_since(marks.probes_started_ns, zero_ns), seconds_since(last_ns, zero_ns))
    sides: tuple[tuple[str, Tone], ...] = (("primary", "region-1"), ("standby", "region-2"))
    tones = {record.environment[side]: tone for side, tone in sides if record.environment.get(side)}
    return Axis(zero_ns, "the fault" if marks.injected else "the first probe", whole, tones)


def watched(record: Record, observations: Mapping[str, Columns], zero_ns: int) -> tuple[Watched, ...]:
    """Return the probes with their attempts, in the record's order; those that saw nothing are left out."""
    return tuple(
        Watched(spec.name, spec.kind, spec.interval_s, sampling.attempts(observations[spec.name], zero_ns))
        for spec in record.probes
        if observations.get(spec.name)
    )


def picture(record: Record, the_axis: Axis, probes: Sequence[Watched]) -> Picture:
    """Return the failover close up: a lane for each phase, for each action, for each probe."""
    window = _close_up(record, the_axis)
    lanes = [
        *(_phase(phase, the_axis, window) for phase in record.measured.phases),
        *action_lanes(record.actions, the_axis, window),
        *probe_lanes(probes, window, the_axis),
    ]
    words = "; ".join(f"{phase.label}: {_took(phase)}" for phase in record.measured.phases)
    description = (
        f"Phases, actions and observations in seconds relative to {the_axis.zero}. {words or 'No phases.'}"
    )
    return Picture(
        "timeline", "Time line", description, window, tuple(lanes), marks(record, the_axis, window)
    )


def phases(record: Record, the_axis: Axis, previous: Record | None = None) -> Table:
    """Return the phases as a table, beside those of the previous drill if there is one."""
    before = {phase.name: _took(phase) for phase in previous.measured.phases} if previous else {}
    rows = tuple(
        (
            phase.label,
            _instants(phase.begins, the_axis),
            _instants(phase.ends, the_axis) if phase.ends else "never",
            _took(phase),
            *([before.get(phase.name, "\u2013")] if previous else []),
            phase.note,
        )
        for phase in record.measured.phases
    )
    caption = f"Phases, in time relative to {the_axis.zero}"
    head = ("Phase", "Began", "Ended", "Took", *(["Previous drill"] if previous else []), "Note")
    return Table(caption, head, rows, frozenset(range(1, len(head) - 1)))


def marks(record: Record, the_axis: Axis, window: Window) -> tuple[Mark, ...]:
    """Return the engine's own moments that a window shows."""
    engine = record.marks
    known = (
        ("fault", engine.injected.earliest_ns if engine.injected else None),
        ("deadline" if engine.deadline_passed else "recovery seen", engine.recovery_ended_ns),
        ("rollback", engine.undone.earliest_ns if engine.undone else None),
        ("settled", engine.settled_ns),
    )
    placed = [(label, the_axis.at(at_ns)) for label, at_ns in known if at_ns is not None]
    return tuple(Mark(at_s, label) for label, at_s in placed if window.from_s <= at_s <= window.to_s)


def action_lanes(actions: Sequence[Action], the_axis: Axis, window: Window) -> tuple[Lane, ...]:
    """Return a lane for each action: from its injection to its undo, soft where only bounds are known."""
    return tuple(
        Lane(action.step, (_in_place(action, the_axis, window),))
        for action in actions
        if action.sent_ns is not None
    )


def probe_lanes(probes: Sequence[Watched], window: Window, the_axis: Axis) -> tuple[Lane, ...]:
    """Return a lane for each probe that shows who answered, or whether it was good."""
    lanes = []
    shown = [probe for probe in probes if probe.kind != _NOT_AS_LANE]
    for probe in sorted(shown, key=_place):
        words = ("healthy", "unhealthy") if probe.kind == "health_check" else ("answered", "failed")
        key = Key(the_axis.tones, probe.interval_s * _HOLDS, *words)
        columns = sampling.columns_for(window, probe.interval_s)
        lanes.append(Lane(probe.name, sampling.stretches(probe.attempts, window, columns, key)))
    return tuple(lanes)


def _place(probe: Watched) -> int:
    return _KINDS_FIRST.index(probe.kind) if probe.kind in _KINDS_FIRST else len(_KINDS_FIRST)


def shades(probes: Sequence[Watched]) -> tuple[Shade, ...]:
    """Return the stretches in which the clients were not served."""
    client = next((probe for probe in probes if probe.kind == "http"), None)
    if client is None:
        return ()
    return tuple(
        Shade(began, ended, "clients not served") for began, ended in sampling.outages(client.attempts)
    )


def _close_up(record: Record, the_axis: Axis) -> Window:
    known = record.measured.phases
    if not known:
        return the_axis.whole
    first = min(the_axis.at(phase.begins.earliest_ns) for phase in known)
    ends = [phase.ends for phase in known]
    last = max((the_axis.at(end.latest_ns) for end in ends if end), default=the_axis.whole.to_s)
    if not all(ends):
        last = the_axis.whole.to_s
    pad = max((last - first) * _PAD, 1e-3)
    return Window(max(the_axis.whole.from_s, first - pad), min(the_axis.whole.to_s, last + pad * 2))


def _phase(phase: Phase, the_axis: Axis, window: Window) -> Lane:
    begins, ends = phase.begins, phase.ends
    segment = Segment(
        from_s=the_axis.at(begins.latest_ns),
        to_s=the_axis.at(ends.earliest_ns) if ends else window.to_s,
        tone="phase" if phase.exercised else "skipped",
        title=f"{phase.label}: {_took(phase)}" + (f". {phase.note}" if phase.note else ""),
        text=_took(phase),
        earliest_s=the_axis.at(begins.earliest_ns),
        latest_s=the_axis.at(ends.latest_ns) if ends else window.to_s,
    )
    return Lane(phase.label, (segment,))


def _took(phase: Phase) -> str:
    """Return how long a phase took, by the bounds of its two ends."""
    if not phase.exercised:
        return "not exercised"
    if phase.ends is None:
        return "never ended"
    low_s = max(0.0, seconds_since(phase.ends.earliest_ns, phase.begins.latest_ns))
    return duration(low_s, max(low_s, seconds_since(phase.ends.latest_ns, phase.begins.earliest_ns)))


def _in_place(action: Action, the_axis: Axis, window: Window) -> Segment:
    sent_s = the_axis.at(action.sent_ns or the_axis.zero_ns)
    done_s = sent_s if action.done_ns is None else the_axis.at(action.done_ns)
    undone = action.undo_status == "undone"
    end_s = the_axis.at(action.undo_sent_ns) if undone and action.undo_sent_ns is not None else window.to_s
    gone_s = the_axis.at(action.undo_done_ns) if undone and action.undo_done_ns is not None else end_s
    until = f"undone at {instant(gone_s)}" if undone else "still in place"
    return Segment(
        from_s=done_s,
        to_s=end_s,
        tone="fault" if undone else "bad",
        title=f"{action.description}: {action.status} at {instant(done_s)}, {until}",
        text="" if undone else "still in place",
        earliest_s=sent_s,
        latest_s=gone_s,
    )


def _instants(between: Between, the_axis: Axis) -> str:
    return instants(the_axis.at(between.earliest_ns), the_axis.at(between.latest_ns))
