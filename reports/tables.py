"""The tables behind the pictures: actions, lag, measurements, probes, environment; pure."""

from collections.abc import Mapping

from drill.model import Measurement
from drill.record import Action, ProbeHealth, Record
from reports.series import Table
from reports.text import as_text
from reports.tiles import part
from reports.timeline import Axis
from reports.wording import instant, measured, plain_duration, seconds_since, wall_time

_LAG = "replication_lag"
_QUANTILES = {"p50": "median", "p95": "95 %", "p99": "99 %", "max": "longest"}
_DONE = {"injected": "done", "failed": "failed", "unknown": "answer lost"}
_UNDONE = {"undone": "undone and checked", "undo_failed": "undo failed", "pending": "not undone"}


def actions(record: Record, axis: Axis) -> Table:
    """Return what was done to the system and how it was undone."""
    head = ("Change", "What it did", "Done", "Undone", "State")
    caption = f"Every change and its undo, in time relative to {axis.zero}"
    return Table(caption, head, tuple(_action(action, axis) for action in record.actions))


def lag(record: Record) -> Table:
    """Return the quantiles of the replication lag."""
    found = {one.part: one for one in record.measured.measurements if one.name == _LAG}
    when = list(dict.fromkeys(text.rpartition("/")[0] for text in found))
    quantiles = list(dict.fromkeys(text.rpartition("/")[2] for text in found))
    rows = tuple(
        (_QUANTILES.get(name, name), *(_lag_of(found, f"{time}/{name}" if time else name) for time in when))
        for name in quantiles
    )
    heads = tuple(part(time) if time else "lag" for time in when)
    caption = "How long after its write a marker could be read in the other region"
    return Table(caption, ("Quantile", *heads), rows, frozenset(range(1, len(when) + 1)))


def measurements(record: Record) -> Table:
    """Return every number with how its bounds were obtained."""
    rows = tuple((one.label, measured(one), one.how) for one in record.measured.measurements)
    head = ("Measurement", "Interval", "How it was obtained")
    return Table(
        "Every number of this report, as the interval that the observations prove", head, rows, frozenset({1})
    )


def probes(record: Record) -> Table:
    """Return how well each probe kept its schedule."""
    specs = {spec.name: spec for spec in record.probes}
    rows = []
    for health in record.probe_health:
        spec = specs.get(health.probe)
        rows.append(
            (
                health.probe,
                spec.kind.replace("_", " ") if spec else "\u2013",
                spec.vantage if spec else "\u2013",
                plain_duration(spec.interval_s) if spec else "\u2013",
                plain_duration(spec.timeout_s) if spec else "\u2013",
                f"{health.sent:,} of {health.due:,}",
                plain_duration(health.worst_gap_s),
                plain_duration(health.lag_p99_s),
                _kept(health),
            )
        )
    head = (
        "Probe",
        "Kind",
        "From",
        "Every",
        "Gives up after",
        "Sent of due",
        "Longest gap",
        "Late, 99 %",
        "Schedule",
    )
    return Table("How well each probe kept its schedule", head, tuple(rows), frozenset(range(3, 8)))


def environment(record: Record) -> tuple[Table, ...]:
    """Return where it ran, with what, and how it was called."""
    named = tuple((key, value) for key, value in record.environment.items() if value)
    run = (
        ("command", record.command),
        ("operator", record.operator),
        ("run", record.run_id),
        ("started", wall_time(record.started.wall, 3)),
        ("ended", wall_time(record.ended.wall, 3)),
        ("exit code", str(record.exit_code)),
        ("record schema", str(record.schema)),
        *((f"parameter {key}", as_text(value)) for key, value in record.params.items()),
    )
    versions = tuple(record.versions.items())
    head = ("What", "Value")
    return (
        Table("Environment", head, (("target", record.target), *named)),
        Table("Versions", head, versions),
        Table("This run", head, run),
    )


def _lag_of(found: Mapping[str, Measurement], name: str) -> str:
    return measured(found[name]) if name in found else "\u2013"


def _action(action: Action, axis: Axis) -> tuple[str, ...]:
    state = (
        f"{_DONE.get(action.status, action.status)}, {_UNDONE.get(action.undo_status, action.undo_status)}"
    )
    return (
        action.step,
        f"{action.description} ({action.fault})",
        _when(action.sent_ns, action.done_ns, axis),
        _when(action.undo_sent_ns, action.undo_done_ns, axis),
        ": ".join(part for part in (state, action.error, _drift(action)) if part),
    )


def _drift(action: Action) -> str:
    return f"left as somebody else made it meanwhile: {'; '.join(action.drift)}" if action.drift else ""


def _when(sent_ns: int | None, done_ns: int | None, axis: Axis) -> str:
    if sent_ns is None:
        return "never"
    if done_ns is None:
        return f"{instant(axis.at(sent_ns))}, no answer"
    return f"{instant(axis.at(sent_ns))}, took {plain_duration(seconds_since(done_ns, sent_ns))}"


def _kept(health: ProbeHealth) -> str:
    return "starved: its numbers prove little" if health.starved else "kept"
