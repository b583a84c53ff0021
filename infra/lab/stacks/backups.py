"""``AWS::Backup::*``: vaults, plans, and what a plan backs up.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_Backup.html
"""

import json
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen
from infra.lab.stacks.typed import call_for

_RULES, _VAULT = "BackupPlanRule", "TargetBackupVault"


def _tags(request: Request, name: str) -> dict[str, str]:
    own = {key: str(value) for key, value in (request.properties.get(name) or {}).items()}
    return {**request.tags, **own}


def _retag(request: Request, name: str, arn: str) -> None:
    backup, tags = request.client("backup"), _tags(request, name)
    gone = sorted({*request.tags_before, *(request.before.get(name) or {})} - set(tags))
    if gone:
        backup.untag_resource(ResourceArn=arn, TagKeyList=gone)
    if tags:
        backup.tag_resource(ResourceArn=arn, Tags=tags)


def _vault(request: Request) -> Made:
    backup, wanted = request.client("backup"), request.properties
    made = backup.create_backup_vault(
        BackupVaultName=wanted["BackupVaultName"],
        BackupVaultTags=_tags(request, "BackupVaultTags"),
        **chosen(wanted, "EncryptionKeyArn"),
    )
    _policy(request)
    _notifications(request)
    _lock(request)
    return Made(made["BackupVaultName"], chosen(made, "BackupVaultName", "BackupVaultArn"))


def _policy(request: Request) -> None:
    backup, wanted = request.client("backup"), request.properties
    vault = {"BackupVaultName": wanted["BackupVaultName"]}
    policy = wanted.get("AccessPolicy")
    if policy:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        backup.put_backup_vault_access_policy(**vault, Policy=text)
    elif request.before.get("AccessPolicy"):
        backup.delete_backup_vault_access_policy(**vault)


def _notifications(request: Request) -> None:
    backup, wanted = request.client("backup"), request.properties
    vault = {"BackupVaultName": wanted["BackupVaultName"]}
    notifications = wanted.get("Notifications")
    if notifications:
        backup.put_backup_vault_notifications(
            **vault,
            SNSTopicArn=notifications["SNSTopicArn"],
            BackupVaultEvents=notifications["BackupVaultEvents"],
        )
    elif request.before.get("Notifications"):
        backup.delete_backup_vault_notifications(**vault)


def _lock(request: Request) -> None:
    backup, wanted = request.client("backup"), request.properties
    vault = {"BackupVaultName": wanted["BackupVaultName"]}
    lock = wanted.get("LockConfiguration")
    if lock:
        call = call_for(backup, "PutBackupVaultLockConfiguration", {**vault, **lock})
        backup.put_backup_vault_lock_configuration(**call)
    elif request.before.get("LockConfiguration"):
        backup.delete_backup_vault_lock_configuration(**vault)


def _update_vault(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if changed & {"BackupVaultName", "EncryptionKeyArn"}:
        return None
    _retag(request, "BackupVaultTags", made.attributes["BackupVaultArn"])
    for name, put in (
        ("AccessPolicy", _policy),
        ("Notifications", _notifications),
        ("LockConfiguration", _lock),
    ):
        if name in changed:
            put(request)
    return made


def _delete_vault(request: Request, made: Made) -> None:
    request.client("backup").delete_backup_vault(BackupVaultName=made.physical_resource_id)


def _document(request: Request, operation: str, **others: Any) -> dict[str, Any]:
    """Return the call's arguments; CloudFormation has names of its own for the rules and their vaults."""
    plan = dict(request.properties["BackupPlan"])
    plan["Rules"] = [
        {("TargetBackupVaultName" if name == _VAULT else name): value for name, value in rule.items()}
        for rule in plan.pop(_RULES)
    ]
    return call_for(request.client("backup"), operation, {"BackupPlan": plan, **others})


def _plan(request: Request) -> Made:
    tags = _tags(request, "BackupPlanTags")
    made = request.client("backup").create_backup_plan(
        **_document(request, "CreateBackupPlan", BackupPlanTags=tags)
    )
    return Made(made["BackupPlanId"], chosen(made, "BackupPlanId", "BackupPlanArn", "VersionId"))


def _update_plan(request: Request, made: Made) -> Made | None:
    _retag(request, "BackupPlanTags", made.attributes["BackupPlanArn"])
    if "BackupPlan" not in request.changed():
        return made
    changed = request.client("backup").update_backup_plan(
        **_document(request, "UpdateBackupPlan", BackupPlanId=made.physical_resource_id)
    )
    return Made(changed["BackupPlanId"], chosen(changed, "BackupPlanId", "BackupPlanArn", "VersionId"))


def _delete_plan(request: Request, made: Made) -> None:
    request.client("backup").delete_backup_plan(BackupPlanId=made.physical_resource_id)


def _selection(request: Request) -> Made:
    backup, wanted = request.client("backup"), request.properties
    call = {name: wanted[name] for name in ("BackupPlanId", "BackupSelection")}
    made = backup.create_backup_selection(**call_for(backup, "CreateBackupSelection", call))
    selection, plan = made["SelectionId"], made["BackupPlanId"]
    # Id is the primary identifier in CloudFormation's schema, apart from SelectionId; that it is
    # made of both ids is the lab's assumption.
    own = f"{selection}_{plan}"
    return Made(own, {"Id": own, "SelectionId": selection, "BackupPlanId": plan})


def _delete_selection(request: Request, made: Made) -> None:
    request.client("backup").delete_backup_selection(
        BackupPlanId=made.attributes["BackupPlanId"], SelectionId=made.attributes["SelectionId"]
    )


TYPES = (
    ResourceType(
        "AWS::Backup::BackupVault",
        _vault,
        _delete_vault,
        _update_vault,
        attributes=frozenset({"BackupVaultName", "BackupVaultArn"}),
        physics=frozenset({"BackupVaultName", "EncryptionKeyArn"}),
    ),
    ResourceType(
        "AWS::Backup::BackupPlan",
        _plan,
        _delete_plan,
        _update_plan,
        attributes=frozenset({"BackupPlanId", "BackupPlanArn", "VersionId"}),
        physics=frozenset({"BackupPlan"}),
    ),
    ResourceType(
        "AWS::Backup::BackupSelection",
        _selection,
        _delete_selection,
        attributes=frozenset({"Id", "SelectionId", "BackupPlanId"}),
        physics=frozenset({"BackupPlanId", "BackupSelection"}),
    ),
)
