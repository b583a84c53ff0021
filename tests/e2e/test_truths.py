"""The judgement that whole drills' intervals go through, itself."""

import pytest

from drill.model import Between, Goodness, Measurement, Observation
from tests.e2e.truths import Order, judge, over

BEGIN = Between(10_000_000_000, 10_200_000_000)
TRUE_NS = 13_000_000_000


def measured(low: float, high: float | None) -> Measurement:
    """Return an interval."""
    return Measurement("failback", low, high, "s", "how", "failback")


def order(number: int, *, written: bool) -> Order:
    """Return an order that was accepted a hundredth of a second after it was sent."""
    sent_ns = number * 100_000_000
    seen = Observation(
        "writer",
        number,
        sent_ns,
        sent_ns,
        sent_ns + 50_000_000,
        Goodness.GOOD,
        None,
        {"stores": {"aurora": "written" if written else "pending"}},
    )
    return Order(seen, None, sent_ns + 10_000_000, sent_ns + (30_000_000 if written else 5_000_000_000))


def test_what_holds_the_truth_narrowly_passes() -> None:
    """The true time is 2.8 to 3 s, for every instant of the call."""
    judge(measured(2.75, 3.05), BEGIN, TRUE_NS, 0.2)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, None), (0.0, 1000.0), (0.0, 3.05), (2.9, 3.05), (2.75, 2.9), (3.06, 3.36), (2.45, 2.75)],
    ids=["endless", "boundless", "from 0 on", "late", "early", "later by its width", "earlier by it"],
)
def test_what_does_not_fails(low: float, high: float | None) -> None:
    """One without an end, a wide one, and one that is beside the truth."""
    with pytest.raises(AssertionError):
        judge(measured(low, high), BEGIN, TRUE_NS, 0.2)


def test_an_outage_is_over_between_two_orders() -> None:
    """Isolated ones move no edge: between the last of an outage's orders and the next that was written."""
    bad = {3, 4, 6, 12}
    listed = [order(number, written=number not in bad) for number in range(20)]

    assert Between(610_000_000, 730_000_000) == over(listed, 0, lambda one: one.in_database, 1.0)


@pytest.mark.parametrize(
    ("settle_s", "over_at"),
    [(0.5, Between(610_000_000, 730_000_000)), (1.0, Between(1_410_000_000, 1_530_000_000))],
)
def test_an_outage_is_over_where_it_stays_so(settle_s: float, over_at: Between) -> None:
    """Another outage 0.6 s later is one of its own if that is long enough, else the same."""
    bad = {3, 4, 6, 12, 13, 14}
    listed = [order(number, written=number not in bad) for number in range(30)]

    assert over_at == over(listed, 0, lambda one: one.in_database, settle_s)


def test_an_answer_that_came_before_the_database_had_the_order_is_found_out() -> None:
    """What is answered as written must have been noted before."""
    said = order(1, written=True)
    early = Order(said.seen, None, said.accepted_ns, (said.seen.done_ns or 0) + 1)

    with pytest.raises(AssertionError):
        assert not early.in_database
