"""What clients saw: latency, failures and who answered, over the whole drill; pure."""

from collections.abc import Sequence
from statistics import median, quantiles

from drill.model import Goodness
from drill.record import Record
from reports import sampling, timeline
from reports.sampling import Attempts
from reports.series import Lane, Panel, Picture, Segment, Table, Tone, Window
from reports.timeline import Axis, Watched
from reports.wording import counted_share, instant, plain_duration

_ROWS = 20


def picture(record: Record, axis: Axis, probes: Sequence[Watched]) -> Picture | None:
    """Return the whole drill as its clients saw it; None without a client probe."""
    client = _client(probes)
    if client is None:
        return None
    window = axis.whole
    columns = sampling.columns_for(window, client.interval_s)
    panels: tuple[Panel, ...] = (
        _stages(record, axis),
        *timeline.action_lanes(record.actions, axis, window),
        sampling.latency("client latency", client.attempts, window, columns),
        sampling.failures("failed attempts", client.attempts, window, columns),
        *timeline.probe_lanes(probes, window, axis),
    )
    return Picture(
        "clients",
        "What clients saw",
        _description(client, axis),
        window,
        panels,
        timeline.marks(record, axis, window),
        timeline.shades(probes),
    )


def replication(record: Record, axis: Axis, probes: Sequence[Watched]) -> Picture | None:
    """Return within how long the replication probe's markers were seen; None without such a probe."""
    probe = next((probe for probe in probes if probe.kind == "replication"), None)
    if probe is None:
        return None
    columns = sampling.columns_for(axis.whole, probe.interval_s)
    panels = (
        sampling.latency("marker seen within", probe.attempts, axis.whole, columns),
        sampling.failures("markers not seen", probe.attempts, axis.whole, columns),
    )
    missed = len(probe.attempts) - probe.attempts.count(Goodness.GOOD)
    words = (
        f"{len(probe.attempts):,} markers, {missed:,} of them not seen, in seconds relative to {axis.zero}."
    )
    marks = timeline.marks(record, axis, axis.whole)
    return Picture("replication", "Replication over the drill", words, axis.whole, panels, marks)


def counts(probes: Sequence[Watched]) -> Table:
    """Return what every probe saw, in numbers."""
    head = (
        "Probe",
        "Attempts",
        "Failed",
        "Unknown",
        "Good",
        "Median",
        "99th percentile",
        "Slowest",
        "Answered by",
    )
    caption = "What every probe saw over the whole drill; times are good attempts' from when they were due"
    return Table(caption, head, tuple(_counted(probe) for probe in probes), frozenset(range(1, 8)))


def over_time(axis: Axis, probes: Sequence[Watched]) -> Table | None:
    """Return the picture's numbers as a table of twenty stretches; None without a client probe."""
    client = _client(probes)
    if client is None:
        return None
    step_s = axis.whole.length_s / _ROWS
    rows = []
    for number in range(_ROWS):
        from_s = axis.whole.from_s + number * step_s
        inside = client.attempts.within(from_s, from_s + step_s)
        took = inside.took()
        rows.append(
            (
                f"{instant(from_s)} to {instant(from_s + step_s)}",
                f"{len(inside):,}",
                f"{inside.count(Goodness.BAD):,}",
                f"{inside.count(Goodness.UNKNOWN):,}",
                plain_duration(median(took)) if took else "\u2013",
                plain_duration(took[-1]) if took else "\u2013",
                _regions(inside),
            )
        )
    head = ("Stretch", "Attempts", "Failed", "Unknown", "Median", "Slowest", "Answered by")
    caption = f"What clients saw, in {_ROWS} stretches, relative to {axis.zero}"
    return Table(caption, head, tuple(rows), frozenset(range(1, 6)))


def _client(probes: Sequence[Watched]) -> Watched | None:
    return next((probe for probe in probes if probe.kind == "http" and len(probe.attempts)), None)


def _stages(record: Record, axis: Axis) -> Lane:
    """Return the drill's own stages as a lane."""
    marks = record.marks
    named = (
        ("warm-up", marks.probes_started_ns),
        ("fault in place", marks.injected.earliest_ns if marks.injected else None),
        ("settling", marks.undone.earliest_ns if marks.undone else None),
    )
    begun = [(words, axis.at(at_ns)) for words, at_ns in named if at_ns is not None]
    ends = [at_s for _, at_s in begun[1:]] + [axis.whole.to_s]
    return Lane(
        "drill",
        tuple(
            Segment(
                from_s,
                to_s,
                _stage_tone(words),
                f"{words}, {instant(from_s)} to {instant(to_s)}",
                words if _wide(from_s, to_s, axis.whole) else "",
            )
            for (words, from_s), to_s in zip(begun, ends, strict=True)
        ),
    )


def _stage_tone(words: str) -> Tone:
    return "fault" if words == "fault in place" else "stage"


def _wide(from_s: float, to_s: float, whole: Window) -> bool:
    """Say whether a stage has room for its name: a bar's name must not run into the next one."""
    return (to_s - from_s) / whole.length_s > 0.14


def _description(client: Watched, axis: Axis) -> str:
    failed, unknown = (client.attempts.count(kind) for kind in (Goodness.BAD, Goodness.UNKNOWN))
    words = (
        f"{len(client.attempts):,} attempts of probe {client.name}, {failed:,} failed and {unknown:,} unknown"
        f", in seconds relative to {axis.zero}."
    )
    for began_s, ended_s in sampling.outages(client.attempts):
        words += f" Not served from about {instant(began_s)} to {instant(ended_s)}."
    return words


def _counted(probe: Watched) -> tuple[str, ...]:
    every = probe.attempts
    good = every.count(Goodness.GOOD)
    took = every.took()
    return (
        probe.name,
        f"{len(every):,}",
        f"{every.count(Goodness.BAD):,}",
        f"{every.count(Goodness.UNKNOWN):,}",
        counted_share(good, len(every)),
        plain_duration(median(took)) if took else "\u2013",
        plain_duration(quantiles(took, n=100, method="inclusive")[98]) if len(took) > 1 else "\u2013",
        plain_duration(took[-1]) if took else "\u2013",
        _regions(every),
    )


def _regions(every: Attempts) -> str:
    return ", ".join(f"{region} {number:,}" for region, number in every.answered().items()) or "\u2013"
