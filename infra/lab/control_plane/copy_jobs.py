"""Copy jobs: a recovery point goes into a vault of another region, under that vault's key.

https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.models import Vault, backup_backends
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult

from infra.lab.control_plane import recovery_points
from infra.lab.control_plane.backup_life import begin, complete, fail, jobs_in, move, with_token
from infra.lab.control_plane.backup_plans import require_lifecycle
from infra.lab.control_plane.backup_store import (
    STORE,
    Job,
    Point,
    asked,
    ends,
    new_id,
    now,
    page,
    vault_named,
    within,
)
from infra.lab.control_plane.backup_work import Backed, WorkFailed, work_of
from infra.lab.control_plane.mending import ACCOUNT, add
from infra.lab.control_plane.roles import trusts

_SERVICE = "backup.amazonaws.com"
_KEPT = ("ResourceArn", "ResourceType", "ResourceName")
_EQUAL = {
    "ByResourceArn": "ResourceArn",
    "ByState": "State",
    "ByResourceType": "ResourceType",
    "ByDestinationVaultArn": "DestinationBackupVaultArn",
    "ByAccountId": "AccountId",
    "BySourceRecoveryPointArn": "SourceRecoveryPointArn",
}


@dataclass(frozen=True, slots=True)
class Order:
    """Which recovery point is to be copied where.

    Attributes:
        region: Of the recovery point.
        destination: ARN of the vault that takes the copy.
        created_by: As for a backup job.
        by_job: The backup job that wants it; empty for none.

    """

    region: str
    point_arn: str
    destination: str
    role: str
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    created_by: Mapping[str, str] = field(default_factory=dict)
    by_job: str = ""
    token: str = ""


def install() -> None:
    """Add what moto lacks."""
    add(BackupResponse, "start_copy_job", _start)
    add(BackupResponse, "describe_copy_job", _describe)
    add(BackupResponse, "list_copy_jobs", _list)


def start(order: Order) -> Job:
    """Begin a copy job.

    Raises:
        ResourceNotFoundException: There is no such recovery point.

    """
    point = recovery_points.named(order.region, order.point_arn)
    shown = {
        "AccountId": ACCOUNT,
        "SourceBackupVaultArn": point.shown["BackupVaultArn"],
        "SourceRecoveryPointArn": point.arn,
        "DestinationBackupVaultArn": order.destination,
        **{name: point.shown[name] for name in _KEPT},
        "IamRoleArn": order.role,
        "State": "CREATED",
        "CreationDate": now(),
        "BackupSizeInBytes": point.shown["BackupSizeInBytes"],
        "IsParent": False,
        **({"DestinationRecoveryPointLifecycle": dict(order.lifecycle)} if order.lifecycle else {}),
        **({"CreatedBy": dict(order.created_by)} if order.created_by else {}),
        **({"CreatedByBackupJobId": order.by_job} if order.by_job else {}),
    }
    job_id = new_id()
    job = Job(job_id, "copy", order.region, {"CopyJobId": job_id, **shown}, order.token)
    begin(job, functools.partial(_copy, job, order, point))
    return job


def _copy(job: Job, order: Order, point: Point) -> None:
    if not trusts(order.role, _SERVICE):
        msg = f"IAM Role {order.role} cannot be assumed by AWS Backup"
        raise WorkFailed(msg)
    region, vault = _vault_of(order.destination)
    move(job, "RUNNING")
    done = functools.partial(_copied, job, order, point)
    work_of(point.shown["ResourceType"]).copy(job.id, point, region, vault.encryption_key_arn, done)


def _vault_of(arn: str) -> tuple[str, Vault]:
    """Return a vault of any region, and the region."""
    fields = arn.split(":")
    if len(fields) != 7 or fields[5] != "backup-vault":
        msg = f"The destination {arn} is no backup vault"
        raise WorkFailed(msg)
    vault = backup_backends[ACCOUNT][fields[3]].vaults.get(fields[6]) if fields[4] == ACCOUNT else None
    if vault is None:
        msg = f"The destination backup vault {arn} does not exist"
        raise WorkFailed(msg)
    return fields[3], vault


def _copied(job: Job, order: Order, source: Point, made: Backed | None, problem: str) -> None:
    if made is None:
        fail(job, problem)
        return
    region, vault = order.destination.split(":")[3], order.destination.rpartition(":")[2]
    shown = {
        **{name: source.shown[name] for name in (*_KEPT, "StorageClass", "IsParent", "VaultType")},
        "RecoveryPointArn": made.arn,
        "BackupVaultName": vault,
        "BackupVaultArn": order.destination,
        "SourceBackupVaultArn": source.shown["BackupVaultArn"],
        "IamRoleArn": order.role,
        "Status": "COMPLETED",
        "CreationDate": job.shown["CreationDate"],
        "CompletionDate": now(),
        "BackupSizeInBytes": made.size_bytes,
        "Lifecycle": dict(order.lifecycle),
        "CalculatedLifecycle": ends(order.lifecycle, job.shown["CreationDate"]),
        "IsEncrypted": bool(made.key),
        **({"EncryptionKeyArn": made.key} if made.key else {}),
        **({"CreatedBy": dict(order.created_by)} if order.created_by else {}),
    }
    with STORE.lock:
        STORE.points[region, made.arn] = Point(made.arn, region, vault, shown, made.metadata)
    tags = backup_backends[ACCOUNT][order.region].list_tags(source.arn)
    backup_backends[ACCOUNT][region].tag_resource(made.arn, tags)
    key = {"DestinationEncryptionKeyArn": made.key} if made.key else {}
    complete(job, DestinationRecoveryPointArn=made.arn, **key)


def _start(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    vault_named(response.region, wanted["SourceBackupVaultName"])
    recovery_points.named(response.region, wanted["RecoveryPointArn"], wanted["SourceBackupVaultName"])
    lifecycle = wanted.get("Lifecycle") or {}
    require_lifecycle(lifecycle)
    job = with_token(response.region, "copy", wanted.get("IdempotencyToken")) or start(
        Order(
            region=response.region,
            point_arn=wanted["RecoveryPointArn"],
            destination=wanted["DestinationBackupVaultArn"],
            role=wanted["IamRoleArn"],
            lifecycle=lifecycle,
            token=wanted.get("IdempotencyToken") or "",
        )
    )
    return ActionResult({name: job.shown[name] for name in ("CopyJobId", "CreationDate", "IsParent")})


def _describe(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    with STORE.lock:
        job = STORE.jobs.get(wanted["CopyJobId"])
    if job is None or (job.kind, job.region) != ("copy", response.region):
        msg = f"Cannot find copy job {wanted['CopyJobId']}"
        raise ResourceNotFoundException(msg)
    return ActionResult({"CopyJob": dict(job.shown)})


def _list(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    shown = [dict(job.shown) for job in jobs_in(response.region, "copy")]
    return ActionResult(page("CopyJobs", [item for item in shown if within(item, wanted, _EQUAL)], wanted))
