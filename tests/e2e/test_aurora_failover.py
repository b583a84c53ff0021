"""The database's failover as a person runs it, judged against what the lab knows really happened."""

from collections.abc import Callable

import pytest

from drill.model import Measurement, Outcome
from scenarios.aurora_failover import PRIMARY
from tests.e2e.conftest import Ended, Lab
from tests.e2e.truths import between_looks_s, judge, orders, over, since

pytestmark = pytest.mark.slow


def measurement(ended: Ended, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    listed = ended.record.measured.measurements
    return next(one for one in listed if (one.name, one.part) == (name, part))


def database_ns(lab: Lab, kind: str) -> list[int]:
    """Return when the primary's database really went down, or came up."""
    cluster = lab.target.primary.cluster_id
    return [
        int(str(event["at_ns"]))
        for event in lab.truth()
        if event["kind"] == kind and event["cluster"] == cluster
    ]


def test_it_is_met_with_its_numbers_true_and_leaves_nothing_behind(
    lab: Lab, drill_run: Callable[..., Ended]
) -> None:
    """Orders reach the database again after it was really back; none is lost; the writer is who it was."""
    before = lab.fingerprint()

    ended = drill_run("aurora-failover")

    assert 0 == ended.code, ended.printed
    assert Outcome.MET is ended.record.outcome
    assert before == lab.fingerprint()
    injected, undone = ended.record.marks.injected, ended.record.marks.undone
    assert injected is not None
    assert undone is not None
    # Down once on the way there, within the injection's window, and once on the way back.
    (there,) = [
        at for at in database_ns(lab, "database_up") if injected.earliest_ns < at < undone.earliest_ns
    ]
    within = [one for one in orders(lab, ended) if (one.seen.sent_ns or 0) < undone.earliest_ns]
    reached = over(within, injected.earliest_ns, lambda one: one.in_database, lab.target.timing.settle_s)
    # No order reaches a database that is down.
    assert there < reached.latest_ns
    judge(measurement(ended, "store_recovery"), injected, reached, between_looks_s(ended, "writer"))
    cluster = lab.target.primary.cluster_id
    shown = next(int(one["at_ns"]) for one in since(lab, ended.record, "writer_changed", cluster=cluster))
    judge(measurement(ended, "writer_change"), injected, shown, between_looks_s(ended, PRIMARY))
    assert 0 == measurement(ended, "recovery_point_writes", "aurora/resumed").high
    assert 0 == measurement(ended, "recovery_point_writes", "dynamodb/resumed").high
