"""DR03: backups of the database in the other region, and how old the newest one is."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document, NotAnswered, absent
from drill.audit.selections import selected
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

# The objectives that speak of backups; those of other scenarios are about replication.
_SCENARIO = "aurora-snapshot-restore"
# A daily plan, its start window of an hour and some time to copy,
# https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
_DAILY_S = 26 * 3600.0


class Backups(Check):
    """Looks at plan, selection and copies, and at the newest recovery point of each region."""

    id: ClassVar = "DR03"
    title: ClassVar = "The database has no fresh backup in the other region"
    why: ClassVar = (
        "What was written since the newest backup there is lost with the region; without one, all of it. "
        "Replication is no backup: it copies a mistake within a second."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "An AWS Backup plan with a copy to the other region's vault (backup.yaml: CopyActions, Selection; "
        "backup-vault.yaml in both regions): drill infra deploy"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html",)
    calls: ClassVar = (
        "backup:GetBackupPlan",
        "backup:GetBackupSelection",
        "backup:ListBackupSelections",
        "backup:ListRecoveryPointsByBackupVault",
        "rds:DescribeDBClusters",
    )
    seed: ClassVar = (3,)
    explains: ClassVar = ("restore_phase", "recovery_point/snapshot")
    drill: ClassVar = "drill run aurora-snapshot-restore"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the plan, then the vault of each region."""
        yield Part("backup plan", partial(_plan, system))
        for region in system.regions:
            yield Part(
                f"backup vault {region.backup_vault} in {region.name}", partial(_newest, system, region)
            )


def _plan(system: System) -> Iterator[Found]:
    primary, plan_id = system.target.primary, system.target.database.backup_plan_id
    where = f"backup plan {plan_id} in {primary.name}"
    if plan_id is None:
        yield Found(
            f"database in {primary.name}", "the target names no backup plan (database.backup_plan_id)"
        )
        return
    try:
        plan = system.reads.one("backup", primary.name, "get_backup_plan", BackupPlanId=plan_id)
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such plan")
        return
    copies = [
        copy["DestinationBackupVaultArn"]
        for rule in plan["BackupPlan"]["Rules"]
        for copy in rule.get("CopyActions", [])
    ]
    if not any(arn.split(":")[3] == system.target.standby.name for arn in copies):
        yield Found(where, f"no rule of it copies to {system.target.standby.name}")
    cluster = _cluster(system)
    if cluster and not _held(system, plan_id, cluster):
        yield Found(
            where, f"it does not back up cluster {cluster['DBClusterIdentifier']}: no selection holds it"
        )


def _selections(system: System, plan_id: str) -> Iterator[Document]:
    name = system.target.primary.name
    listed = system.reads.many(
        "backup", name, "list_backup_selections", "BackupSelectionsList", BackupPlanId=plan_id
    )
    for one in listed:
        yield system.reads.one(
            "backup",
            name,
            "get_backup_selection",
            BackupPlanId=plan_id,
            SelectionId=one["SelectionId"],
        )["BackupSelection"]


def _held(system: System, plan_id: str, cluster: Document) -> bool:
    """Say whether a selection of the plan holds the cluster."""
    tags = {tag["Key"]: tag["Value"] for tag in cluster.get("TagList", [])}
    open_to_doubt = []
    for one in _selections(system, plan_id):
        held = selected(one, cluster["DBClusterArn"], tags)
        if held:
            return True
        if held is None:
            open_to_doubt.append(one["SelectionName"])
    if open_to_doubt:
        msg = (
            f"AWS does not say whether the conditions of selection {', '.join(open_to_doubt)} hold cluster "
            f"{cluster['DBClusterIdentifier']}; name its ARN in Resources, or give it the tags asked for"
        )
        raise NotAnswered(msg)
    return False


def _newest(system: System, region: Region) -> Iterator[Found]:
    where = f"backup vault {region.backup_vault} in {region.name}"
    cluster = _cluster(system)
    if region.backup_vault is None:
        yield Found(
            f"region {region.name}",
            f"the target names no backup vault there ({system.role(region)}.backup_vault)",
        )
        return
    try:
        points = system.reads.many(
            "backup",
            region.name,
            "list_recovery_points_by_backup_vault",
            "RecoveryPoints",
            BackupVaultName=region.backup_vault,
        )
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such vault")
        return
    if cluster is None:
        return
    limit_s, whose = _limit(system)
    of_cluster = [one for one in points if one["ResourceArn"] == cluster["DBClusterArn"]]
    done = [one["CreationDate"] for one in of_cluster if one["Status"] in {"COMPLETED", "AVAILABLE"}]
    # What is younger than a backup may be has none yet.
    newest = max(done, default=cluster["ClusterCreateTime"])
    age_s = (system.at - newest).total_seconds()
    if age_s > limit_s:
        what = "its newest recovery point" if done else "it has no recovery point, and the cluster"
        yield Found(where, f"{what} is {_hours(age_s)} old; {whose} is {_hours(limit_s)}")


def _cluster(system: System) -> Document | None:
    region = system.target.primary
    if region.cluster_id is None:
        return None
    found: Document = system.reads.one(
        "rds", region.name, "describe_db_clusters", DBClusterIdentifier=region.cluster_id
    )["DBClusters"][0]
    return found


def _limit(system: System) -> tuple[float, str]:
    wanted = system.target.objectives.get(_SCENARIO)
    if wanted is not None and wanted.rpo_s is not None:
        return wanted.rpo_s, f"the objective of {_SCENARIO} (rpo_s)"
    return _DAILY_S, "the most with a daily backup"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h"
