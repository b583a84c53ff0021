"""The panels of a picture: lanes of bars, durations, counted failures."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from reports.axis import Horizontal, duration_text, logarithmic
from reports.series import Failures, Lane, Latency, Panel, Segment, Spread
from reports.svg import element, number, text, titled

WIDTH = 960.0
LEFT = 240.0
RIGHT = 946.0
_LANE = 22.0
# Panels with a scale of their own keep room for its ticks.
_GUTTER: dict[type[Panel], float] = {Lane: 12.0, Latency: 62.0, Failures: 62.0}
_LATENCY = 132.0
_FAILURES = 40.0
_LETTER = 6.6
_LABEL_LETTERS = 36
_NARROW = 1.5


def height(panel: Panel) -> float:
    """Return how much room a panel takes."""
    if isinstance(panel, Lane):
        return _LANE
    return _LATENCY if isinstance(panel, Latency) else _FAILURES


def draw(panel: Panel, across: Horizontal, top: float) -> Iterator[Markup]:
    """Draw a panel with its label, from its top edge down."""
    middle = top + min(height(panel), _LANE) / 2 + 4
    label = panel.label
    if len(label) > _LABEL_LETTERS:
        label = label[: _LABEL_LETTERS - 1] + "\u2026"
    yield element(
        "g", {}, titled(panel.label), text(label, LEFT - _GUTTER[type(panel)], middle, "label", "end")
    )
    if isinstance(panel, Lane):
        yield from _lane(panel, across, top)
    elif isinstance(panel, Latency):
        yield from _latency(panel, across, top)
    else:
        yield from _failures(panel, across, top)


def _lane(lane: Lane, across: Horizontal, top: float) -> Iterator[Markup]:
    middle = top + _LANE / 2
    yield element("line", {"class": "rail", "x1": LEFT, "x2": RIGHT, "y1": middle, "y2": middle})
    for segment in lane.segments:
        inside = [titled(segment.title), *_segment(segment, across, top)]
        yield element("g", {"class": f"segment {segment.tone}"}, *inside)


def _segment(segment: Segment, across: Horizontal, top: float) -> Iterator[Markup]:
    earliest = across.at(segment.from_s if segment.earliest_s is None else segment.earliest_s)
    latest = across.at(segment.to_s if segment.latest_s is None else segment.latest_s)
    left, right = across.at(segment.from_s), across.at(segment.to_s)
    if latest - earliest > _NARROW:
        place: dict[str, str | float] = {"class": "soft", "x": earliest, "y": top + 4, "height": _LANE - 8}
        yield element("rect", {**place, "width": latest - earliest})
    # Where the bounds overlap nothing is certain, and only the soft bar is drawn.
    if right > left or latest - earliest <= _NARROW:
        sure: dict[str, str | float] = {"class": "sure", "x": left, "y": top + 4, "height": _LANE - 8}
        yield element("rect", {**sure, "width": max(right - left, _NARROW)})
    if segment.text:
        inside = (left, right) if segment.tone != "skipped" else (earliest, latest)
        yield _label(segment.text, inside, (earliest, max(latest, right)), top + _LANE / 2 + 4)


def _label(words: str, sure: tuple[float, float], whole: tuple[float, float], y: float) -> Markup:
    """Set words inside the certain part of a bar if they fit, else right of it, else left of it."""
    length = len(words) * _LETTER
    if sure[1] - sure[0] > length + 12:
        return text(words, sum(sure) / 2, y, "inside", "middle")
    if whole[1] + length + 8 < RIGHT:
        return text(words, whole[1] + 6, y, "beside")
    return text(words, whole[0] - 6, y, "beside", "end")


def _latency(panel: Latency, across: Horizontal, top: float) -> Iterator[Markup]:
    known = [spread for spread in panel.columns if spread is not None]
    bottom = top + _LATENCY
    yield element("line", {"class": "axis", "x1": LEFT, "x2": RIGHT, "y1": bottom, "y2": bottom})
    if not known:
        yield text("nothing was answered", (LEFT + RIGHT) / 2, (top + bottom) / 2, "small", "middle")
        return
    least, most = min(s.low_s for s in known), max(s.high_s for s in known)
    scale = logarithmic(least, most, top + 6, bottom)
    for took_s in scale.ticks():
        y = scale.at(took_s)
        yield element("line", {"class": "grid", "x1": LEFT, "x2": RIGHT, "y1": y, "y2": y})
        yield text(duration_text(took_s), LEFT - 6, y - 1 if took_s == scale.low_s else y + 4, "tick", "end")
    for run in _runs(panel.columns):
        points = [
            (across.at(s.at_s), scale.at(s.high_s), scale.at(s.low_s), scale.at(s.median_s)) for s in run
        ]
        yield from _envelope(points)


def _envelope(points: Sequence[tuple[float, float, float, float]]) -> Iterator[Markup]:
    if len(points) == 1:
        # One column alone has no area: give it the width of a stroke.
        x, high, low, middle = points[0]
        points = [(x - 1, high, low, middle), (x + 1, high, low, middle)]
    upper = [(x, high) for x, high, _, _ in points]
    lower = [(x, low) for x, _, low, _ in reversed(points)]
    yield element("path", {"class": "envelope", "d": _path([*upper, *lower]) + "Z"})
    yield element("path", {"class": "median", "d": _path([(x, middle) for x, _, _, middle in points])})


def _failures(panel: Failures, across: Horizontal, top: float) -> Iterator[Markup]:
    bottom = top + _FAILURES
    most = max((tally.bad + tally.unknown for tally in panel.columns), default=0)
    yield element("line", {"class": "axis", "x1": LEFT, "x2": RIGHT, "y1": bottom, "y2": bottom})
    if not most:
        yield text("none", LEFT + 6, bottom - 6, "small")
        return
    yield text(str(most), LEFT - 6, top + 28, "tick", "end")
    width = max((across.right - across.left) / max(len(panel.columns), 1), _NARROW)
    unit = (_FAILURES - 6) / most
    for tally in panel.columns:
        if not tally.bad + tally.unknown:
            continue
        x = across.at(tally.at_s) - width / 2
        bad, unknown = tally.bad * unit, tally.unknown * unit
        if tally.bad:
            yield _column("bad", x, bottom - bad, width, bad)
        if tally.unknown:
            yield _column("unknown", x, bottom - bad - unknown, width, unknown)


def _column(tone: str, x: float, y: float, width: float, tall: float) -> Markup:
    return element("rect", {"class": f"count {tone}", "x": x, "y": y, "width": width, "height": tall})


def _runs(columns: Sequence[Spread | None]) -> Iterator[list[Spread]]:
    """Yield the unbroken stretches: a line over an empty column would tell of answers nobody got."""
    run: list[Spread] = []
    for spread in columns:
        if spread is not None:
            run.append(spread)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
