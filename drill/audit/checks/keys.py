"""DX07: the keys under which the standby would open what was copied to it."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class Keys(Check):
    """Reads each region's key, and the key of the vault that holds the copies."""

    id: ClassVar = "DX07"
    title: ClassVar = "What was copied to the other region can't be opened there"
    why: ClassVar = (
        "A key belongs to one region. Backups and secrets whose key is disabled, is being deleted or is in "
        "the region that failed are there and are of no use."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "A key of the region's own for all that it keeps (keys.yaml; EncryptionKeyArn of backup-vault.yaml); "
        "one that is being deleted is kept with: aws kms cancel-key-deletion"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
    )
    calls: ClassVar = ("backup:DescribeBackupVault", "kms:DescribeKey")
    explains: ClassVar = ("restore_phase", "recovery_time")
    drill: ClassVar = "drill run aurora-snapshot-restore"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region's key, then the standby's vault."""
        for region in system.regions:
            yield Part(f"key of {region.name}", partial(_key, system, region))
        yield Part("key of the standby's vault", partial(_vault, system))


def _key(system: System, region: Region) -> Iterator[Found]:
    if region.key_arn is not None:
        yield from _usable(system, region, region.key_arn, "")


def _vault(system: System) -> Iterator[Found]:
    standby = system.target.standby
    if standby.backup_vault is None:
        return
    try:
        vault = system.reads.one(
            "backup", standby.name, "describe_backup_vault", BackupVaultName=standby.backup_vault
        )
    except ClientError as problem:
        if absent(problem):
            return  # DR03 tells of it
        raise
    arn = vault.get("EncryptionKeyArn", "")
    if arn and arn != standby.key_arn:
        yield from _usable(system, standby, arn, f" of vault {standby.backup_vault}")


def _usable(system: System, region: Region, arn: str, of: str) -> Iterator[Found]:
    where = f"key {arn.rpartition('/')[2]}{of} in {region.name}"
    if arn.split(":")[3] != region.name:
        yield Found(where, f"it is of {arn.split(':')[3]}, which may be the region that failed")
        return
    try:
        state = system.reads.one("kms", region.name, "describe_key", KeyId=arn)["KeyMetadata"]["KeyState"]
    except ClientError as problem:
        if not absent(problem):
            raise
        yield Found(where, "there is no such key")
        return
    if state != "Enabled":
        yield Found(where, f"it is {state}", f"aws kms enable-key --region {region.name} --key-id {arn}")
