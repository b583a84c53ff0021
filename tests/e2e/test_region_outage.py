"""The first drill, from one command to a report, judged against what the lab knows really happened."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from drill.alerting import PAGER
from drill.model import Goodness, LedgerResult, Measurement, Outcome
from drill.observations import Store
from drill.record import Record
from drill.runs import OBSERVATIONS, REPORT
from tests.e2e.conftest import Ended, Lab
from tests.e2e.truths import alerted_ns, between_looks_s, judge

pytestmark = pytest.mark.slow


def measurement(record: Record, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    return next(one for one in record.measured.measurements if (one.name, one.part) == (name, part))


def ledger(record: Record, store: str, occasion: str) -> LedgerResult:
    """Return what a store's ledger came to."""
    return next(one for one in record.measured.ledgers if (one.store, one.occasion) == (store, occasion))


def lost_in_truth(lab: Lab, record: Record) -> list[int]:
    """Return the writes that the primary's table had and the standby's had not when it was read."""
    read = ledger(record, "dynamodb", "cutover").read
    primary, standby = lab.target.primary.name, lab.target.standby.name
    written: dict[int, int] = {}
    arrived: dict[int, int] = {}
    for event in lab.truth():
        key = event.get("key")
        if not isinstance(key, dict) or key.get("customer") != {"S": record.run_id}:
            continue
        number = int(key["token"]["S"])
        at_ns = int(str(event["at_ns"]))
        if event["kind"] == "item_written" and event["region"] == primary:
            written.setdefault(number, at_ns)
        if event["kind"] == "item_replicated" and event["region"] == standby:
            arrived.setdefault(number, at_ns)
    return sorted(
        number
        for number, at_ns in written.items()
        if at_ns < read.earliest_ns and arrived.get(number, read.latest_ns) >= read.latest_ns
    )


def acknowledged(ended: Ended) -> set[int]:
    """Return the numbers of the writes that the system said its table holds."""
    return {
        seen.number
        for seen in Store.open(ended.folder / OBSERVATIONS).by_probe("writer")
        if seen.goodness is Goodness.GOOD
    }


def resolver_switched_ns(lab: Lab, record: Record) -> int:
    """Return when clients' resolver gave the standby's address after the injection, and then kept to it.

    A busy machine may fail a health check for a moment, before the fault does and after it.
    """
    injected, undone = record.marks.injected, record.marks.undone
    assert injected is not None
    assert undone is not None
    name = lab.target.service.host + "."
    changed = [
        (int(str(event["at_ns"])), event["after"])
        for event in lab.truth()
        if (event["kind"], event.get("server"), event.get("name")) == ("answer_changed", "resolver", name)
        and injected.earliest_ns < int(str(event["at_ns"])) < undone.earliest_ns
    ]
    settle_ns = lab.target.timing.settle_s * 1e9
    last, standbys = changed[-1]
    kept = (at for (at, to), (then, _) in pairwise(changed) if to == standbys and then - at >= settle_ns)
    return next(kept, last)


class TestInversion:
    def test_is_met_and_leaves_nothing_behind(self, lab: Lab, drill_run: Callable[..., Ended]) -> None:
        """The default drill is met, reports, and the system is as it was."""
        before = lab.fingerprint()

        ended = drill_run("region-outage")

        assert 0 == ended.code, ended.printed
        assert Outcome.MET is ended.record.outcome
        assert ended.record.rolled_back
        assert before == lab.fingerprint()
        assert (ended.folder / REPORT).stat().st_size > 10_000
        assert "report: file://" in ended.printed

    def test_a_lower_objective_is_breached(self, drill_run: Callable[..., Ended]) -> None:
        """The same drill against an objective of a millisecond ends with 1."""
        ended = drill_run("region-outage", "--rto", "0.001")

        assert 1 == ended.code, ended.printed
        assert Outcome.BREACHED is ended.record.outcome


class TestBlackout:
    def test_numbers_are_the_truth(self, lab: Lab, drill_run: Callable[..., Ended]) -> None:
        """The recovery time's truth is inside, and the alert's; lost writes exactly the truth's; all back."""
        before = lab.fingerprint()

        ended = drill_run("region-outage", "--blackout", "--alert", "15")

        assert 0 == ended.code, ended.printed
        recovery = measurement(ended.record, "recovery_time")
        injected = ended.record.marks.injected
        assert injected is not None
        assert recovery.high is not None
        switched_ns = resolver_switched_ns(lab, ended.record)
        assert recovery.low > 0
        assert recovery.low <= (switched_ns - injected.latest_ns) / 1e9
        assert recovery.high >= (switched_ns - injected.earliest_ns) / 1e9
        alert = measurement(ended.record, "time_to_alert")
        polled_s = between_looks_s(ended, PAGER, Goodness.BAD)
        judge(alert, injected, alerted_ns(lab, ended.record), polled_s)
        assert "alert" in {one.objective.name for one in ended.record.judgements}
        lost = list(ledger(ended.record, "dynamodb", "cutover").lost)
        assert lost
        assert lost == [
            number for number in lost_in_truth(lab, ended.record) if number in acknowledged(ended)
        ]
        assert () == ledger(ended.record, "dynamodb", "resumed").lost
        assert () == ledger(ended.record, "aurora", "resumed").lost
        assert before == lab.fingerprint()
