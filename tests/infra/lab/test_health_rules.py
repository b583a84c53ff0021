from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.health_rules import Opinion, by_stream, states
from infra.lab.world import HealthCheck


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_a_checker_changes_its_mind_after_threshold_results_in_a_row(
    results: list[bool], threshold: int
) -> None:
    """In both directions: exactly when the last ``threshold`` results all contradict the opinion held."""
    opinion, since_turn = Opinion(), 0
    for n, good in enumerate(results, 1):
        before = opinion
        opinion = opinion.after(good=good, threshold=threshold)
        recent = results[max(since_turn, n - threshold) : n]
        turns = len(recent) == threshold and all(result != before.healthy for result in recent)
        assert (opinion.healthy != before.healthy) == turns
        since_turn = n if turns else since_turn


@pytest.mark.parametrize(
    ("well", "of", "healthy"),
    [
        (0, 3, False),
        (1, 3, True),
        (1, 5, True),
        (1, 6, False),
        (18, 100, False),
        (19, 100, True),
        (3, 16, True),
    ],
)
def test_more_than_18_percent_of_the_checkers_make_it_healthy(well: int, of: int, healthy: bool) -> None:
    """18 % are not enough, more are."""
    opinions = [Opinion(n < well) for n in range(of)]
    assert states({"a": HealthCheck("a", "HTTP")}, {"a": opinions}) == {"a": healthy}


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(
    ("disabled", "inverted", "shown"),
    [(False, False, None), (False, True, None), (True, False, True), (True, True, False)],
)
def test_disabled_is_constant_and_inverted_inverts(
    raw: bool, disabled: bool, inverted: bool, shown: bool | None
) -> None:
    """A disabled check is healthy whatever its endpoint; inverted as well it is unhealthy."""
    check = HealthCheck("a", "HTTP", disabled=disabled, inverted=inverted)
    expected = (raw != inverted) if shown is None else shown
    assert states({"a": check}, {"a": [Opinion(raw)] * 3}) == {"a": expected}


def _calculated(threshold: int, *children: str, inverted: bool = False) -> HealthCheck:
    return HealthCheck(
        "sum", "CALCULATED", children=children, children_threshold=threshold, inverted=inverted
    )


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=5),
    st.integers(0, 6),
    st.booleans(),
)
def test_a_calculated_check_counts_what_its_children_show(
    children: list[tuple[bool, bool, bool]], threshold: int, inverted: bool
) -> None:
    """Healthy from ``threshold`` children on that show healthy, their own inversion included."""
    checks = {
        str(n): HealthCheck(str(n), "HTTP", disabled=disabled, inverted=flipped)
        for n, (_, disabled, flipped) in enumerate(children)
    }
    opinions = {str(n): [Opinion(raw)] for n, (raw, _, _) in enumerate(children)}
    shown = states(checks, opinions)
    total = _calculated(threshold, *checks, inverted=inverted)
    both = states({"sum": total, **checks}, opinions)
    assert both["sum"] == ((sum(shown.values()) >= threshold) != inverted)
    assert {key: both[key] for key in checks} == shown


def test_calculated_checks_nest_and_a_missing_child_counts_for_nothing() -> None:
    """A calculated check may be a child; one that was deleted is not healthy; a circle ends."""
    inner = replace(_calculated(1, "a"), id="inner")
    checks = {"sum": _calculated(2, "inner", "gone"), "inner": inner, "a": HealthCheck("a", "HTTP")}
    assert states(checks, {}) == {"sum": False, "inner": True, "a": True}
    circle = {"x": replace(_calculated(1, "y"), id="x"), "y": replace(_calculated(1, "x"), id="y")}
    assert states(circle, {}) == {"x": True, "y": True}


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("insufficient", ["Healthy", "Unhealthy", "LastKnownStatus"])
def test_a_check_on_an_alarm_goes_by_its_data(insufficient: str, last: bool) -> None:
    """Data that say something decide; without them the check says what holds."""
    check = HealthCheck("a", "CLOUDWATCH_METRIC", insufficient=insufficient)
    assert by_stream(check, "OK", last)
    assert not by_stream(check, "ALARM", last)
    without = {"Healthy": True, "Unhealthy": False, "LastKnownStatus": last}
    assert by_stream(check, "INSUFFICIENT_DATA", last) == without[insufficient]


def test_inverting_a_check_on_an_alarm() -> None:
    """An inverted check shows the opposite of what its data say; one that is not known is healthy."""
    plain = HealthCheck("a", "CLOUDWATCH_METRIC")
    checks = {"a": plain, "b": replace(plain, id="b", inverted=True), "c": replace(plain, id="c")}
    assert states(checks, {}, {"a": False, "b": False}) == {"a": False, "b": True, "c": True}
