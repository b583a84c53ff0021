"""AWS Backup in the control plane: what moto lacks of it, and what the physics ask and say.

When a rule is due and when a recovery point ends is the physics' part
(:mod:`infra.lab.backups`); what then happens is here.
https://docs.aws.amazon.com/aws-backup/latest/devguide/whatisbackup.html
"""

from collections.abc import Iterator, Sequence

from moto.backup import urls
from moto.backup.models import Plan, backup_backends
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult
from moto.core.utils import unix_time

from drill.aws import Aws
from infra.lab import world
from infra.lab.control_plane import (
    backup_jobs,
    backup_plans,
    backup_vaults,
    copy_jobs,
    recovery_points,
    restore_jobs,
)
from infra.lab.control_plane.aurora_backups import AuroraBackups
from infra.lab.control_plane.backup_resources import AURORA, DYNAMODB, selected
from infra.lab.control_plane.backup_store import STORE, asked, plan_named
from infra.lab.control_plane.backup_work import WORK
from infra.lab.control_plane.mending import ACCOUNT, replace
from infra.lab.control_plane.table_backups import TableBackups

_TIMEOUT_S = 60.0
_PATHS = (
    "{0}/backup-vaults/(?P<name>[^/]+)/(?P<rest>.+)$",
    *(
        f"{{0}}/{kind}{end}$"
        for kind in ("backup-jobs", "copy-jobs", "restore-jobs", "resources")
        for end in ("", "/", "/(?P<rest>.+)")
    ),
)


def install(endpoint_url: str, clock_scale: float) -> None:
    """Mend moto's AWS Backup; forget what an earlier control plane had.

    Args:
        endpoint_url: The lab's own AWS API.
        clock_scale: Real seconds that one second of a retention takes.

    """
    STORE.clear(clock_scale)
    aws = Aws(endpoint_url, _TIMEOUT_S, attempts=1)
    WORK.update({AURORA: AuroraBackups(aws), DYNAMODB: TableBackups(aws)})
    urls.url_paths.update(dict.fromkeys(_PATHS, BackupResponse.dispatch))
    replace(BackupResponse, "list_tags", lambda _: _list_tags)
    for part in (backup_vaults, backup_plans, recovery_points, backup_jobs, copy_jobs, restore_jobs):
        part.install()


def rules(regions: Sequence[str]) -> Iterator[world.BackupRule]:
    """Return the rules of the plans that select anything."""
    for region in regions:
        for plan in list(backup_backends[ACCOUNT][region].plans.values()):
            if plan.deletion_date is not None or not backup_plans.selections_of(region, plan.backup_plan_id):
                continue
            for rule in plan.backup_plan["Rules"]:
                yield world.BackupRule(
                    region=region,
                    plan_id=plan.backup_plan_id,
                    rule_id=rule["RuleId"],
                    expression=rule["ScheduleExpression"],
                    timezone=rule["ScheduleExpressionTimezone"],
                )


def points(regions: Sequence[str]) -> list[world.RecoveryPoint]:
    """Return the recovery points whose lifecycle has an end."""
    with STORE.lock:
        found = list(STORE.points.values())
    return [
        world.RecoveryPoint(item.region, item.arn, item.delete_at.timestamp())
        for item in found
        if item.region in regions and item.delete_at is not None
    ]


def run_rule(region: str, plan_id: str, rule_id: str) -> None:
    """Begin the backup jobs of a rule that is due; one that is gone begins none."""
    plan = backup_backends[ACCOUNT][region].plans.get(plan_id)
    if plan is None or plan.deletion_date is not None:
        return
    for order in _orders(plan_named(region, plan_id), rule_id, region):
        backup_jobs.start(order)
    plan.last_execution_date = unix_time()


def _orders(plan: Plan, rule_id: str, region: str) -> Iterator[backup_jobs.Order]:
    seen: set[str] = set()
    for rule in plan.backup_plan["Rules"]:
        if rule["RuleId"] != rule_id:
            continue
        created_by = {
            "BackupPlanId": plan.backup_plan_id,
            "BackupPlanArn": plan.backup_plan_arn,
            "BackupPlanName": plan.backup_plan["BackupPlanName"],
            "BackupPlanVersion": plan.version_id,
            "BackupRuleId": rule_id,
            "BackupRuleName": rule["RuleName"],
            "BackupRuleCron": rule["ScheduleExpression"],
            "BackupRuleTimezone": rule["ScheduleExpressionTimezone"],
        }
        for selection in backup_plans.selections_of(region, plan.backup_plan_id):
            for resource in selected(selection.asked, region):
                if resource.arn in seen:
                    continue
                seen.add(resource.arn)
                yield backup_jobs.Order(
                    region=region,
                    resource_arn=resource.arn,
                    vault=rule["TargetBackupVaultName"],
                    role=selection.asked["IamRoleArn"],
                    lifecycle=rule.get("Lifecycle") or {},
                    tags=rule.get("RecoveryPointTags") or {},
                    created_by=created_by,
                    copies=tuple(rule.get("CopyActions") or ()),
                    start_minutes=rule["StartWindowMinutes"],
                )


def expire(region: str, arn: str) -> None:
    """Delete a recovery point whose lifecycle has ended."""
    recovery_points.delete(region, arn)


def _list_tags(response: BackupResponse) -> ActionResult:
    return ActionResult({"Tags": response.backup_backend.list_tags(asked(response)["ResourceArn"])})
