"""Plans that run by the lab's clock, and recovery points that end by it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.lab.backups import Backups
from infra.lab.control_plane.backup_store import STORE
from infra.lab.profile import FAST
from infra.lab.virtual_time import VirtualClock
from tests.infra.lab.backuplab import CLUSTER, VAULTS, Kept, make_cluster, make_vaults, plan_of
from tests.infra.lab.planelab import EAST, WEST, control_plane
from tests.infra.lab.schedulelab import Following, until

# An hour lasts 0.9 s.
QUICK = replace(FAST, clock_scale=1 / 4000)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Give vaults in both regions and a cluster, in a lab whose plans run."""
    with control_plane() as lab:
        STORE.clock_scale = QUICK.clock_scale
        following = Following(lab, [Backups(lab.plane, VirtualClock(QUICK.clock_scale))])
        following.start()
        try:
            kept = make_vaults(lab)
            make_cluster(lab, team="shop")
            yield kept
        finally:
            following.close()


def test_a_rule_backs_up_and_copies_every_hour(kept: Kept) -> None:
    """Each hour of the lab's clock gives a recovery point in both regions, and says which rule made it."""
    plan, document = plan_of(kept)
    until(lambda: len(kept.points(EAST)) >= 2 and len(kept.points(WEST)) >= 2, "two backups and copies")
    newest, before = kept.points(EAST)[:2]
    between = (newest["CreationDate"] - before["CreationDate"]).total_seconds()
    assert between > 0.5 * 3600 * QUICK.clock_scale
    by = newest["CreatedBy"]
    assert (by["BackupPlanId"], by["BackupRuleName"], by["BackupRuleCron"]) == (
        plan,
        "both-regions",
        document["Rules"][0]["ScheduleExpression"],
    )
    copied = {item["ResourceArn"] for item in kept.points(WEST)}
    assert copied == {CLUSTER}
    backup = kept.client("backup")
    assert backup.list_tags(ResourceArn=newest["RecoveryPointArn"])["Tags"]["made-by"] == "plan"
    assert backup.get_backup_plan(BackupPlanId=plan)["LastExecutionDate"] >= newest["CreationDate"].replace(
        microsecond=0
    )
    jobs = backup.list_copy_jobs(ByState="COMPLETED")["CopyJobs"]
    made = {item["BackupJobId"] for item in backup.list_backup_jobs()["BackupJobs"]}
    assert {job["CreatedByBackupJobId"] for job in jobs} <= made


def test_a_recovery_point_ends_with_its_lifecycle(kept: Kept) -> None:
    """After its days on the lab's clock a recovery point is gone, and its snapshot too; a copy stays."""
    STORE.clock_scale = 1 / 40_000
    source = kept.back_up(Lifecycle={"DeleteAfterDays": 1})["RecoveryPointArn"]
    kept.copy(source)
    (point,) = kept.points()
    ends = point["CalculatedLifecycle"]["DeleteAt"]
    lasts = (ends - point["CreationDate"]).total_seconds()
    assert lasts == pytest.approx(2.16, rel=0.01)
    until(lambda: not kept.points(), "the end of the recovery point")
    assert time.time() >= ends.timestamp()
    assert kept.snapshots() == []
    assert len(kept.points(WEST)) == 1


def test_another_lifecycle(kept: Kept) -> None:
    """A recovery point that is given another lifecycle ends by that."""
    arn = kept.back_up(Lifecycle={"DeleteAfterDays": 1})["RecoveryPointArn"]
    shown = kept.client("backup").update_recovery_point_lifecycle(
        BackupVaultName=VAULTS[EAST], RecoveryPointArn=arn, Lifecycle={"DeleteAfterDays": 1000}
    )
    assert shown["Lifecycle"] == {"DeleteAfterDays": 1000}
    (point,) = kept.points()
    lasts = (point["CalculatedLifecycle"]["DeleteAt"] - point["CreationDate"]).total_seconds()
    assert lasts == pytest.approx(1000 * 86400 * QUICK.clock_scale, rel=0.01)


def test_a_rule_without_its_vault_fails(kept: Kept) -> None:
    """A rule whose vault is gone makes failed jobs that say so."""
    plan, document = plan_of(kept)
    document["Rules"][0]["TargetBackupVaultName"] = "gone"
    kept.client("backup").update_backup_plan(BackupPlanId=plan, BackupPlan=document)
    backup = kept.client("backup")
    jobs = until(lambda: backup.list_backup_jobs(ByState="FAILED")["BackupJobs"], "a failed job")
    assert (jobs[0]["BackupVaultName"], "does not exist" in jobs[0]["StatusMessage"]) == ("gone", True)
