"""Backup, copy and restore jobs, and the recovery points that they make."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.backuplab import CLUSTER, VAULTS, Kept, make_cluster, make_vaults
from tests.infra.lab.planelab import EAST, WEST, control_plane
from tests.infra.lab.tablelab import make_table


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Give vaults in both regions and an encrypted cluster."""
    with control_plane() as lab:
        made = make_vaults(lab)
        make_cluster(lab, team="shop")
        yield made


def test_a_backup_of_a_cluster_is_a_snapshot(kept: Kept) -> None:
    """The recovery point is a snapshot of the type awsbackup, with all that its service shows of both."""
    tags = {"made-by": "hand"}
    job = kept.back_up(Lifecycle={"DeleteAfterDays": 7}, RecoveryPointTags=tags)
    assert (job["State"], job["PercentDone"], job["ResourceType"]) == ("COMPLETED", "100.0", "Aurora")
    assert job["CreationDate"] <= job["InitiationDate"] <= job["CompletionDate"]
    arn = f"arn:aws:rds:{EAST}:123456789012:cluster-snapshot:awsbackup:job-{job['BackupJobId']}"
    assert job["RecoveryPointArn"] == arn
    (point,) = kept.points()
    shown = kept.client("backup").describe_recovery_point(BackupVaultName="east", RecoveryPointArn=arn)
    assert (point["RecoveryPointArn"], point["Status"], shown["StorageClass"]) == (arn, "COMPLETED", "WARM")
    assert shown["CalculatedLifecycle"]["DeleteAt"] - shown["CreationDate"] == timedelta(days=7)
    assert kept.client("backup").list_tags(ResourceArn=arn)["Tags"] == {"team": "shop", **tags}
    (snapshot,) = kept.snapshots()
    assert (snapshot["DBClusterSnapshotArn"], snapshot["Status"]) == (arn, "available")
    assert snapshot["KmsKeyId"] == shown["EncryptionKeyArn"]
    assert kept.vault(EAST)["NumberOfRecoveryPoints"] == 1


def test_a_copy_in_the_other_region_has_that_vaults_key(kept: Kept) -> None:
    """A copy job makes a recovery point in the other region under the key there, with the same tags."""
    source = kept.back_up()["RecoveryPointArn"]
    job = kept.copy(source, Lifecycle={"DeleteAfterDays": 3})
    assert (job["State"], job["SourceRecoveryPointArn"]) == ("COMPLETED", source)
    (point,) = kept.points(WEST)
    assert point["RecoveryPointArn"] == job["DestinationRecoveryPointArn"]
    assert point["RecoveryPointArn"].endswith(f":awsbackup:copyjob-{job['CopyJobId']}")
    assert point["EncryptionKeyArn"] == kept.vault(WEST)["EncryptionKeyArn"]
    assert point["SourceBackupVaultArn"] == kept.vault(EAST)["BackupVaultArn"]
    assert (point["ResourceArn"], point["Lifecycle"]) == (CLUSTER, {"DeleteAfterDays": 3})
    (snapshot,) = kept.snapshots(WEST)
    assert snapshot["SourceDBClusterSnapshotArn"] == source
    assert [item["CopyJobId"] for item in kept.client("backup").list_copy_jobs()["CopyJobs"]] == [
        job["CopyJobId"]
    ]


def test_a_restore_makes_a_cluster_without_instances(kept: Kept) -> None:
    """What was copied becomes a cluster of the other region, as the metadata says."""
    point = kept.copy(kept.back_up()["RecoveryPointArn"])["DestinationRecoveryPointArn"]
    metadata = kept.client("backup", WEST).get_recovery_point_restore_metadata(
        BackupVaultName="west", RecoveryPointArn=point
    )["RestoreMetadata"]
    assert metadata["Engine"] == "aurora-postgresql"
    job = kept.restore(point, WEST, DBClusterIdentifier="again", Engine="aurora-postgresql", Port="5444")
    assert (job["Status"], job["PercentDone"]) == ("COMPLETED", "100.0")
    (cluster,) = kept.client("rds", WEST).describe_db_clusters()["DBClusters"]
    assert (cluster["DBClusterArn"], cluster["Status"]) == (job["CreatedResourceArn"], "available")
    assert (cluster["Port"], cluster["DBClusterMembers"]) == (5444, [])
    (shown,) = kept.points(WEST)
    assert shown["LastRestoreTime"] >= job["CreationDate"]


def test_a_snapshot_of_aws_backup_is_deleted_by_it_alone(kept: Kept) -> None:
    """RDS refuses to delete it; DeleteRecoveryPoint takes it away; only then the vault may go."""
    backup, arn = kept.client("backup"), kept.back_up()["RecoveryPointArn"]
    name = arn.partition(":cluster-snapshot:")[2]
    with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
        kept.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    with pytest.raises(ClientError, match="contains recovery points") as caught:
        backup.delete_backup_vault(BackupVaultName="east")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
    backup.delete_recovery_point(BackupVaultName="east", RecoveryPointArn=arn)
    assert (kept.points(), kept.snapshots()) == ([], [])
    backup.delete_backup_vault(BackupVaultName="east")
    with pytest.raises(backup.exceptions.ResourceNotFoundException):
        backup.describe_backup_vault(BackupVaultName="east")


def test_a_table_is_backed_up_and_restored(kept: Kept) -> None:
    """A recovery point of a table is a backup of DynamoDB's, which becomes a table with the same items."""
    arn = make_table(kept.lab.aws, replica=False)
    item = {"customer": {"S": "c"}, "token": {"S": "t"}}
    kept.client("dynamodb").put_item(TableName="orders", Item=item)
    job = kept.back_up(arn)
    assert (job["State"], job["ResourceType"]) == ("COMPLETED", "DynamoDB")
    point = job["RecoveryPointArn"]
    assert ":table/orders/backup/" in point
    listed = kept.client("backup").list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]
    assert [item["RecoveryPointArn"] for item in listed] == [point]
    kept.client("dynamodb").delete_item(TableName="orders", Key=item)
    assert kept.restore(point, targetTableName="again")["Status"] == "COMPLETED"
    assert kept.client("dynamodb").scan(TableName="again")["Items"] == [item]
    failed = kept.copy(point)
    assert (failed["State"], kept.points(WEST)) == ("FAILED", [])
    assert "advanced features" in failed["StatusMessage"]
    kept.client("backup").delete_recovery_point(BackupVaultName="east", RecoveryPointArn=point)
    assert kept.client("dynamodb").list_backups()["BackupSummaries"] == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"IamRoleArn": "arn:aws:iam::123456789012:role/none"}, "cannot be assumed by AWS Backup"),
        ({"ResourceArn": CLUSTER + "-none"}, "does not exist"),
    ],
)
def test_a_backup_that_can_not_be_made_says_why(kept: Kept, call: dict[str, Any], told: str) -> None:
    """The job fails with its reason and leaves no recovery point."""
    resource = call.pop("ResourceArn", CLUSTER)
    job = kept.back_up(resource, **call)
    assert (job["State"], kept.points(), kept.snapshots()) == ("FAILED", [], [])
    assert told in job["StatusMessage"]


def test_a_copy_that_can_not_be_made_says_why(kept: Kept) -> None:
    """Neither a vault that is not there nor one whose key is disabled takes a copy."""
    source = kept.back_up()["RecoveryPointArn"]
    none = f"arn:aws:backup:{WEST}:123456789012:backup-vault:none"
    job = kept.copy(source, DestinationBackupVaultArn=none)
    assert (job["State"], "does not exist" in job["StatusMessage"]) == ("FAILED", True)
    kept.client("kms", WEST).disable_key(KeyId=kept.vault(WEST)["EncryptionKeyArn"])
    job = kept.copy(source)
    assert (job["State"], "key of the destination vault" in job["StatusMessage"]) == ("FAILED", True)
    assert kept.points(WEST) == []


def test_a_restore_that_can_not_be_made_says_why(kept: Kept) -> None:
    """Metadata that RDS does not take, or a name that is taken, ends the job with the reason."""
    point = kept.back_up()["RecoveryPointArn"]
    taken = kept.restore(point, DBClusterIdentifier="orders", Engine="aurora-postgresql")
    assert (taken["Status"], "AlreadyExists" in taken["StatusMessage"]) == ("FAILED", True)
    unknown = kept.restore(point, DBClusterIdentifier="again", Engine="aurora-postgresql", Colour="red")
    assert (unknown["Status"], "Colour" in unknown["StatusMessage"]) == ("FAILED", True)


def test_an_unencrypted_cluster_stays_unencrypted(kept: Kept) -> None:
    """The copy of an unencrypted snapshot can't be encrypted, whatever the vault's key."""
    kept.client("rds").delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    make_cluster(kept.lab, encrypted=False)
    job = kept.copy(kept.back_up()["RecoveryPointArn"])
    assert job["State"] == "COMPLETED"
    (point,) = kept.points(WEST)
    assert (point["IsEncrypted"], "EncryptionKeyArn" in point) == (False, False)


def test_lists_are_narrowed(kept: Kept) -> None:
    """Jobs are listed by state, resource and time; a token gives the same job again."""
    backup = kept.client("backup")
    done = kept.back_up(IdempotencyToken="t")
    assert kept.back_up(IdempotencyToken="t")["BackupJobId"] == done["BackupJobId"]
    failed = kept.back_up(CLUSTER + "-none")

    def ids(**by: Any) -> list[str]:
        return [item["BackupJobId"] for item in backup.list_backup_jobs(**by)["BackupJobs"]]

    assert ids() == [failed["BackupJobId"], done["BackupJobId"]]
    assert ids(ByState="FAILED") == [failed["BackupJobId"]]
    assert ids(ByResourceArn=CLUSTER) == [done["BackupJobId"]]
    assert ids(ByCreatedAfter=done["CreationDate"] + timedelta(hours=1)) == []
    first = backup.list_backup_jobs(MaxResults=1)
    rest = backup.list_backup_jobs(MaxResults=1, NextToken=first["NextToken"])
    assert (len(first["BackupJobs"]), len(rest["BackupJobs"]), "NextToken" in rest) == (1, 1, False)


def test_what_is_not_there(kept: Kept) -> None:
    """An unknown vault, job or recovery point is a ResourceNotFoundException, other resources are refused."""
    backup = kept.client("backup")
    missing = backup.exceptions.ResourceNotFoundException
    with pytest.raises(missing):
        kept.back_up(BackupVaultName="none")
    for describe in (
        lambda: backup.describe_backup_job(BackupJobId="none"),
        lambda: backup.describe_copy_job(CopyJobId="none"),
        lambda: backup.describe_restore_job(RestoreJobId="none"),
        lambda: backup.describe_recovery_point(BackupVaultName=VAULTS[EAST], RecoveryPointArn="arn:none"),
        lambda: backup.start_restore_job(RecoveryPointArn="arn:none", Metadata={}),
        lambda: kept.copy("arn:none"),
        lambda: backup.delete_backup_vault(BackupVaultName="none"),
    ):
        with pytest.raises(missing):
            describe()
    with pytest.raises(backup.exceptions.InvalidParameterValueException):
        kept.back_up("arn:aws:ec2:us-east-1:123456789012:volume/vol-1")
