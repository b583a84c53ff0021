"""When an alarm is in alarm, with data that are there and data that are missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.alarm_rules import (
    ALARM,
    BREACHING,
    IGNORE,
    INSUFFICIENT,
    MISSING,
    NOT_BREACHING,
    OK,
    Rule,
    judged,
)

TREATMENTS = (MISSING, IGNORE, BREACHING, NOT_BREACHING)
KEPT = "the state that it had"
ABOVE = "GreaterThanThreshold"


def rule(periods: int = 3, to_alarm: int = 3, missing: str = MISSING, comparison: str = ABOVE) -> Rule:
    """Return a rule around a threshold of 5."""
    return Rule(comparison, 5, periods, to_alarm, missing)


def points(drawn: str) -> list[float | None]:
    """Return points as AWS draws them, the oldest first: 0 is well, X breaches, - is missing."""
    return [{"0": 1.0, "X": 9.0, "-": None}[one] for one in reversed(drawn.replace(" ", ""))]


# The rows of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
@pytest.mark.parametrize(
    ("drawn", "to_alarm", "states"),
    [
        ("0 - X - X", 3, (OK, OK, OK, OK)),
        ("- - - - 0", 3, (OK, OK, OK, OK)),
        ("0 - - - -", 3, (OK, OK, OK, OK)),
        ("- - - - -", 3, (INSUFFICIENT, KEPT, ALARM, OK)),
        ("0 X X - X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", 3, (ALARM, KEPT, ALARM, OK)),
        ("0 - X - X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", 2, (OK, OK, ALARM, OK)),
        ("- - - - 0", 2, (OK, OK, ALARM, OK)),
        ("- - - X -", 2, (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_the_documented_examples(drawn: str, to_alarm: int, states: tuple[str, ...]) -> None:
    """Three periods, five points looked at: each way to treat what is missing comes to AWS's state."""
    seen = [judged(rule(3, to_alarm, missing), points(drawn), KEPT) for missing in TREATMENTS]
    assert tuple(seen) == states


@pytest.mark.parametrize("drawn", ["- - - - X", "- - - X -"])
def test_no_premature_alarm(drawn: str) -> None:
    """A single breach is no alarm while the next points may still be well."""
    assert judged(rule(3, 3), points(drawn), OK) == INSUFFICIENT


def test_points_before_the_range_count_no_more() -> None:
    """What is older than the points that are looked at is forgotten."""
    assert judged(rule(1, 1), points("X - - -"), ALARM) == INSUFFICIENT
    assert judged(rule(1, 1), points("X - -"), OK) == ALARM


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [5.1]),
        ("GreaterThanOrEqualToThreshold", [5, 5.1]),
        ("LessThanThreshold", [4.9]),
        ("LessThanOrEqualToThreshold", [4.9, 5]),
    ],
)
def test_comparisons(comparison: str, breaching: list[float]) -> None:
    """The threshold itself breaches only where the comparison says so."""
    one = rule(1, 1, comparison=comparison)
    assert [value for value in (4.9, 5, 5.1) if judged(one, [value], OK) == ALARM] == breaching


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 10)), min_size=7, max_size=7),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(TREATMENTS),
)
def test_enough_data_need_no_treatment(
    seen: list[float | None], periods: int, to_alarm: int, missing: str
) -> None:
    """With a point for every period it does not matter what a missing one would count as."""
    one = rule(periods, min(periods, to_alarm), missing)
    there = [value for value in seen[: one.wanted] if value is not None]
    if len(there) < periods:
        return
    breaching = sum(value > 5 for value in there[:periods])
    assert judged(one, seen, KEPT) == (ALARM if breaching >= one.to_alarm else OK)
