"""The regions parted, and the table's replication paused: whole drills, judged against the lab's truth."""

from collections.abc import Callable

import pytest

from drill.model import Goodness, Outcome
from drill.observations import Store
from drill.runs import OBSERVATIONS
from tests.e2e.conftest import Ended, Lab
from tests.e2e.test_region_outage import ledger, measurement
from tests.e2e.truths import alerted_ns, between_looks_s, judge, orders, over, since

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scenario", ["peering-deletion", "network-partition"])
def test_somebody_is_told_and_no_order_is_lost(
    lab: Lab, drill_run: Callable[..., Ended], scenario: str
) -> None:
    """Met by default objectives; the alert's true time is inside; pending orders came; all as before."""
    before = lab.fingerprint()

    ended = drill_run(scenario)

    assert 0 == ended.code, ended.printed
    record = ended.record
    assert Outcome.MET is record.outcome
    assert before == lab.fingerprint()
    injected, undone = record.marks.injected, record.marks.undone
    assert injected is not None
    assert undone is not None
    polled_s = between_looks_s(ended, "pager", Goodness.BAD)
    judge(measurement(record, "time_to_alert"), injected, alerted_ns(lab, record), polled_s)
    closed = next(since(lab, record, "path_closed", path="database", region=lab.target.standby.name))
    opened = next(since(lab, record, "path_opened", path="database", region=lab.target.standby.name))
    assert closed["at_ns"] < opened["at_ns"]
    written = over(
        orders(lab, ended, "standby-writer"),
        undone.earliest_ns,
        lambda one: one.in_database,
        lab.target.timing.settle_s,
    )
    # Nothing passes before the way is open.
    assert opened["at_ns"] < written.latest_ns
    judge(measurement(record, "failback"), undone, written, between_looks_s(ended, "standby-writer"))
    assert measurement(record, "pending_writes").low > 0
    assert (0, 0) == (
        measurement(record, "unreconciled_writes").high,
        measurement(record, "failed_share").low,
    )
    assert () == ledger(record, "aurora", "resumed").lost
    assert {"met"} == {one.outcome.value for one in record.judgements}


def test_a_paused_table_catches_up(lab: Lab, drill_run: Callable[..., Ended]) -> None:
    """Met; orders are behind while it lasts and there afterwards; the true time of catching up is inside."""
    before = lab.fingerprint()

    ended = drill_run("replication-pause")

    assert 0 == ended.code, ended.printed
    record = ended.record
    assert before == lab.fingerprint()
    assert ledger(record, "dynamodb", "cutover").lost
    assert () == ledger(record, "dynamodb", "resumed").lost
    undone = record.marks.undone
    assert undone is not None
    for source, destination, probe in (
        (lab.target.primary.name, lab.target.standby.name, "late-markers"),
        (lab.target.standby.name, lab.target.primary.name, "late-markers-back"),
    ):
        customer = {"S": f"drill-marker#{record.run_id}#{probe}"}
        before_undo = {
            f"{seen.number:010d}"
            for seen in Store.open(ended.folder / OBSERVATIONS).by_probe(probe)
            if int(str(seen.detail.get("written_done_ns", undone.latest_ns))) <= undone.earliest_ns
        }
        came = [
            int(one["at_ns"])
            for one in since(lab, record, "item_replicated", source=source, region=destination)
            if one["key"]["customer"] == customer and one["key"]["token"]["S"] in before_undo
        ]
        took = measurement(record, "catch_up", f"{source} to {destination}")
        judge(took, undone, max(came))
    during = measurement(record, "replication_lag", "during/max")
    assert during.low > 1
