"""Backup jobs: asked for, or due by a plan's rule; each makes a recovery point and has it copied.

A job begins at once: on AWS, somewhere within its start window.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupJob.html
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.models import backup_backends
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult

from infra.lab.control_plane import copy_jobs
from infra.lab.control_plane.backup_life import begin, complete, fail, jobs_in, move, with_token
from infra.lab.control_plane.backup_plans import require_lifecycle
from infra.lab.control_plane.backup_resources import Resource, found, kind_of, name_of
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
_START_MINUTES = 480
_EQUAL = {
    "ByResourceArn": "ResourceArn",
    "ByState": "State",
    "ByBackupVaultName": "BackupVaultName",
    "ByResourceType": "ResourceType",
    "ByAccountId": "AccountId",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be backed up, where to, and what becomes of it.

    Attributes:
        vault: Name of the vault.
        created_by: The plan and its rule, as the API shows them; empty for none.
        copies: A plan's copy actions.
        token: The request's idempotency token.

    """

    region: str
    resource_arn: str
    vault: str
    role: str
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_by: Mapping[str, str] = field(default_factory=dict)
    copies: Sequence[Mapping[str, Any]] = ()
    start_minutes: int = _START_MINUTES
    token: str = ""


def install() -> None:
    """Add what moto lacks."""
    add(BackupResponse, "start_backup_job", _start)
    add(BackupResponse, "describe_backup_job", _describe)
    add(BackupResponse, "list_backup_jobs", _list)


def start(order: Order) -> Job:
    """Begin a backup job.

    Raises:
        InvalidParameterValueException: The lab can't back up such a resource.

    """
    kind = kind_of(order.resource_arn)
    work_of(kind)
    at = now()
    window = timedelta(minutes=order.start_minutes) * STORE.clock_scale
    vault_arn = f"arn:aws:backup:{order.region}:{ACCOUNT}:backup-vault:{order.vault}"
    shown = {
        "AccountId": ACCOUNT,
        "BackupVaultName": order.vault,
        "BackupVaultArn": vault_arn,
        "ResourceArn": order.resource_arn,
        "ResourceType": kind,
        "ResourceName": name_of(order.resource_arn),
        "IamRoleArn": order.role,
        "State": "CREATED",
        "PercentDone": "0.0",
        "CreationDate": at,
        "StartBy": at + window,
        "BackupSizeInBytes": 0,
        "IsParent": False,
        **({"RecoveryPointLifecycle": dict(order.lifecycle)} if order.lifecycle else {}),
        **({"CreatedBy": dict(order.created_by)} if order.created_by else {}),
    }
    job_id = new_id()
    job = Job(job_id, "backup", order.region, {"BackupJobId": job_id, **shown}, order.token)
    begin(job, functools.partial(_back_up, job, order))
    return job


def _back_up(job: Job, order: Order) -> None:
    if not trusts(order.role, _SERVICE):
        msg = f"IAM Role {order.role} cannot be assumed by AWS Backup"
        raise WorkFailed(msg)
    if order.vault not in backup_backends[ACCOUNT][order.region].vaults:
        msg = f"Backup vault {order.vault} does not exist"
        raise WorkFailed(msg)
    resource = found(order.resource_arn)
    if resource is None:
        msg = f"Resource {order.resource_arn} does not exist"
        raise WorkFailed(msg)
    move(job, "RUNNING", InitiationDate=now())
    done = functools.partial(_backed, job, order, resource)
    work_of(resource.kind).back_up(job.id, resource, order.tags, done)


def _backed(job: Job, order: Order, resource: Resource, made: Backed | None, problem: str) -> None:
    if made is None:
        fail(job, problem)
        return
    encrypted = {"EncryptionKeyArn": made.key} if made.key else {}
    taken = {
        "RecoveryPointArn": made.arn,
        "BackupSizeInBytes": made.size_bytes,
        "IsEncrypted": bool(made.key),
        **encrypted,
    }
    kept = ("BackupVaultName", "BackupVaultArn", "ResourceArn", "ResourceType", "ResourceName", "IamRoleArn")
    begun = job.shown["CreationDate"]
    shown = {
        **{name: job.shown[name] for name in (*kept, "CreationDate", "InitiationDate")},
        **taken,
        **({"CreatedBy": job.shown["CreatedBy"]} if "CreatedBy" in job.shown else {}),
        "Status": "COMPLETED",
        "CompletionDate": now(),
        "Lifecycle": dict(order.lifecycle),
        "CalculatedLifecycle": ends(order.lifecycle, begun),
        "StorageClass": "WARM",
        "IsParent": False,
        "VaultType": "BACKUP_VAULT",
    }
    with STORE.lock:
        STORE.points[order.region, made.arn] = Point(
            made.arn, order.region, order.vault, shown, made.metadata
        )
    backend = backup_backends[ACCOUNT][order.region]
    backend.tag_resource(made.arn, {**resource.tags, **order.tags})
    complete(job, BytesTransferred=made.size_bytes, **taken)
    for action in order.copies:
        copy_jobs.start(
            copy_jobs.Order(
                region=order.region,
                point_arn=made.arn,
                destination=action["DestinationBackupVaultArn"],
                role=order.role,
                lifecycle=action.get("Lifecycle") or {},
                created_by=order.created_by,
                by_job=job.id,
            )
        )


def _start(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    vault = vault_named(response.region, wanted["BackupVaultName"])
    lifecycle = wanted.get("Lifecycle") or {}
    require_lifecycle(lifecycle)
    job = with_token(response.region, "backup", wanted.get("IdempotencyToken")) or start(
        Order(
            region=response.region,
            resource_arn=wanted["ResourceArn"],
            vault=vault.backup_vault_name,
            role=wanted["IamRoleArn"],
            lifecycle=lifecycle,
            tags=wanted.get("RecoveryPointTags") or {},
            start_minutes=wanted.get("StartWindowMinutes") or _START_MINUTES,
            token=wanted.get("IdempotencyToken") or "",
        )
    )
    named = ("BackupJobId", "CreationDate", "IsParent")
    return ActionResult({name: job.shown[name] for name in named})


def _describe(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    with STORE.lock:
        job = STORE.jobs.get(wanted["BackupJobId"])
    if job is None or (job.kind, job.region) != ("backup", response.region):
        msg = f"Cannot find backup job {wanted['BackupJobId']}"
        raise ResourceNotFoundException(msg)
    return ActionResult(dict(job.shown))


def _list(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    shown = [dict(job.shown) for job in jobs_in(response.region, "backup")]
    return ActionResult(page("BackupJobs", [item for item in shown if within(item, wanted, _EQUAL)], wanted))
