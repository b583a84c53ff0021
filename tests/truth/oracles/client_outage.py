"""Client outage: from the first packet that vanished until the resolver would name the standby; else none."""

from collections.abc import Iterator

from drill.measure.bounds import nanoseconds
from scenarios.region_outage import CLIENTS
from tests.truth.case import Case, Check, Span, ns


def judge(case: Case) -> Iterator[Check]:
    """Judge the downtime."""
    measured = case.measured("client_outage")
    back = case.routed_ns(case.under_fault, case.target.standby.name)
    if measured is None or not back:
        return
    true_ns = 0 if case.dark_ns is None else max(0, back[-1] - case.dark_ns)
    allowed_ns = 2 * case.interval_ns(CLIENTS) + _slowest_ns(case) + case.gave_up_ns
    yield Span(
        "client_outage", "", nanoseconds(measured.low), ns(measured.high), (true_ns, true_ns), allowed_ns
    )


def _slowest_ns(case: Case) -> int:
    """Return how long the slowest attempt took that was answered."""
    return max(
        (
            one.done_ns - one.sent_ns
            for one in case.observations[CLIENTS]
            if one.answered_by and one.sent_ns and one.done_ns
        ),
        default=0,
    )
