"""Pictures as inline SVG: no script, no font, no file from elsewhere.

Everything is drawn with classes that the page's one style sheet colours for light, dark and
paper. The order of drawing is back to front: shades, grid, panels, marks.
"""

from collections.abc import Iterator

from markupsafe import Markup

from reports import panels
from reports.axis import Horizontal, tick_text
from reports.panels import LEFT, RIGHT, WIDTH
from reports.series import Bar, Picture, Window
from reports.svg import drawing, element, text, titled

_GAP = 8.0
_AXIS = 24.0
_MARK_ROW = 17.0
_LETTER = 6.9
_BAR = (190.0, 36.0)
_NARROWEST = 4.0
# How much of an interval without an upper bound is shown.
_OPEN = 1.4


def picture(shown: Picture) -> Markup:
    """Draw a picture with its axis, marks and shades."""
    across = Horizontal(shown.window, LEFT, RIGHT)
    labels, top = _mark_labels(shown, across)
    drawn: list[Markup] = []
    y = top
    for panel in shown.panels:
        drawn += panels.draw(panel, across, y)
        y += panels.height(panel) + _GAP
    behind = [*_shades(shown, across, top, y), *_grid(across, top, y)]
    lines = [
        element("line", {"class": "mark", "x1": x, "x2": x, "y1": top - 4, "y2": y})
        for x in (across.at(mark.at_s) for mark in shown.marks)
    ]
    inside = [*behind, *drawn, *lines, *labels]
    return drawing(shown.key, (shown.title, shown.description), (WIDTH, y + _AXIS), inside)


def bar(shown: Bar, key: str) -> Markup:
    """Draw an interval against its objective, on a scale from zero."""
    width = _BAR[0] - 2
    reach = shown.low * _OPEN if shown.high is None else shown.high
    scale = Horizontal(Window(0.0, max(reach, shown.limit, 1e-9) * 1.15), 1.0, 1 + width)
    low, allowed = scale.at(shown.low), scale.at(shown.limit)
    high = scale.right if shown.high is None else scale.at(reach)
    # An interval too narrow to see is drawn wider, around its middle.
    wide = max(high - low, _NARROWEST)
    left = min(max((low + high - wide) / 2, scale.left), scale.right - wide)
    kind = f"measured {shown.tone}" + (" open" if shown.high is None else "")
    inside = [
        element("rect", {"class": "track", "x": 1, "y": 7, "width": width, "height": 12, "rx": 2}),
        element("rect", {"class": "allowed", "x": 1, "y": 7, "width": allowed - 1, "height": 12, "rx": 2}),
        element("rect", {"class": kind, "x": left, "y": 9, "width": wide, "height": 8, "rx": 1.5}),
        *_objective(allowed, shown.limit_text),
    ]
    return drawing(key, ("Interval against objective", shown.description), _BAR, inside, "bar")


def _objective(x: float, words: str) -> Iterator[Markup]:
    yield element("line", {"class": "limit", "x1": x, "x2": x, "y1": 3, "y2": 23})
    anchor = "start" if x < _BAR[0] * 0.3 else "end" if x > _BAR[0] * 0.7 else "middle"
    yield text(f"objective {words}", x, 34, "small", anchor)


def _mark_labels(shown: Picture, across: Horizontal) -> tuple[list[Markup], float]:
    """Place the marks' labels in as few rows as they need; return them and where the panels begin."""
    rows: list[float] = []
    placed: list[tuple[float, int, str, str]] = []
    for mark in sorted(shown.marks, key=lambda mark: mark.at_s):
        x, width = across.at(mark.at_s), len(mark.label) * _LETTER
        fits = x + width <= RIGHT
        begin, end = (x, x + width) if fits else (x - width, x)
        row = next((number for number, taken in enumerate(rows) if taken + 8 <= begin), len(rows))
        if row == len(rows):
            rows.append(end)
        rows[row] = end
        placed.append((x, row, mark.label, "start" if fits else "end"))
    top = len(rows) * _MARK_ROW + 6
    return [
        text(words, x, 12 + row * _MARK_ROW, "mark-label", anchor) for x, row, words, anchor in placed
    ], top


def _grid(across: Horizontal, top: float, bottom: float) -> Iterator[Markup]:
    for at_s in across.ticks():
        x = across.at(at_s)
        yield element("line", {"class": "grid", "x1": x, "x2": x, "y1": top, "y2": bottom})
        yield text(tick_text(at_s), x, bottom + 16, "tick", _kept_inside(x))


def _shades(shown: Picture, across: Horizontal, top: float, bottom: float) -> Iterator[Markup]:
    for shade in shown.shades:
        left, right = across.at(shade.from_s), across.at(shade.to_s)
        if right <= LEFT or left >= RIGHT:
            continue
        place: dict[str, str | float] = {"class": "shade", "x": left, "y": top, "height": bottom - top}
        yield element("rect", {**place, "width": max(right - left, 1.0)}, titled(shade.label))


def _kept_inside(x: float) -> str:
    if x > RIGHT - 16:
        return "end"
    return "start" if x < LEFT + 16 else "middle"
