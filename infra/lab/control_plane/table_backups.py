"""How AWS Backup backs up DynamoDB: by DynamoDB's own backups of a table.

That is how it does it without its advanced features for DynamoDB; with them a backup could
also go to another region, which the lab's can't.
https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
"""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from drill.aws import Aws
from infra.lab.control_plane.backup_resources import Resource
from infra.lab.control_plane.backup_store import Point
from infra.lab.control_plane.backup_work import Backed, Done, WorkFailed

# What AWS Backup names the table that a restore makes.
_TARGET = "targetTableName"


class TableBackups:
    """Backs up tables; a :class:`~infra.lab.control_plane.backup_work.Work`."""

    def __init__(self, aws: Aws) -> None:
        """Take the clients of the lab's own API."""
        self._aws = aws

    def back_up(self, job_id: str, resource: Resource, tags: Mapping[str, str], done: Done) -> None:
        """Have DynamoDB make a backup."""
        dynamodb = self._aws.client("dynamodb", resource.arn.split(":")[3])
        try:
            made = dynamodb.create_backup(TableName=resource.name, BackupName=f"awsbackup-{job_id}")
        except ClientError as problem:
            raise WorkFailed(str(problem)) from problem
        shown = made["BackupDetails"]
        done(Backed(shown["BackupArn"], shown.get("BackupSizeBytes", 0), "", {}), "")

    def copy(self, job_id: str, point: Point, region: str, key: str, done: Done) -> None:
        """Refuse: the lab has no advanced features for DynamoDB."""
        msg = "The lab can't copy backups of DynamoDB: that needs AWS Backup's advanced features for it."
        raise WorkFailed(msg)

    def restore(self, point: Point, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Have DynamoDB make a table of a backup."""
        dynamodb = self._aws.client("dynamodb", point.region)
        name = metadata.get(_TARGET)
        if not name:
            msg = f"Invalid restore metadata: {_TARGET} is missing."
            raise WorkFailed(msg)
        try:
            made = dynamodb.restore_table_from_backup(TargetTableName=name, BackupArn=point.arn)
        except ClientError as problem:
            raise WorkFailed(str(problem)) from problem
        return str(made["TableDescription"]["TableArn"])

    def drop(self, point: Point) -> None:
        """Have DynamoDB delete the backup."""
        dynamodb = self._aws.client("dynamodb", point.region)
        try:
            dynamodb.delete_backup(BackupArn=point.arn)
        except dynamodb.exceptions.BackupNotFoundException:
            return
