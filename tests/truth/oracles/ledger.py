"""The ledger: what was acknowledged and is not there, as sets and as time, and what is there wrongly."""

from collections.abc import Iterator, Mapping

from drill.measure.bounds import nanoseconds
from drill.model import Goodness, LedgerResult, Observation
from drill.probes.writer import token
from scenarios.region_outage import WRITER
from tests.truth.case import Case, Check, Same, Span, ns

_NEVER_NS = 10**18
_AGAIN = "-again"


def judge(case: Case) -> Iterator[Check]:
    """Judge every reading of the table, and what the writer took for acknowledged."""
    acknowledged = _acknowledged(case)
    answered = {event["number"] for event in _answers(case)}
    yield Same("acknowledged", "that the service never answered so", sorted(set(acknowledged) - answered), [])
    there = _there_ns(case)
    for ledger in case.record.measured.ledgers:
        yield from _sets(case, ledger, acknowledged, there)
        yield from _point(case, ledger, acknowledged)


def _acknowledged(case: Case) -> dict[int, Observation]:
    """Return the writes whose acknowledgement the client has seen, as its own log has it."""
    return {one.number: one for one in case.observations.get(WRITER, ()) if one.goodness is Goodness.GOOD}


def _answers(case: Case) -> Iterator[Mapping[str, int]]:
    for event in case.of_kind("order_answered", table=case.target.table.name):
        if event["status"] in {200, 201, 202}:
            yield event


def _until_ns(case: Case, ledger: LedgerResult) -> int:
    """Return until when a write must be answered for a reading to have to show it."""
    if ledger.occasion == "resumed":
        return min(ledger.read.earliest_ns, case.undone.earliest_ns)
    return ledger.read.earliest_ns


def _sets(
    case: Case,
    ledger: LedgerResult,
    acknowledged: Mapping[int, Observation],
    there: Mapping[int, list[tuple[int, bool]]],
) -> Iterator[Check]:
    until_ns = _until_ns(case, ledger)
    books = {number for number, one in acknowledged.items() if (one.done_ns or _NEVER_NS) <= until_ns}
    at_first = {number for number in books if not _is_there(there.get(number, []), ledger.read.earliest_ns)}
    at_last = {number for number in books if not _is_there(there.get(number, []), ledger.read.latest_ns)}
    lost = set(ledger.lost)
    # What came or went while the reading went on may be in it or not; everything else is exact.
    either = at_first ^ at_last
    yield Same("lost", ledger.occasion, sorted(lost - either), sorted(at_first - either))
    yield Same("lost", f"{ledger.occasion}, nothing else", sorted(lost - at_first - at_last), [])
    planted = sorted(case.planted)
    corrupt = planted if case.drill.plant == "corrupt" else []
    doubled = planted if case.drill.plant == "duplicate" else []
    yield Same("corruption", f"another nonce, {ledger.occasion}", sorted(ledger.corrupt), corrupt)
    yield Same("corruption", f"twice, {ledger.occasion}", sorted(ledger.duplicated), doubled)


def _there_ns(case: Case) -> dict[int, list[tuple[int, bool]]]:
    """Return, for each order, when the standby's table came to have it or to miss it."""
    found: dict[int, list[tuple[int, bool]]] = {}
    table, region = case.target.table.name, case.target.standby.name
    for event in case.events:
        if event["kind"] not in {"item_written", "item_replicated"}:
            continue
        key = event["key"]
        if event["table"] != table or event["region"] != region or key["customer"]["S"] != case.record.run_id:
            continue
        number = int(key["token"]["S"].removesuffix(_AGAIN))
        found.setdefault(number, []).append((event["at_ns"], not event.get("deleted", False)))
    return found


def _is_there(changes: list[tuple[int, bool]], at_ns: int) -> bool:
    return next((present for changed_ns, present in reversed(changes) if changed_ns <= at_ns), False)


def _point(case: Case, ledger: LedgerResult, acknowledged: Mapping[int, Observation]) -> Iterator[Check]:
    """Judge the recovery point: from what the table was last known to keep, and from what it lost first."""
    measured = case.measured("recovery_point", f"{ledger.store}/{ledger.occasion}")
    if measured is None:
        return
    taken = _taken_ns(case)
    until_ns = min(_until_ns(case, ledger), case.undone.earliest_ns)
    primary = case.target.primary.name
    promised = [
        number
        for number, one in acknowledged.items()
        if one.answered_by == primary
        and (one.sent_ns or 0) < case.undone.earliest_ns
        and (one.done_ns or _NEVER_NS) <= until_ns
    ]
    anchor_ns = max(taken[number] for number in promised)
    lost = [number for number in promised if number in set(ledger.lost)]
    low_ns, high_ns = nanoseconds(measured.low), ns(measured.high)
    name = f"{ledger.occasion}"
    if not lost:
        yield Span("recovery_point", name, low_ns, high_ns, (0, 0), None)
        return
    first_ns = min(taken[number] for number in lost)
    kept = [taken[number] for number in promised if number not in lost and taken[number] < first_ns]
    since_ns = max(kept) if kept else None
    true_ns = (anchor_ns - first_ns, anchor_ns - since_ns if since_ns is not None else anchor_ns - first_ns)
    slowest_ns = max((one.done_ns or 0) - (one.sent_ns or 0) for one in (acknowledged[n] for n in promised))
    allowed_ns = 2 * case.interval_ns(WRITER) + 2 * slowest_ns
    yield Span("recovery_point", name, low_ns, high_ns, true_ns, allowed_ns if kept else None)


def _taken_ns(case: Case) -> dict[int, int]:
    """Return when the primary's table took each order."""
    tokens = {token(one.number): one.number for one in case.observations.get(WRITER, ())}
    found: dict[int, int] = {}
    for event in case.of_kind("item_written", table=case.target.table.name, region=case.target.primary.name):
        key = event["key"]
        if key["customer"]["S"] == case.record.run_id and key["token"]["S"] in tokens:
            found.setdefault(tokens[key["token"]["S"]], event["at_ns"])
    return found
