"""Expressions over series."""

import pytest

from infra.lab.metric_maths import UnknownExpression, evaluated, marks_of, series_of
from infra.lab.metric_store import MetricName, MetricStore, Point
from infra.lab.watching import Query

MARKS = marks_of(0, 60, 4)
KNOWN = {"a": {0.0: 1.0, 60.0: 2.0, 120.0: 3.0}, "b": {0.0: 10.0, 120.0: 0.0}}


def worth(expression: str) -> dict[float, float]:
    """Return what an expression over ``a`` and ``b`` comes to."""
    queries = [Query(name, MetricName("n", name, ())) for name in KNOWN]
    asked = [*queries, Query("e", None, expression=expression)]
    return evaluated(asked, lambda query: KNOWN[query.id], MARKS)["e"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {0: 1, 60: 2, 120: 3}),
        ("a + b", {0: 11, 120: 3}),
        ("100 * a / (a + b)", {0: 100 / 11, 120: 100}),
        ("-a", {0: -1, 60: -2, 120: -3}),
        ("a / b", {0: 0.1}),
        ("a > 1", {0: 0, 60: 1, 120: 1}),
        ("FILL(b, 0)", {0: 10, 60: 0, 120: 0, 180: 0}),
        ("FILL(b, REPEAT)", {0: 10, 60: 10, 120: 0, 180: 0}),
        ("a + FILL(b, 5)", {0: 11, 60: 7, 120: 3}),
        ("SUM([a, b])", {0: 11, 60: 2, 120: 3}),
        ("SUM(FILL(METRICS(), 1))", {0: 11, 60: 3, 120: 3, 180: 2}),
        ("MAX(METRICS())", {0: 10, 60: 2, 120: 3}),
        ("a - AVG(a)", {0: -1, 60: 0, 120: 1}),
        ("IF(a > 1, a, 0)", {0: 0, 60: 2, 120: 3}),
        ("ABS(1 - a)", {0: 0, 60: 1, 120: 2}),
        ("7", {0: 7, 60: 7, 120: 7, 180: 7}),
    ],
)
def test_expressions(expression: str, expected: dict[float, float]) -> None:
    """Two series meet where both have a value; a division by zero is no value."""
    assert worth(expression) == pytest.approx(expected)


@pytest.mark.parametrize(
    "expression",
    ["a +", "ANOMALY_DETECTION_BAND(a)", "c", "FILL(a, LINEAR)", "METRICS()", "a.b", "SUM(a, b)"],
)
def test_what_is_unknown_is_said(expression: str) -> None:
    """An expression beyond the lab is refused by its text, never worked out wrongly."""
    with pytest.raises(UnknownExpression):
        worth(expression)


def test_expressions_may_come_in_any_order() -> None:
    """One may name another that comes after it, but not itself by way of others."""
    first = Query("x", None, expression="y * 2")
    second = Query("y", None, expression="m + 1")
    metric = Query("m", MetricName("n", "m", ()))
    found = evaluated([first, second, metric], lambda _: {0.0: 1.0}, [0.0])
    assert (found["x"], found["y"]) == ({0.0: 4.0}, {0.0: 2.0})
    with pytest.raises(UnknownExpression, match="circle"):
        evaluated([Query("x", None, expression="y"), Query("y", None, expression="x")], lambda _: {}, [0.0])


def test_series_have_a_value_for_each_period_with_data() -> None:
    """Points fall into the period that begins before them; a period without any has no value."""
    store, metric = MetricStore(), MetricName("n", "m", ())
    store.put("r", [(metric, "None", Point(at, 2, 2, 2, 1)) for at in (0, 0.29, 0.3, 0.95)])
    marks = marks_of(0, 0.3, 4)
    query = Query("m", metric, "Sum")
    assert series_of(store, "r", query, marks, 0.3) == {marks[0]: 4, marks[1]: 2, marks[3]: 2}
