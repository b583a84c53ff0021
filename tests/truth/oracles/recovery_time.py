"""Recovery time: until the clients' resolver would name the standby, which served all the while."""

from collections.abc import Iterator

from drill.measure.bounds import nanoseconds
from scenarios.region_outage import CLIENTS
from tests.truth.case import Case, Check, Span, length_ns, ns


def judge(case: Case) -> Iterator[Check]:
    """Judge it from the fault, and from the first harm to a client where there was any."""
    back = case.routed_ns(case.under_fault, case.target.standby.name)
    measured = case.measured("recovery_time")
    if measured is None or not back:
        return
    low_ns, high_ns = nanoseconds(measured.low), ns(measured.high)
    true_ns = back[-1] - case.faulted_ns
    allowed_ns = 2 * case.interval_ns(CLIENTS) + length_ns(case.injected)
    answer_ns = 0 if high_ns is None else case.took_ns(CLIENTS, high_ns + case.injected.earliest_ns)
    yield Span("recovery_time", "fault", low_ns, high_ns, (true_ns, true_ns), allowed_ns + answer_ns)
    impact = case.measured("recovery_time", "impact")
    if impact is not None and case.dark_ns is not None:
        true_ns = back[-1] - case.dark_ns
        # Both edges have an interval of their own, and the first bad attempt took its time-out.
        allowed_ns = 2 * case.interval_ns(CLIENTS) + answer_ns + case.gave_up_ns
        yield Span(
            "recovery_time",
            "impact",
            nanoseconds(impact.low),
            ns(impact.high),
            (true_ns, true_ns),
            allowed_ns,
        )
