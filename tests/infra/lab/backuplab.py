"""AWS Backup on a control plane: vaults in both regions, a cluster to back up, and jobs to wait for."""

from dataclasses import dataclass
from typing import Any

from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.lab.schedulelab import make_role, until

VAULTS = {EAST: "east", WEST: "west"}
CLUSTER = "arn:aws:rds:us-east-1:123456789012:cluster:orders"


@dataclass
class Kept:
    """A lab with vaults, and the role of AWS Backup."""

    lab: Lab
    role: str

    def client(self, service: str, region: str = EAST) -> Any:
        """Return a boto3 client."""
        return self.lab.client(service, region)

    def vault(self, region: str) -> dict[str, Any]:
        """Return a region's vault as its service shows it."""
        shown: dict[str, Any] = self.client("backup", region).describe_backup_vault(
            BackupVaultName=VAULTS[region]
        )
        return shown

    def points(self, region: str = EAST) -> list[dict[str, Any]]:
        """Return the recovery points of a region's vault."""
        listed = self.client("backup", region).list_recovery_points_by_backup_vault(
            BackupVaultName=VAULTS[region]
        )
        return list(listed["RecoveryPoints"])

    def snapshots(self, region: str = EAST) -> list[dict[str, Any]]:
        """Return the snapshots that AWS Backup has in a region."""
        rds = self.client("rds", region)
        return list(rds.describe_db_cluster_snapshots(SnapshotType="awsbackup")["DBClusterSnapshots"])

    def back_up(self, resource: str = CLUSTER, **more: Any) -> dict[str, Any]:
        """Back a resource up and return the job when it is over."""
        call = {"BackupVaultName": VAULTS[EAST], "ResourceArn": resource, "IamRoleArn": self.role, **more}
        job = self.client("backup").start_backup_job(**call)["BackupJobId"]
        return over(lambda: self.client("backup").describe_backup_job(BackupJobId=job), "State")

    def copy(self, point: str, **more: Any) -> dict[str, Any]:
        """Copy a recovery point to the west and return the job when it is over."""
        call = {
            "RecoveryPointArn": point,
            "SourceBackupVaultName": VAULTS[EAST],
            "DestinationBackupVaultArn": self.vault(WEST)["BackupVaultArn"],
            "IamRoleArn": self.role,
            **more,
        }
        job = self.client("backup").start_copy_job(**call)["CopyJobId"]
        return over(lambda: self.client("backup").describe_copy_job(CopyJobId=job)["CopyJob"], "State")

    def restore(self, point: str, region: str = EAST, **metadata: str) -> dict[str, Any]:
        """Restore a recovery point and return the job when it is over."""
        backup = self.client("backup", region)
        job = backup.start_restore_job(RecoveryPointArn=point, IamRoleArn=self.role, Metadata=metadata)
        return over(lambda: backup.describe_restore_job(RestoreJobId=job["RestoreJobId"]), "Status")


def over(describe: Any, state: str) -> dict[str, Any]:
    """Wait until a job has completed or failed."""

    def ended() -> dict[str, Any] | None:
        shown: dict[str, Any] = describe()
        return shown if shown[state] in {"COMPLETED", "FAILED"} else None

    found: dict[str, Any] = until(ended, "the job")
    return found


def make_vaults(lab: Lab) -> Kept:
    """Make the role and a vault in each region, the western one with a key of its own."""
    key = lab.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    lab.client("backup", EAST).create_backup_vault(BackupVaultName=VAULTS[EAST])
    lab.client("backup", WEST).create_backup_vault(BackupVaultName=VAULTS[WEST], EncryptionKeyArn=key)
    return Kept(lab, make_role(lab, "backup", "backup"))


def make_cluster(lab: Lab, name: str = "orders", *, encrypted: bool = True, **tags: str) -> str:
    """Make a cluster in the east; returns its ARN."""
    made = lab.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="orders",
        MasterUserPassword="long-enough",
        StorageEncrypted=encrypted,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    return str(made["DBCluster"]["DBClusterArn"])


def plan_of(
    kept: Kept, cron: str = "cron(0 * * * ? *)", days: int = 7, **selection: Any
) -> tuple[str, dict[str, Any]]:
    """Make a plan that copies to the west, and a selection; returns the plan's id and its document."""
    document = {
        "BackupPlanName": "plan",
        "Rules": [
            {
                "RuleName": "both-regions",
                "TargetBackupVaultName": VAULTS[EAST],
                "ScheduleExpression": cron,
                "StartWindowMinutes": 60,
                "CompletionWindowMinutes": 120,
                "Lifecycle": {"DeleteAfterDays": days},
                "RecoveryPointTags": {"made-by": "plan"},
                "CopyActions": [{"DestinationBackupVaultArn": kept.vault(WEST)["BackupVaultArn"]}],
            }
        ],
    }
    plan = kept.client("backup").create_backup_plan(BackupPlan=document)["BackupPlanId"]
    chosen = selection or {"Resources": [CLUSTER]}
    kept.client("backup").create_backup_selection(
        BackupPlanId=plan,
        BackupSelection={"SelectionName": "databases", "IamRoleArn": kept.role, **chosen},
    )
    return plan, document
