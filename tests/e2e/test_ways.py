"""Whole drills in the ways that are off the beaten track: each met, with all its numbers, and all put back.

A global database and an on-demand table want a system of their own; a deleted peering leaves a target file
that is out of date. They run with ``DRILL_EVERY_WAY=1`` alone: ``make ways``.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill import target
from drill.aws import Aws
from drill.faults import database_recovery as recovery
from drill.model import Measurement, Outcome
from infra import deploy_config
from infra.lab import session
from tests.e2e.conftest import Ended, Lab, run_on, unstarved
from tests.e2e.restored import at_cutover, declared_ns, lost_in_truth, taken_ns

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.environ.get("DRILL_EVERY_WAY") != "1", reason="a whole drill each: make ways"),
]


@pytest.fixture(scope="module")
def other() -> Iterator[Lab]:
    """Start a lab with the other system: a global database, and a table that is paid by the request."""
    state = session.folder()
    session.start(state, "fast", None, 3600)
    try:
        usual = deploy_config.load(state / session.SYSTEM)
        chosen = {"replication": "global", "table_billing": "PAY_PER_REQUEST"}
        deploy_config.dump(usual.model_copy(update=chosen), state / session.SYSTEM)
        session.deployed(state, print)
        yield Lab(state, target.load(state / session.TARGET), state / session.TARGET)
    finally:
        session.down(state)


def met(lab: Lab, root: Path, *arguments: str) -> Ended:
    """Run a drill, which must be met, and must leave the system as it was."""
    before = lab.fingerprint()
    ended = run_on(lab, root, *arguments)
    assert 0 == ended.code, ended.printed
    assert Outcome.MET is ended.record.outcome
    assert ended.record.judgements
    assert before == lab.fingerprint()
    return ended


def measurement(ended: Ended, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    listed = ended.record.measured.measurements
    return next(one for one in listed if (one.name, one.part) == (name, part))


def promoted_ns(lab: Lab, region: str) -> list[int]:
    """Return when a region's database really came to take the writes."""
    return [
        int(str(event["at_ns"]))
        for event in lab.truth()
        if event["kind"] == "database_promoted" and event["region"] == region
    ]


@pytest.mark.parametrize("flags", [(), ("--allow-data-loss",)], ids=["switchover", "failover"])
def test_a_global_database_moves_and_comes_back(other: Lab, tmp_path: Path, flags: tuple[str, ...]) -> None:
    """The change of the writer is no sooner than the truth has it; a switchover loses no order."""
    ended = met(other, tmp_path, "aurora-failover", *flags)

    injected, undone = ended.record.marks.injected, ended.record.marks.undone
    assert injected is not None
    assert undone is not None
    there = [at for at in promoted_ns(other, other.target.standby.name) if at > injected.earliest_ns]
    back = [at for at in promoted_ns(other, other.target.primary.name) if at > undone.earliest_ns]
    assert there
    assert back
    changed = measurement(ended, "writer_change")
    assert changed.high is not None
    assert changed.high * 1e9 >= there[0] - injected.latest_ns
    assert measurement(ended, "failback").high is not None
    lost = measurement(ended, "recovery_point_writes", "aurora/resumed")
    assert flags or 0 == lost.high
    assert 0 == measurement(ended, "recovery_point_writes", "dynamodb/resumed").high


def test_an_on_demand_table_is_throttled_by_its_maximum(other: Lab, tmp_path: Path) -> None:
    """Its maximum throughput is lowered under the load and taken away again: throttled, alerted, clear."""
    ended = met(other, tmp_path, "dynamodb-throttling")

    for name in ("throttling_onset", "time_to_clear", "time_to_alert"):
        assert measurement(ended, name).high is not None
    assert 0.3 < measurement(ended, "failed_share").low <= measurement(ended, "throttled_share").low
    assert 0 == measurement(ended, "recovery_point_writes", "dynamodb/resumed").high


def test_a_deleted_peering_is_made_anew(other: Lab, tmp_path: Path) -> None:
    """Somebody is told, every pending order comes over the new peering; what the finding says to do works."""
    gone = target.load(other.target_path).peering_id

    ended = met(other, tmp_path, "peering-deletion", "--mode", "delete")

    assert measurement(ended, "pending_writes").low > 0
    assert 0 == measurement(ended, "unreconciled_writes").high
    assert 0 == measurement(ended, "failed_share").low
    for name in ("time_to_alert", "recovery_time", "failback"):
        assert measurement(ended, name).high is not None
    resumed = [one for one in ended.record.measured.ledgers if one.occasion == "resumed"]
    assert [("aurora", ()), ("dynamodb", ())] == sorted((one.store, one.lost) for one in resumed)
    (told,) = [one for one in ended.record.measured.findings if one.code == "peering_replaced"]
    assert gone in told.title
    now = told.title.split()[3]
    system = deploy_config.load(other.state / session.SYSTEM)
    deploy_config.dump(system.model_copy(update={"peering_id": now}), other.state / session.SYSTEM)
    assert now == session.deployed(other.state, print).peering_id


def test_the_first_backup_of_a_new_lab_can_be_restored(tmp_path: Path) -> None:
    """Whoever begins with this drill has a backup in which the application's tables are."""
    command = [sys.executable, "-m", "drill", "run", "aurora-snapshot-restore"]
    ended = unstarved([*command, "--runs", str(tmp_path / "runs")])

    assert 0 == ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def manual(lab: Lab) -> Iterator[str]:
    """Take a snapshot of the primary, as a person may, and give its name."""
    rds, name = Aws.of(lab.target, as_operator=True).client("rds", lab.target.primary.name), "by-hand"
    named = {"DBClusterSnapshotIdentifier": name}
    rds.create_db_cluster_snapshot(DBClusterIdentifier=lab.target.primary.cluster_id, **named)
    rds.get_waiter("db_cluster_snapshot_available").wait(
        **named, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    yield name
    rds.delete_db_cluster_snapshot(**named)


def test_the_primarys_newest_snapshot_is_copied_and_restored(lab: Lab, manual: str, tmp_path: Path) -> None:
    """Where no copies are made the recovery begins with one, which is a phase of its own."""
    ended = met(lab, tmp_path, "aurora-snapshot-restore", "--copy-newest")

    phases = {phase.name: phase for phase in ended.record.measured.phases}
    assert ["copy", "cluster", "instance", "connection", "login", "query"] == list(phases)
    assert all(phase.ends is not None for phase in phases.values())
    told = next(one.told for one in ended.record.marks.steps if one.step == recovery.RESTORE)
    assert "manual" == told["snapshot_kind"]
    assert taken_ns(lab, manual) < declared_ns(ended)
    assert lost_in_truth(lab, ended, declared_ns(ended)) == set(at_cutover(ended).lost)


@pytest.mark.parametrize("every_s", [0.06, 0.3])
def test_a_restored_ledger_is_exact_at_any_rate(lab: Lab, tmp_path: Path, every_s: float) -> None:
    """However many orders the snapshot parts, those said to be lost are those that it does not hold."""
    timed = lab.timed(tmp_path / "target.yaml", write_interval_s=every_s)

    ended = met(timed, tmp_path / "runs", "aurora-snapshot-restore", "--fresh")

    lost = lost_in_truth(lab, ended, declared_ns(ended))
    assert lost
    assert lost == set(at_cutover(ended).lost)
