"""Failback: until the clients' resolver would name the primary again, which served by then."""

from collections.abc import Iterator

from drill.measure.bounds import nanoseconds
from scenarios.region_outage import CLIENTS
from tests.truth.case import Case, Check, Span, length_ns, ns


def judge(case: Case) -> Iterator[Check]:
    """Judge it from the undo."""
    back = case.routed_ns(case.since_undo, case.target.primary.name)
    measured = case.measured("failback")
    if measured is None or not back:
        return
    low_ns, high_ns = nanoseconds(measured.low), ns(measured.high)
    true_ns = back[-1] - case.mended_ns
    answer_ns = 0 if high_ns is None else case.took_ns(CLIENTS, high_ns + case.undone.earliest_ns)
    allowed_ns = 2 * case.interval_ns(CLIENTS) + length_ns(case.undone) + answer_ns
    yield Span("failback", "", low_ns, high_ns, (true_ns, true_ns), allowed_ns)
