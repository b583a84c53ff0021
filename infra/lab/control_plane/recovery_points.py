"""Recovery points: listed, described, given another lifecycle, deleted with what they hold.

https://docs.aws.amazon.com/aws-backup/latest/devguide/recovery-points.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.lab.control_plane.backup_plans import require_lifecycle
from infra.lab.control_plane.backup_store import STORE, Point, asked, ends, page, vault_named, within
from infra.lab.control_plane.backup_work import work_of
from infra.lab.control_plane.mending import add

_EQUAL = {"ByResourceArn": "ResourceArn", "ByResourceType": "ResourceType"}


def install() -> None:
    """Add what moto lacks."""
    add(BackupResponse, "list_recovery_points_by_backup_vault", _of_vault)
    add(BackupResponse, "list_recovery_points_by_resource", _of_resource)
    add(BackupResponse, "describe_recovery_point", _describe)
    add(BackupResponse, "get_recovery_point_restore_metadata", _metadata)
    add(BackupResponse, "update_recovery_point_lifecycle", _relive)
    add(BackupResponse, "delete_recovery_point", _delete)
    add(BackupResponse, "list_protected_resources", _protected)
    add(BackupResponse, "describe_protected_resource", _protected_one)


def named(region: str, arn: str, vault: str = "") -> Point:
    """Return a recovery point, of a certain vault if one is named.

    Raises:
        ResourceNotFoundException: There is none.

    """
    with STORE.lock:
        found = STORE.points.get((region, arn))
    if found is None or (vault and found.vault != vault):
        msg = f"Cannot find recovery point {arn}"
        raise ResourceNotFoundException(msg)
    return found


def delete(region: str, arn: str) -> None:
    """Delete a recovery point and what it holds; one that is gone is left alone."""
    with STORE.lock:
        point = STORE.points.get((region, arn))
        if point is None or point.shown["Status"] == "DELETING":
            return
        point.shown["Status"] = "DELETING"
    work_of(point.shown["ResourceType"]).drop(point)
    with STORE.lock:
        STORE.points.pop((region, arn), None)


def _of_vault(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    vault_named(response.region, wanted["BackupVaultName"])
    with STORE.lock:
        points = STORE.points_in(response.region, wanted["BackupVaultName"])
    plan = wanted.get("ByBackupPlanId")
    shown = [
        item.shown
        for item in points
        if within(item.shown, wanted, _EQUAL)
        and plan in {None, item.shown.get("CreatedBy", {}).get("BackupPlanId")}
    ]
    return ActionResult(page("RecoveryPoints", shown, wanted))


def _of_resource(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    points = _of(response.region, wanted["ResourceArn"])
    shown = [{**item, "BackupSizeBytes": item["BackupSizeInBytes"]} for item in points]
    return ActionResult(page("RecoveryPoints", shown, wanted))


def _of(region: str, resource_arn: str | None = None) -> list[Mapping[str, Any]]:
    """Return the documents of a region's recovery points, the newest first."""
    with STORE.lock:
        found = [item.shown for item in STORE.points.values() if item.region == region]
    mine = [item for item in found if resource_arn in {None, item["ResourceArn"]}]
    return sorted(mine, key=lambda item: item["CreationDate"], reverse=True)


def _asked_for(response: BackupResponse) -> tuple[Point, dict[str, Any]]:
    wanted = asked(response)
    vault_named(response.region, wanted["BackupVaultName"])
    return named(response.region, wanted["RecoveryPointArn"], wanted["BackupVaultName"]), wanted


def _describe(response: BackupResponse) -> ActionResult:
    point, _ = _asked_for(response)
    return ActionResult(point.shown)


def _metadata(response: BackupResponse) -> ActionResult:
    point, _ = _asked_for(response)
    named = ("BackupVaultArn", "RecoveryPointArn", "ResourceType")
    shown = {name: point.shown[name] for name in named}
    return ActionResult({**shown, "RestoreMetadata": dict(point.metadata)})


def _relive(response: BackupResponse) -> ActionResult:
    point, wanted = _asked_for(response)
    lifecycle = {name: value for name, value in (wanted.get("Lifecycle") or {}).items() if value != -1}
    require_lifecycle(lifecycle)
    with STORE.lock:
        point.shown["Lifecycle"] = lifecycle
        point.shown["CalculatedLifecycle"] = ends(lifecycle, point.shown["CreationDate"])
    names = ("BackupVaultArn", "RecoveryPointArn", "Lifecycle", "CalculatedLifecycle")
    return ActionResult({name: point.shown[name] for name in names})


def _delete(response: BackupResponse) -> EmptyResult:
    point, _ = _asked_for(response)
    delete(point.region, point.arn)
    return EmptyResult()


def _protected(response: BackupResponse) -> ActionResult:
    return ActionResult(page("Results", _latest(_of(response.region)), asked(response)))


def _protected_one(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    latest = _latest(_of(response.region, wanted["ResourceArn"]))
    if not latest:
        msg = f"Cannot find resource {wanted['ResourceArn']}"
        raise ResourceNotFoundException(msg)
    return ActionResult(latest[0])


def _latest(points: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each resource that has a recovery point, with the newest of them."""
    newest: dict[str, Mapping[str, Any]] = {}
    for point in points:
        newest.setdefault(point["ResourceArn"], point)
    return [
        {
            **{name: point[name] for name in ("ResourceArn", "ResourceType", "ResourceName")},
            "LastBackupTime": point["CreationDate"],
            "LastBackupVaultArn": point["BackupVaultArn"],
            "LastRecoveryPointArn": point["RecoveryPointArn"],
        }
        for point in newest.values()
    ]
