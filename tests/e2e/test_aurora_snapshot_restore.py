"""A database restored on the lab: every phase, both recovery points, the password that was rotated since."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from drill import journal, rollback, runs
from drill.aws import Aws
from drill.faults import database_recovery as recovery
from drill.faults.made import name_of
from drill.model import Goodness, Measurement
from drill.record import Record
from scenarios.aurora_snapshot_restore import DATABASE
from tests.e2e.conftest import Ended, Lab
from tests.e2e.restored import at_cutover, declared_ns, lost_in_truth, promised, taken_ns
from tests.e2e.truths import attempts, between_looks_s, judge, since

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def measurement(record: Record, name: str, part: str = "") -> Measurement:
    """Return the one measurement of that name."""
    return next(one for one in record.measured.measurements if (one.name, one.part) == (name, part))


def rotate(lab: Lab) -> None:
    """Give the application another login, as its schedule would, and wait until the standby has it."""
    aws, target = Aws.of(lab.target, as_operator=True), lab.target
    home = aws.client("secretsmanager", target.primary.name)
    replica = aws.client("secretsmanager", target.standby.name)
    arn = str(target.primary.secret_arn)
    version = home.rotate_secret(SecretId=arn)["VersionId"]

    @retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(120), wait=wait_fixed(0.1))
    def rotated() -> bool:
        stages = replica.describe_secret(SecretId=str(target.standby.secret_arn))["VersionIdsToStages"]
        return "AWSCURRENT" in stages.get(version, ())

    assert rotated()


def check_the_parting(lab: Lab, ended: Ended, lost: set[int]) -> None:
    """See that the snapshot parts the orders: some were answered before its instant, some sent after it."""
    told = next(one.told for one in ended.record.marks.steps if one.step == recovery.RESTORE)
    taken = taken_ns(lab, str(told["snapshot"]).partition(":cluster-snapshot:")[2])
    orders = promised(ended, declared_ns(ended))
    after = {number for number, seen in orders.items() if (seen.sent_ns or 0) > taken}
    before = {number for number, seen in orders.items() if (seen.done_ns or 0) <= taken}
    assert after
    assert before
    assert after <= lost <= orders.keys() - before


def reached_ns(lab: Lab, ended: Ended) -> int:
    """Return when the first attempt that the restored database answered had reached its server."""
    good = [one for one in attempts(ended, DATABASE) if one.goodness is Goodness.GOOD]
    first = min(good, key=lambda one: one.done_ns or 0)
    reached = since(lab, ended.record, "database_reached", cluster=name_of(ended.record.run_id))
    return next(
        at for one in reached if (first.sent_ns or 0) <= (at := int(one["at_ns"])) <= (first.done_ns or 0)
    )


def test_a_fresh_snapshot_is_restored_and_serves_orders(lab: Lab, drill_run: Callable[..., Ended]) -> None:
    """All phases are there; the ledger's losses are the truth's; nothing of the drill is left."""
    before = lab.fingerprint()

    ended = drill_run("aurora-snapshot-restore", "--fresh", "--cut-over")

    assert 0 == ended.code, ended.printed
    record = ended.record
    names = [phase.name for phase in record.measured.phases]
    assert ["cluster", "instance", "connection", "login", "query", "switch", "order"] == names
    assert all(phase.ends is not None for phase in record.measured.phases)
    query, order = (measurement(record, "recovery_time", part) for part in ("query", "order"))
    assert query.high is not None
    assert order.high is not None
    assert 0 < query.low <= query.high
    assert query.low < order.high
    up_ns = next(
        int(str(event["at_ns"]))
        for event in lab.truth()
        if event["kind"] == "database_up" and event["cluster"] == name_of(record.run_id)
    )
    injected = record.marks.injected
    assert injected is not None
    answered_ns = reached_ns(lab, ended)
    # Nothing answers before the server does.
    assert up_ns < answered_ns
    judge(query, injected, answered_ns, between_looks_s(ended, DATABASE))
    lost = lost_in_truth(lab, ended, declared_ns(ended))
    assert lost == set(at_cutover(ended).lost)
    check_the_parting(lab, ended, lost)
    assert () == next(one.lost for one in record.measured.ledgers if one.occasion == "resumed")
    assert "recovery_points_disagree" not in {one.code for one in record.measured.findings}
    assert before == lab.fingerprint()


def test_a_backup_of_before_a_rotation_is_restored(lab: Lab, drill_run: Callable[..., Ended]) -> None:
    """The newest copy of AWS Backup is taken as it is; its stale login is refused until it is reset."""
    rotate(lab)
    before = lab.fingerprint()

    ended = drill_run("aurora-snapshot-restore")

    assert 0 == ended.code, ended.printed
    told = next(one.told for one in ended.record.marks.steps if one.step == recovery.RESTORE)
    assert "awsbackup" == told["snapshot_kind"]
    lost = lost_in_truth(lab, ended, declared_ns(ended))
    assert lost
    assert lost == set(at_cutover(ended).lost)
    age = measurement(ended.record, "recovery_point", "snapshot")
    ledger = [one for one in ended.record.measured.measurements if one.part == "aurora/cutover"]
    assert age.high is not None
    assert all(one.high is None or age.low <= one.high for one in ledger if one.name == "recovery_point")
    assert before == lab.fingerprint()


@pytest.mark.skipif(not os.environ.get("DRILL_EVERY_POINT"), reason="takes minutes: make crash")
def test_a_killed_restore_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    """Killed while the cluster is made, watchdog or recover remove what the run's id alone still names."""
    before = lab.fingerprint()
    root = tmp_path / "runs"
    command = [sys.executable, "-m", "drill", "run", "aurora-snapshot-restore"]
    where = ["--target", str(lab.target_path), "--runs", str(root)]
    runner = subprocess.Popen(
        [*command, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )

    def intended() -> bool:
        return any(
            json.loads(line)["kind"] == "injected"
            for path in root.glob("*/journal.jsonl")
            for line in path.read_text(encoding="utf-8").splitlines()
        )

    deadline = time.monotonic() + 120
    while not intended():
        assert runner.poll() is None, "it ended before anything was restored: the machine is too busy"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    runner.send_signal(signal.SIGKILL)
    runner.wait()

    folder = runs.find(root, "latest")
    deadline = time.monotonic() + 180
    while journal.unfinished(journal.read(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert () == rollback.replay(folder)
    assert before == lab.fingerprint()
