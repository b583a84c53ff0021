import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.quantiles import bounded_quantile, quantile
from drill.measure.replication_lag import replication_lag
from drill.model import Json, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import attempt, history, holds, marks, measured, ns, target

SPEC = MeasureSpec("replication_lag", "replication")
PROBE = ProbeSpec("replication", "replication", 0.4, 2.0)


def marker(number: int, sent_s: float, miss_s: float | None, hit_s: float | None) -> Observation:
    """Return a marker that was put in 10 ms, missing and seen at these instants."""
    detail: dict[str, Json] = {"written_sent_ns": ns(sent_s), "written_done_ns": ns(sent_s + 0.01)}
    if miss_s is not None:
        detail["miss_sent_ns"] = ns(miss_s)
    if hit_s is not None:
        detail["hit_done_ns"] = ns(hit_s)
    goodness = "bad" if hit_s is None else "good"
    return attempt(number, sent_s, goodness, probe="replication", detail=detail)


def test_lag_is_told_before_and_during_the_fault() -> None:
    """A marker belongs to the time before only if it had settled when the injection was sent."""
    seen = [
        marker(0, 1.0, 1.05, 1.1),
        marker(1, 2.0, None, 2.05),
        marker(2, 4.9, 5.2, 5.3),
        marker(3, 6.0, 7.9, None),
        marker(4, 20.0, 20.1, 20.2),
    ]
    found = replication_lag(SPEC, history(seen, marks(undone=(15.0, 15.1)), specs=[PROBE]), target())
    before = measured(found, "replication_lag", "before/max")
    assert (before.low, before.high) == pytest.approx((0.04, 0.1))
    assert measured(found, "replication_lag", "before/p50").high == pytest.approx(0.05)
    during = measured(found, "replication_lag", "during/p50")
    assert (during.low, during.high) == pytest.approx((0.29, 0.4))
    censored = measured(found, "replication_lag", "during/max")
    assert censored.low == pytest.approx(1.89)
    assert censored.high is None
    assert "1 of them never came" in censored.how


def test_markers_that_were_not_written_are_left_out() -> None:
    """A failed put, and a marker that nobody looked for, tell nothing of the lag."""
    failed = attempt(
        0, 1, "unknown", probe="replication", detail={"written_sent_ns": ns(1), "error": "timeout"}
    )
    unread = marker(1, 2.0, None, None)
    assert not replication_lag(SPEC, history([failed, unread], specs=[PROBE]), target()).measurements


def test_without_an_injection_all_of_it_is_before() -> None:
    """A drill that stopped in its warm-up still tells the healthy lag."""
    found = replication_lag(SPEC, history([marker(0, 1.0, 1.05, 1.1)], marks(None), specs=[PROBE]), target())
    assert {one.part for one in found.measurements} == {
        f"before/{name}" for name in ("p50", "p95", "p99", "max")
    }


@given(
    lags_s=st.lists(st.floats(0, 3), min_size=1, max_size=40),
    poll_s=st.floats(0.02, 0.3),
    give_up_s=st.floats(0.5, 4),
    mix=st.randoms(use_true_random=False),
)
def test_true_quantiles_are_inside(lags_s: list[float], poll_s: float, give_up_s: float, mix: object) -> None:
    """Every quantile of the true lags lies inside, seen or censored, in any order."""
    seen = []
    for number, lag_s in enumerate(lags_s):
        put_s = 6 + number
        polls = [put_s + 0.01 + n * poll_s for n in range(1, int(give_up_s / poll_s) + 2)]
        hit_s = next((at for at in polls if at >= put_s + lag_s), None)
        missed = [at for at in polls if at < put_s + lag_s]
        seen.append(marker(number, put_s, missed[-1] if missed else None, hit_s))
    found = replication_lag(SPEC, history(seen, specs=[PROBE]), target())
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        one = measured(found, "replication_lag", f"during/{name}")
        assert holds(one, quantile(sorted(lags_s), share))
    shuffled = list(seen)
    mix.shuffle(shuffled)  # type: ignore[attr-defined]
    assert replication_lag(SPEC, history(shuffled, specs=[PROBE]), target()) == found


@given(st.lists(st.floats(0, 9), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_one_of_the_numbers(numbers: list[float], share: float) -> None:
    """The nearest-rank quantile leaves at least that share at or below it, and no smaller one does."""
    ordered = sorted(numbers)
    found = quantile(ordered, share)
    assert found in ordered
    assert sum(1 for one in ordered if one <= found) >= share * len(ordered) - 1e-9
    assert sum(1 for one in ordered if one < found) < share * len(ordered) + 1e-9
    assert bounded_quantile([(one, one) for one in numbers], share) == (found, found)
