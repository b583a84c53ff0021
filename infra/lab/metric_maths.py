"""Metric maths: expressions over series, as far as alarms and dashboards of ours need them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html ; where two
series meet, only those instants count at which both have a value. Arithmetic, comparisons and
the functions of :data:`FUNCTIONS` are known; anything else is said to be unknown.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence

from infra.lab.metric_store import MetricStore, Point, statistic
from infra.lab.watching import Query

Series = dict[float, float]
"""Values by the start of their period, seconds since the epoch."""

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right if right else math.nan,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
}
_EACH: Mapping[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_OVER: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
FUNCTIONS = frozenset({*_EACH, *_OVER, "FILL", "IF", "METRICS"})


class UnknownExpression(ValueError):
    """The lab can't work an expression out; the text says which part."""


def marks_of(start_s: float, period_s: float, number: int) -> list[float]:
    """Return the starts of so many periods; series have exactly these as their instants."""
    return [start_s + place * period_s for place in range(number)]


def series_of(
    store: MetricStore, region: str, query: Query, marks: Sequence[float], period_s: float
) -> Series:
    """Return a metric's statistic for each of the periods that start at ``marks`` and have data.

    ``marks`` come from :func:`marks_of`.
    """
    if query.metric is None or not marks:
        return {}
    buckets: dict[float, list[Point]] = {}
    window = (min(marks), max(marks) + period_s)
    for point in store.points(region, query.metric, window, query.unit):
        place = int((point.at_s - window[0]) // period_s)
        buckets.setdefault(window[0] + place * period_s, []).append(point)
    found = {start: statistic(points, query.statistic) for start, points in buckets.items()}
    return {start: value for start, value in found.items() if value is not None}


def evaluated(
    queries: Sequence[Query], fetch: Callable[[Query], Series], marks: Sequence[float]
) -> dict[str, Series]:
    """Return every query's series by id; expressions may name queries that come after them.

    Raises:
        UnknownExpression: One of them is beyond the lab.

    """
    found = {query.id: fetch(query) for query in queries if not query.expression}
    waiting = [query for query in queries if query.expression]
    while waiting:
        ready = [query for query in waiting if not _names(query) & {other.id for other in waiting}]
        if not ready:
            msg = f"expressions need one another in a circle: {', '.join(query.id for query in waiting)}"
            raise UnknownExpression(msg)
        for query in ready:
            maths = _Maths(found, [one.id for one in queries if not one.expression], marks)
            found[query.id] = maths.series(query.expression)
            waiting.remove(query)
    return found


def _names(query: Query) -> set[str]:
    return {node.id for node in ast.walk(_parsed(query.expression)) if isinstance(node, ast.Name)}


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as problem:
        msg = f"the lab does not evaluate the expression {expression!r}"
        raise UnknownExpression(msg) from problem


class _Maths:
    """Works one expression out; a number is a series that is the same at every mark."""

    def __init__(self, known: Mapping[str, Series], metrics: Sequence[str], marks: Sequence[float]) -> None:
        self._known = known
        self._metrics = metrics
        self._marks = marks

    def series(self, expression: str) -> Series:
        found = self._one(_parsed(expression))
        return {mark: value for mark, value in found.items() if not math.isnan(value)}

    def _one(self, node: ast.expr) -> Series:
        match node:
            case ast.Constant(value=int() | float() as number):
                return dict.fromkeys(self._marks, float(number))
            case ast.Name(id=name) if name in self._known:
                return self._known[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return {mark: -value for mark, value in self._one(operand).items()}
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                return _both(_OPERATORS[type(op)], self._one(node.left), self._one(node.right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _both(_OPERATORS[type(op)], self._one(left), self._one(right))
            case ast.Call(func=ast.Name(id=name), args=given) if name in FUNCTIONS:
                return self._call(name, given)
        msg = f"the lab does not evaluate {ast.unparse(node)!r}"
        raise UnknownExpression(msg)

    def _several(self, node: ast.expr) -> list[Series] | None:
        """Return the series of a list or of ``METRICS()``; None for a single one."""
        match node:
            case ast.List(elts=parts):
                return [self._one(part) for part in parts]
            case ast.Call(func=ast.Name(id="METRICS"), args=[]):
                return [self._known[one] for one in self._metrics]
            case ast.Call(func=ast.Name(id="FILL"), args=[inner, gap]):
                several = self._several(inner)
                return None if several is None else [self._filled(one, gap) for one in several]
            case _:
                return None

    def _call(self, name: str, given: Sequence[ast.expr]) -> Series:
        if name == "FILL" and len(given) == 2:
            return self._filled(self._one(given[0]), given[1])
        if name in _EACH and len(given) == 1:
            return {mark: _EACH[name](value) for mark, value in self._one(given[0]).items()}
        if name == "IF" and len(given) == 3:
            condition, yes, no = map(self._one, given)
            return {mark: (yes if holds else no).get(mark, math.nan) for mark, holds in condition.items()}
        if name in _OVER and len(given) == 1:
            return self._over(_OVER[name], given[0])
        msg = f"the lab does not evaluate {name} with {len(given)} arguments"
        raise UnknownExpression(msg)

    def _filled(self, series: Series, gap: ast.expr) -> Series:
        if not isinstance(gap, ast.Name) or gap.id in self._known:
            filler = self._one(gap)
            return {mark: series.get(mark, filler.get(mark, math.nan)) for mark in self._marks}
        if gap.id != "REPEAT":
            msg = f"the lab does not evaluate FILL with {gap.id}"
            raise UnknownExpression(msg)
        filled, last = {}, math.nan
        for mark in sorted(self._marks):
            last = filled[mark] = series.get(mark, last)
        return filled

    def _over(self, combine: Callable[[Sequence[float]], float], node: ast.expr) -> Series:
        """Combine several series into one, or one series into a number."""
        several = self._several(node)
        if several is not None:
            marks = sorted({mark for one in several for mark in one})
            return {mark: combine([one[mark] for one in several if mark in one]) for mark in marks}
        values = list(self._one(node).values())
        return dict.fromkeys(self._marks, combine(values)) if values else {}


def _both(combine: Callable[[float, float], float], left: Series, right: Series) -> Series:
    return {mark: combine(left[mark], right[mark]) for mark in left if mark in right}
