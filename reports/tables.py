"""The tables behind the pictures: actions, lag, measurements, probes, environment; pure."""

from drill.model import Measurement
from drill.record import Action, ProbeHealth, Record
from reports.series import Table
from reports.text import as_text
from reports.tiles import part
from reports.timeline import Axis
from reports.wording import instant, measured, plain_duration, seconds_since

_LAG = "replication_lag"
_ENOUGH_SENT = 0.95
_DONE = {"injected": "done", "failed": "failed", "unknown": "answer lost"}
_UNDONE = {"undone": "undone and checked", "undo_failed": "undo failed", "pending": "not undone"}


def actions(record: Record, axis: Axis) -> Table:
    """Return what was done to the system and how it was undone."""
    head = ("Change", "What it did", "Done", "Undone", "State")
    caption = f"Every change and its undo, in time relative to {axis.zero}"
    return Table(caption, head, tuple(_action(action, axis) for action in record.actions))


def lag(record: Record) -> Table:
    """Return the quantiles of the replication lag."""
    found = [one for one in record.measured.measurements if one.name == _LAG]
    rows = tuple((part(one.part) or one.label, measured(one), one.how) for one in found)
    return Table("Replication lag", ("Quantile", "Lag", "How it was obtained"), rows, frozenset({1}))


def measurements(record: Record) -> Table:
    """Return every number with how its bounds were obtained."""
    rows = tuple((_name(one), measured(one), one.how) for one in record.measured.measurements)
    head = ("Measurement", "Interval", "How it was obtained")
    return Table("Every number of this report, as the interval that the observations prove", head, rows, frozenset({1}))


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
    head = ("Probe", "Kind", "From", "Every", "Gives up after", "Sent of due", "Longest gap", "Late, 99 %", "Schedule")
    return Table("How well each probe kept its schedule", head, tuple(rows), frozenset(range(3, 8)))


def environment(record: Record) -> tuple[Table, ...]:
    """Return where it ran, with what, and how it was called."""
    named = tuple((key, value) for key, value in record.environment.items() if value)
    run = (
        ("command", record.command),
        ("operator", record.operator),
        ("run", record.run_id),
        ("started", record.started.wall),
        ("ended", record.ended.wall),
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


def _action(action: Action, axis: Axis) -> tuple[str, ...]:
    state = f"{_DONE.get(action.status, action.status)}, {_UNDONE.get(action.undo_status, action.undo_status)}"
    return (
        action.step,
        f"{action.description} ({action.fault})",
        _when(action.sent_ns, action.done_ns, axis),
        _when(action.undo_sent_ns, action.undo_done_ns, axis),
        f"{state}: {action.error}" if action.error else state,
    )


def _when(sent_ns: int | None, done_ns: int | None, axis: Axis) -> str:
    if sent_ns is None:
        return "never"
    if done_ns is None:
        return f"{instant(axis.at(sent_ns))}, no answer"
    return f"{instant(axis.at(sent_ns))}, took {plain_duration(seconds_since(done_ns, sent_ns))}"


def _name(one: Measurement) -> str:
    return f"{one.label} ({part(one.part)})" if one.part else one.label


def _kept(health: ProbeHealth) -> str:
    return "kept" if health.sent >= health.due * _ENOUGH_SENT else "starved: its numbers prove little"
