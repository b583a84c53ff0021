"""Replication lag: of each marker, from the table that took it to the one that then had it.

Judged marker by marker, and as the quantiles of the same markers.
"""

from collections.abc import Iterator
from math import ceil

from drill.measure.bounds import nanoseconds
from drill.model import Observation
from drill.probes.writer import token
from scenarios.region_outage import REPLICATION, STANDBY_TABLE
from tests.truth.case import Case, Check, Span, ns

_NEVER_NS = 10**18
_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


def judge(case: Case) -> Iterator[Check]:
    """Judge every marker that was written for certain, and the quantiles before and during the fault."""
    lags = _lags_ns(case)
    begin_ns, end_ns = case.under_fault.earliest_ns, case.under_fault.latest_ns
    parts: dict[str, list[int]] = {"before": [], "during": []}
    for seen in case.observations.get(REPLICATION, ()):
        marker = _marker(seen)
        if marker is None:
            continue
        sent_ns, done_ns, miss_ns, hit_ns = marker
        true_ns = lags.get(token(seen.number), _NEVER_NS)
        low_ns = 0 if miss_ns is None else max(0, miss_ns - done_ns)
        high_ns = None if hit_ns is None else hit_ns - sent_ns
        allowed_ns = None if hit_ns is None or miss_ns is None else _allowed_ns(case, done_ns - sent_ns)
        yield Span("replication_lag", "marker", low_ns, high_ns, (true_ns, true_ns), allowed_ns)
        known_ns = hit_ns if hit_ns is not None else max(done_ns, miss_ns or 0)
        if known_ns < begin_ns:
            parts["before"].append(true_ns)
        elif sent_ns < end_ns:
            parts["during"].append(true_ns)
    for part, true in parts.items():
        yield from _quantiles(case, part, sorted(true))


def _quantiles(case: Case, part: str, true: list[int]) -> Iterator[Check]:
    for name, share in _QUANTILES:
        measured = case.measured("replication_lag", f"{part}/{name}")
        if measured is not None and true:
            lag_ns = true[ceil(share * len(true)) - 1]
            low_ns, high_ns = nanoseconds(measured.low), ns(measured.high)
            yield Span("replication_lag", f"{part}/{name}", low_ns, high_ns, (lag_ns, lag_ns), None)


def _lags_ns(case: Case) -> dict[str, int]:
    """Return each marker's lag by its token."""
    customer = f"drill-marker#{case.record.run_id}#{REPLICATION}"
    table = case.target.table.name
    return {
        event["key"]["token"]["S"]: event["at_ns"] - event["written_ns"]
        for event in case.of_kind("item_replicated", table=table, region=case.target.standby.name)
        if event["key"]["customer"]["S"] == customer
    }


def _marker(seen: Observation) -> tuple[int, int, int | None, int | None] | None:
    instants = [
        seen.detail.get(f"{key}_ns") for key in ("written_sent", "written_done", "miss_sent", "hit_done")
    ]
    sent, done, miss, hit = (one if isinstance(one, int) else None for one in instants)
    if sent is None or done is None or (miss is None and hit is None):
        return None
    return sent, done, miss, hit


def _allowed_ns(case: Case, write_ns: int) -> int:
    """Return two of the poller's intervals and the calls' own time: the write's, and two reads of a table."""
    spec = next(one for one in case.record.probes if one.name == REPLICATION)
    poll_s = spec.options["poll_s"]
    assert isinstance(poll_s, float)
    reads = (one for one in case.observations.get(STANDBY_TABLE, ()) if one.sent_ns and one.done_ns)
    read_ns = max(((one.done_ns or 0) - (one.sent_ns or 0) for one in reads), default=0)
    return 2 * nanoseconds(poll_s) + write_ns + 2 * read_ns
