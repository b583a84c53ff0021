"""Store outage and change of writer, in made-up drills whose truth is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.store_outage import store_outage
from drill.measure.writer_change import writer_change
from drill.model import History, Json, Measured, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import attempt, history, holds, marks, measured, shifted, stores, target

WRITER = ProbeSpec("writer", "writer", 0.1, 2.0)
CLUSTER = ProbeSpec("cluster", "resource", 0.5, 2.0)
AT = marks(undone=(15.0, 15.1), ended=14.0, settled=18.0)
OUTAGE = MeasureSpec("store_outage", "writer", {"store": "aurora"})


def order(number: int, aurora: str) -> Observation:
    """Return an order that was taken, and what the answer says of the database; ``?`` for no answer."""
    if aurora == "?":
        return attempt(number, number * 0.1, "unknown", probe="writer")
    detail = stores(dynamodb="written", aurora=aurora)
    return attempt(number, number * 0.1, probe="writer", detail=detail)


def orders(away_s: float, back_s: float, meanwhile: str = "pending") -> History:
    """Return a drill whose orders do not reach the database between two instants."""
    every = (
        order(number, meanwhile if away_s <= number * 0.1 < back_s else "written") for number in range(190)
    )
    return history(every, AT, specs=(WRITER,))


def outage(of: History) -> Measured:
    """Measure it."""
    return store_outage(OUTAGE, of, target())


@given(away=st.integers(51, 70), length=st.integers(5, 60), shift=st.floats(0.05, 3))
def test_the_true_recovery_is_inside_and_a_shifted_one_is_not(away: int, length: int, shift: float) -> None:
    """Pending orders are an outage of the store, whenever it is; bounds are no wider than the attempts'."""
    made = outage(orders(away / 10, (away + length) / 10))
    found = measured(made, "store_recovery")
    back_s = (away + length) / 10
    assert found.high is not None
    for true_s in (back_s - 0.05 - 5.05, back_s + 0.005 - 5.0):
        assert holds(found, true_s)
    assert found.high - found.low <= 0.1 + 0.01 + 0.05 + 1e-6
    width = found.high - found.low
    assert not holds(shifted(found, width + shift), back_s - 5.025)
    assert holds(measured(made, "store_recovery", "impact"), length / 10 - 0.05)


def test_pending_orders_are_counted_until_the_recovery() -> None:
    """Accepted, and not in the database: that is their share."""
    share = measured(outage(orders(6.0, 8.0)), "pending_share")
    assert holds(share, 20 / 30)
    assert "20 of 30 orders due from the fault to the recovery" in share.how


def test_an_order_without_an_answer_has_not_reached_it() -> None:
    """It may be pending or not."""
    made = outage(orders(6.0, 8.0, "?"))
    assert holds(measured(made, "store_recovery"), 7.97 - 5.025)
    assert measured(made, "pending_share").low == 0.0


def test_what_never_comes_back_is_censored() -> None:
    """Pending until nobody looked any longer."""
    found = measured(outage(orders(6.0, 99.0)), "store_recovery")
    assert found.high is None
    assert found.low > 9


def test_nothing_missed_it() -> None:
    """Without a pending order the recovery is at once."""
    found = measured(outage(orders(99, 100)), "store_recovery")
    assert found.low == 0.0
    assert found.high is not None
    assert found.high <= 0.2
    assert "No stretch of orders missed aurora" in found.how


def look(number: int, status: str, writer: str | None) -> Observation:
    """Return a look at the cluster."""
    detail: dict[str, Json] = {"status": status} if writer is None else {"status": status, "writer": writer}
    goodness = {"available": "good", "?": "unknown"}.get(status, "bad")
    return attempt(number, number * 0.5, goodness, probe="cluster", detail=detail)


def looks(changes_s: float, moving: int = 2, before: str | None = "a") -> History:
    """Return looks at a cluster that shows it is at work for some looks, then has another writer."""
    first = round(changes_s / 0.5)
    every = [
        look(number, "failing-over" if first - moving <= number < first else "available", before)
        if number < first
        else look(number, "available", "b")
        for number in range(38)
    ]
    return history(every, AT, specs=(CLUSTER,))


def change(of: History, **options: Json) -> Measured:
    """Measure it."""
    return writer_change(MeasureSpec("writer_change", "cluster", options), of, target())


def test_the_change_is_between_two_looks() -> None:
    """After the last that showed the old one, or the cluster at work, until the first that showed another."""
    found = measured(change(looks(8.0)), "writer_change")
    for true_s in (7.505 - 5.05, 8.0 - 5.0):
        assert holds(found, true_s)
    assert found.high is not None
    assert found.high - found.low == pytest.approx(0.5 + 0.01 + 0.05)


def test_a_writer_that_appears_is_a_change() -> None:
    """The other cluster of a global database had none before."""
    found = measured(change(looks(8.0, before=None), appears=True), "writer_change")
    assert holds(found, 7.8 - 5.0)


def test_an_unchanged_writer_is_censored() -> None:
    """Nobody saw another one."""
    found = measured(change(looks(99.0, moving=0)), "writer_change")
    assert found.high is None
    assert found.low == pytest.approx(14.5 - 5.05, abs=0.6)


def test_a_look_without_an_answer_shows_nothing() -> None:
    """It neither shows a change nor that there was none."""
    every = [look(9, "available", "a"), look(11, "?", None), look(12, "?", None), look(13, "available", "b")]
    found = measured(change(history(every, AT, specs=(CLUSTER,))), "writer_change")
    assert found.low == 0.0
    assert found.high == pytest.approx(6.51 - 5.0)
