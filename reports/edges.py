"""The edges of a drill close up: a second or so around each, where the numbers are decided; pure."""

from collections.abc import Sequence
from statistics import median

from drill.model import Goodness
from drill.record import Record
from reports import sampling, timeline
from reports.sampling import Attempts
from reports.series import Panel, Picture, Table, Window
from reports.timeline import Axis, Watched
from reports.wording import instant, plain_duration

# So many attempts on each side of an edge.
_ATTEMPTS = 40
_MOST = 4
_ROWS = 8


def edges(record: Record, axis: Axis, probes: Sequence[Watched]) -> tuple[tuple[Picture, Table], ...]:
    """Return a picture for each edge with its numbers: fault, loss and return of service, rollback.

    Edges that one picture shows together are not drawn twice.
    """
    client = clients(probes)
    if client is None:
        return ()
    half_s = client.interval_s * _ATTEMPTS
    drawn: list[tuple[float, str]] = []
    for at_s, words in sorted(_moments(record, axis, client)):
        if not drawn or at_s - drawn[-1][0] > half_s:
            drawn.append((at_s, words))
    return tuple(
        _close_up(record, (axis, probes, client), f"edge-{number}", (at_s, half_s, words))
        for number, (at_s, words) in enumerate(drawn[:_MOST], 1)
    )


def clients(probes: Sequence[Watched]) -> Watched | None:
    """Return the probe that stands for the clients: the first that asks as they do, else the first writer."""
    seen = [probe for probe in probes if len(probe.attempts)]
    return next((probe for kind in ("http", "writer", "table") for probe in seen if probe.kind == kind), None)


def _moments(record: Record, axis: Axis, client: Watched) -> list[tuple[float, str]]:
    marks = record.marks
    found = [(0.0, "The fault")] if marks.injected else []
    for began_s, ended_s in sampling.outages(client.attempts):
        found.append((began_s, "Service is lost"))
        if ended_s < client.attempts.at_s[-1]:
            found.append((ended_s, "Service is back"))
    if marks.undone:
        found.append((axis.at(marks.undone.earliest_ns), "The rollback"))
    return found


def _close_up(
    record: Record,
    seen: tuple[Axis, Sequence[Watched], Watched],
    key: str,
    edge: tuple[float, float, str],
) -> tuple[Picture, Table]:
    axis, probes, client = seen
    at_s, half_s, words = edge
    window = Window(max(axis.whole.from_s, at_s - half_s), min(axis.whole.to_s, at_s + half_s))
    inside = client.attempts.within(window.from_s, window.to_s)
    columns = sampling.columns_for(window, client.interval_s)
    panels: tuple[Panel, ...] = (
        *timeline.action_lanes(record.actions, axis, window),
        sampling.latency(f"latency of {client.name}", client.attempts, window, columns),
        sampling.failures("failed attempts", client.attempts, window, columns),
        *timeline.probe_lanes(probes, window, axis),
    )
    failed = inside.count(Goodness.BAD)
    about = f"{instant(window.from_s)} to {instant(window.to_s)}, relative to {axis.zero}"
    told = f"{len(inside):,} attempts of probe {client.name}, {failed:,} failed; {about}."
    marks = timeline.marks(record, axis, window)
    title = f"{words}, at {instant(at_s)}"
    picture = Picture(key, title, told, window, panels, marks, timeline.shades(probes))
    return picture, _numbers(inside, window, title)


def _numbers(inside: Attempts, window: Window, title: str) -> Table:
    step_s = window.length_s / _ROWS
    rows = []
    for number in range(_ROWS):
        from_s = window.from_s + number * step_s
        stretch = inside.within(from_s, from_s + step_s)
        took = stretch.took()
        rows.append(
            (
                f"{instant(from_s)} to {instant(from_s + step_s)}",
                f"{len(stretch):,}",
                f"{stretch.count(Goodness.BAD):,}",
                f"{stretch.count(Goodness.UNKNOWN):,}",
                plain_duration(median(took)) if took else "\u2013",
                plain_duration(took[-1]) if took else "\u2013",
                ", ".join(stretch.answered()) or "\u2013",
            )
        )
    head = ("Stretch", "Attempts", "Failed", "Unknown", "Median", "Slowest", "Answered by")
    return Table(f"{title}, in numbers", head, tuple(rows), frozenset(range(1, 6)))
