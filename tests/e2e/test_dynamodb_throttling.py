"""The throttling drill as a person runs it, judged against what the lab knows really happened."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drill import target
from drill.model import Goodness, Measurement, Observation, Outcome
from drill.observations import Store
from drill.probes.table import ABSENT_ORDER
from drill.runs import OBSERVATIONS
from tests.e2e import truths
from tests.e2e.conftest import Ended, Lab, unstarved
from tests.e2e.truths import between_looks_s, judge, over

pytestmark = pytest.mark.slow


def measurement(ended: Ended, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    listed = ended.record.measured.measurements
    return next(one for one in listed if (one.name, one.part) == (name, part))


def orders(ended: Ended) -> list[Observation]:
    """Return all orders that were posted."""
    return list(Store.open(ended.folder / OBSERVATIONS).by_probe("writer"))


def written(lab: Lab, ended: Ended) -> set[int]:
    """Return the orders that the primary's table really took."""
    return {
        int(key["token"]["S"])
        for event in lab.truth()
        if event["kind"] == "item_written"
        and event["region"] == lab.target.primary.name
        and isinstance(key := event["key"], dict)
        and key["customer"] == {"S": ended.record.run_id}
    }


def at_first_try(one: truths.Order) -> bool:
    """Say whether the table took an order without having refused it."""
    return one.refused_ns is None and one.accepted_ns is not None


def direct_ns(lab: Lab, ended: Ended, since_ns: int) -> list[int]:
    """Return when the writes of the probe on the table itself were really refused."""
    return [
        int(str(event["at_ns"]))
        for event in lab.truth()
        if event["kind"] == "write_throttled"
        and int(str(event["at_ns"])) >= since_ns
        and event["key"] == {**ABSENT_ORDER, "customer": {"S": f"drill-probe#{ended.record.run_id}"}}
    ]


def test_it_is_met_with_its_numbers_true_and_leaves_nothing_behind(
    lab: Lab, drill_run: Callable[..., Ended]
) -> None:
    """Onset and end hold what really happened; what was refused was not done; all is as it was."""
    before = lab.fingerprint()

    ended = drill_run("dynamodb-throttling")

    assert 0 == ended.code, ended.printed
    assert Outcome.MET is ended.record.outcome
    assert before == lab.fingerprint()
    injected, undone = ended.record.marks.injected, ended.record.marks.undone
    assert injected is not None
    assert undone is not None
    listed = truths.orders(lab, ended)
    refused = [one.refused_ns for one in listed if one.refused_ns is not None]
    began_ns = min(refused + direct_ns(lab, ended, injected.earliest_ns))
    judge(measurement(ended, "throttling_onset"), injected, began_ns)
    cleared = over(listed, undone.earliest_ns, at_first_try, lab.target.timing.settle_s)
    judge(measurement(ended, "time_to_clear"), undone, cleared, between_looks_s(ended, "writer"))
    there = written(lab, ended)
    for one in orders(ended):
        # A machine that is too busy may look unhealthy for a moment, and the other region serves.
        if one.goodness is not Goodness.UNKNOWN and one.answered_by in (None, lab.target.primary.name):
            assert (one.goodness is Goodness.GOOD) == (one.number in there), one
    failed = measurement(ended, "failed_share")
    throttled = measurement(ended, "throttled_share")
    assert 0.3 < failed.low <= throttled.low
    assert measurement(ended, "time_to_alert").high is not None
    assert measurement(ended, "replication_lag", "during/max").low >= 0
    assert measurement(ended, "reported_lag").low > 0
    assert "all its replicas share" in " ".join(ended.record.notes)


@pytest.mark.skipif(not os.environ.get("DRILL_EVERY_POINT"), reason="long; make crash runs it")
def test_a_load_that_unused_capacity_carries_proves_nothing(lab: Lab, tmp_path: Path) -> None:
    """Where the burst outlasts the drill nothing was throttled: inconclusive, never met, all put back."""
    before = lab.fingerprint()
    timing = lab.target.timing.model_copy(update={"deadline_s": 1.0})
    target.dump(lab.target.model_copy(update={"timing": timing}), tmp_path / "target.yaml")
    command = [
        sys.executable,
        "-m",
        "drill",
        "run",
        "dynamodb-throttling",
        "--capacity",
        "6",
        "--load",
        "8",
    ]

    ended = unstarved([*command, "--target", str(tmp_path / "target.yaml"), "--runs", str(tmp_path / "runs")])

    assert 2 == ended.returncode, ended.stdout + ended.stderr
    assert "did not take effect" in ended.stdout, ended.stdout
    assert before == lab.fingerprint()
