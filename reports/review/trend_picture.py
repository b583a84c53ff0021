"""One number over all drills, as inline SVG: each drill's interval, and the objective."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from drill.model import Measurement
from reports.review.trend import Curve, Point
from reports.svg import drawing, element, text, titled
from reports.wording import limit, measured, wall_time

_WIDTH, _HEIGHT = 380.0, 132.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 54.0, 372.0, 10.0, 108.0
_MOST = 100
_LEAST_HIGH = 1.6
_STEPS = (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10)
_WORST = ("breached", "inconclusive", "met")


@dataclass(frozen=True, slots=True)
class _Column:
    """One drill, or several neighbours when there are too many to draw each."""

    low: float
    high: float | None
    tone: str
    words: str


def curve(shown: Curve) -> Markup:
    """Draw a curve; neighbouring drills share a column when there are more than a hundred."""
    columns = _columns(shown)
    known = [one.high if one.high is not None else one.low for one in columns]
    most = _round(max([*known, shown.objective or 0.0, 1e-6]) * 1.04)
    inside = [*_frame(shown, most)]
    step = (_RIGHT - _LEFT) / max(len(columns), 8)
    for place, column in enumerate(columns):
        inside.append(_bar(column, _LEFT + (place + 0.5) * step, (step, most)))
    first, last = shown.points[0], shown.points[-1]
    inside.append(text(wall_time(first.started)[:10], _LEFT, _BOTTOM + 17, "tick"))
    inside.append(text(wall_time(last.started)[:10], _RIGHT, _BOTTOM + 17, "tick", "end"))
    return drawing(shown.key, (shown.label, _description(shown)), (_WIDTH, _HEIGHT), inside, "picture trend")


def _columns(shown: Curve) -> list[_Column]:
    size = -(-len(shown.points) // _MOST)
    groups = [shown.points[first : first + size] for first in range(0, len(shown.points), size)]
    return [_column(group, shown.unit) for group in groups]


def _column(group: Sequence[Point], unit: str) -> _Column:
    low = min(one.low for one in group)
    highs = [one.high for one in group]
    high = None if None in highs else max(one for one in highs if one is not None)
    tone = next((tone for tone in _WORST if any(one.outcome == tone for one in group)), "unjudged")
    when = group[0].run_id if len(group) == 1 else f"{len(group)} drills from {group[0].run_id}"
    return _Column(low, high, tone, f"{when}: {_text(low, high, unit)}")


def _bar(column: _Column, x: float, scale: tuple[float, float]) -> Markup:
    step, most = scale
    top = _TOP if column.high is None else _y(column.high, most)
    bottom = _y(column.low, most)
    tall = max(bottom - top, _LEAST_HIGH)
    width = min(max(step * 0.6, 1.0), 10.0)
    place: dict[str, str | float] = {"x": x - width / 2, "y": bottom - tall, "width": width, "height": tall}
    kind = f"measured {column.tone}" + (" open" if column.high is None else "")
    return element("rect", {"class": kind, **place}, titled(column.words))


def _frame(shown: Curve, most: float) -> Iterator[Markup]:
    for share in (0.0, 0.5, 1.0):
        y = _BOTTOM - share * (_BOTTOM - _TOP)
        yield element("line", {"class": "grid", "x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y})
        yield text(limit(share * most, shown.unit) if share else "0", _LEFT - 6, y + 4, "tick", "end")
    if shown.objective is not None:
        y = _y(shown.objective, most)
        yield element("line", {"class": "limit", "x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y})


def _y(value: float, most: float) -> float:
    return _BOTTOM - value / most * (_BOTTOM - _TOP)


def _round(value: float) -> float:
    """Return the next larger number that can be halved and still be read."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(step * power, 9) for step in _STEPS if step * power >= value)


def _description(shown: Curve) -> str:
    wanted = f", objective {shown.wanted}" if shown.wanted else ""
    return f"{len(shown.points)} drills, the newest {shown.latest}{wanted}; {shown.tested}."


def _text(low: float, high: float | None, unit: str) -> str:
    return measured(Measurement("", low, high, unit, "", ""))
