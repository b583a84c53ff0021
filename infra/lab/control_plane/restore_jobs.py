"""Restore jobs: a recovery point becomes a resource again, as the request's metadata says.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartRestoreJob.html
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from moto.backup.exceptions import InvalidParameterValueException, ResourceNotFoundException
from moto.backup.models import backup_backends
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult

from infra.lab.control_plane import recovery_points
from infra.lab.control_plane.backup_life import begin, complete, jobs_in, move, with_token
from infra.lab.control_plane.backup_store import STORE, Job, Point, asked, new_id, now, page, within
from infra.lab.control_plane.backup_work import WorkFailed, work_of
from infra.lab.control_plane.mending import ACCOUNT, add
from infra.lab.control_plane.roles import trusts

_SERVICE = "backup.amazonaws.com"
_EQUAL = {"ByStatus": "Status", "ByResourceType": "ResourceType", "ByAccountId": "AccountId"}
_METADATA = "_metadata"


@dataclass(frozen=True, slots=True)
class Order:
    """Which recovery point becomes what; ``role`` is empty if the request names none."""

    point: Point
    metadata: Mapping[str, str]
    role: str = ""
    with_tags: bool = False
    token: str = ""


def install() -> None:
    """Add what moto lacks."""
    add(BackupResponse, "start_restore_job", _start)
    add(BackupResponse, "describe_restore_job", _describe)
    add(BackupResponse, "list_restore_jobs", _list)
    add(BackupResponse, "get_restore_job_metadata", _metadata)


def start(order: Order) -> Job:
    """Begin a restore job."""
    point = order.point
    job_id = new_id()
    shown = {
        "AccountId": ACCOUNT,
        "RestoreJobId": job_id,
        "RecoveryPointArn": point.arn,
        "SourceResourceArn": point.shown["ResourceArn"],
        "BackupVaultArn": point.shown["BackupVaultArn"],
        "ResourceType": point.shown["ResourceType"],
        "RecoveryPointCreationDate": point.shown["CreationDate"],
        "Status": "PENDING",
        "PercentDone": "0.0",
        "CreationDate": now(),
        "BackupSizeInBytes": point.shown["BackupSizeInBytes"],
        "IsParent": False,
        _METADATA: dict(order.metadata),
        **({"IamRoleArn": order.role} if order.role else {}),
    }
    job = Job(job_id, "restore", point.region, shown, order.token)
    begin(job, functools.partial(_restore, job, order))
    return job


def _restore(job: Job, order: Order) -> None:
    if order.role and not trusts(order.role, _SERVICE):
        msg = f"IAM Role {order.role} cannot be assumed by AWS Backup"
        raise WorkFailed(msg)
    move(job, "RUNNING")
    point = order.point
    tags = backup_backends[ACCOUNT][point.region].list_tags(point.arn) if order.with_tags else {}
    made = work_of(point.shown["ResourceType"]).restore(point, order.metadata, tags)
    with STORE.lock:
        point.shown["LastRestoreTime"] = now()
    complete(job, CreatedResourceArn=made)


def _start(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    point = recovery_points.named(response.region, wanted["RecoveryPointArn"])
    if wanted.get("ResourceType") not in {None, point.shown["ResourceType"]}:
        msg = f"The recovery point is of the type {point.shown['ResourceType']}."
        raise InvalidParameterValueException(msg)
    job = with_token(response.region, "restore", wanted.get("IdempotencyToken")) or start(
        Order(
            point=point,
            metadata=wanted["Metadata"],
            role=wanted.get("IamRoleArn") or "",
            with_tags=bool(wanted.get("CopySourceTagsToRestoredResource")),
            token=wanted.get("IdempotencyToken") or "",
        )
    )
    return ActionResult({"RestoreJobId": job.id})


def _asked_for(response: BackupResponse) -> Job:
    wanted = asked(response)
    with STORE.lock:
        job = STORE.jobs.get(wanted["RestoreJobId"])
    if job is None or (job.kind, job.region) != ("restore", response.region):
        msg = f"Cannot find restore job {wanted['RestoreJobId']}"
        raise ResourceNotFoundException(msg)
    return job


def _describe(response: BackupResponse) -> ActionResult:
    return ActionResult(dict(_asked_for(response).shown))


def _metadata(response: BackupResponse) -> ActionResult:
    job = _asked_for(response)
    return ActionResult({"RestoreJobId": job.id, "Metadata": job.shown[_METADATA]})


def _list(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    shown = [dict(job.shown) for job in jobs_in(response.region, "restore")]
    return ActionResult(page("RestoreJobs", [item for item in shown if within(item, wanted, _EQUAL)], wanted))
