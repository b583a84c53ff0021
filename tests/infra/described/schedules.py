"""Readers of ``AWS::Scheduler::*``, ``AWS::Backup::*`` and ``AWS::Budgets::*``."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.infra.described.reader import ClientOf, Reader


def _schedule(client_of: ClientOf, region: str, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    group = {"GroupName": declared["GroupName"]} if "GroupName" in declared else {}
    shown = client_of("scheduler", region).get_schedule(Name=name, **group)
    dates = {key: shown[key].isoformat() for key in ("StartDate", "EndDate") if key in shown}
    return {**shown, **dates}


def _group(client_of: ClientOf, region: str, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    scheduler = client_of("scheduler", region)
    shown = scheduler.get_schedule_group(Name=name)
    return {**shown, "Tags": scheduler.list_tags_for_resource(ResourceArn=shown["Arn"])["Tags"]}


def _vault(client_of: ClientOf, region: str, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    backup = client_of("backup", region)
    shown = backup.describe_backup_vault(BackupVaultName=name)
    return {
        **shown,
        "BackupVaultTags": backup.list_tags(ResourceArn=shown["BackupVaultArn"])["Tags"],
        "AccessPolicy": _if_any(backup.get_backup_vault_access_policy, name).get("Policy"),
        "Notifications": _if_any(backup.get_backup_vault_notifications, name),
        "LockConfiguration": shown,
    }


def _if_any(read: Any, name: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = read(BackupVaultName=name)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {}
    return found


def _plan(client_of: ClientOf, region: str, plan_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    backup = client_of("backup", region)
    shown = backup.get_backup_plan(BackupPlanId=plan_id)
    rules = [
        {**rule, "TargetBackupVault": rule["TargetBackupVaultName"]} for rule in shown["BackupPlan"]["Rules"]
    ]
    return {
        "BackupPlan": {**shown["BackupPlan"], "BackupPlanRule": rules},
        "BackupPlanTags": backup.list_tags(ResourceArn=shown["BackupPlanArn"])["Tags"],
    }


def _selection(client_of: ClientOf, region: str, own: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    selection, plan = own.split("_")
    shown: Mapping[str, Any] = client_of("backup", region).get_backup_selection(
        BackupPlanId=plan, SelectionId=selection
    )
    return shown


def _budget(client_of: ClientOf, region: str, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    budgets = client_of("budgets", region)
    account = client_of("sts", region).get_caller_identity()["Account"]
    of = {"AccountId": account, "BudgetName": name}
    notifications = budgets.describe_notifications_for_budget(**of)["Notifications"]
    arn = f"arn:aws:budgets::{account}:budget/{name}"
    shown = budgets.describe_budget(**of, ShowFilterExpression=True)["Budget"]
    period = {key: str(int(at.timestamp())) for key, at in shown.get("TimePeriod", {}).items()}
    return {
        "Budget": {**shown, "TimePeriod": period},
        "NotificationsWithSubscribers": [
            {
                "Notification": item,
                "Subscribers": budgets.describe_subscribers_for_notification(**of, Notification=item)[
                    "Subscribers"
                ],
            }
            for item in notifications
        ],
        "ResourceTags": budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"],
    }


READERS: dict[str, Reader] = {
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": _group,
    "AWS::Backup::BackupVault": _vault,
    "AWS::Backup::BackupPlan": _plan,
    "AWS::Backup::BackupSelection": _selection,
    "AWS::Budgets::Budget": _budget,
}
"""By resource type."""
