"""Plans of AWS Backup, their versions and their selections.

moto has no updates and no selections, and never takes a plan's name twice.
https://docs.aws.amazon.com/aws-backup/latest/devguide/about-backup-plans.html
"""

import copy
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from moto.backup.exceptions import (
    InvalidParameterValueException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from moto.backup.models import BackupBackend, Plan
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.lab.control_plane.backup_store import STORE, Selection, asked, new_id, now, page, plan_named
from infra.lab.control_plane.mending import Function, add, replace
from infra.lab.control_plane.roles import trusts
from infra.lab.schedule_expressions import Cron, parse

# The least of both windows, https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html
_LEAST_START_MINUTES = 60
_MOST_OFTEN = timedelta(hours=1)
_COLD_DAYS = 90
_DEFAULTS = {"StartWindowMinutes": 480, "CompletionWindowMinutes": 10080}
_PLAN = ("BackupPlanId", "BackupPlanArn", "VersionId", "CreationDate", "AdvancedBackupSettings")


def install() -> None:
    """Mend moto's plans, and add what they lack."""
    replace(BackupBackend, "create_backup_plan", lambda _: _create)
    replace(BackupBackend, "get_backup_plan", _getting)
    replace(BackupBackend, "delete_backup_plan", _deleting)
    add(BackupResponse, "update_backup_plan", _update)
    add(BackupResponse, "list_backup_plan_versions", _versions)
    add(BackupResponse, "create_backup_selection", _select)
    add(BackupResponse, "get_backup_selection", _selection)
    add(BackupResponse, "list_backup_selections", _selections)
    add(BackupResponse, "delete_backup_selection", _deselect)


def selections_of(region: str, plan_id: str) -> list[Selection]:
    """Return a plan's selections."""
    with STORE.lock:
        found = list(STORE.selections.values())
    return [item for item in found if (item.region, item.plan) == (region, plan_id)]


def require_lifecycle(lifecycle: Mapping[str, Any]) -> None:
    """Refuse a lifecycle that AWS Backup does not take.

    Raises:
        InvalidParameterValueException: It deletes too early.

    """
    delete, cold = lifecycle.get("DeleteAfterDays", -1), lifecycle.get("MoveToColdStorageAfterDays", -1)
    if delete == 0 or delete < -1:
        msg = "Invalid lifecycle. DeleteAfterDays must be at least 1."
        raise InvalidParameterValueException(msg)
    if cold > 0 and 0 < delete < cold + _COLD_DAYS:
        msg = (
            "Invalid lifecycle. DeleteAfterDays cannot be less than 90 days apart"
            " from MoveToColdStorageAfterDays"
        )
        raise InvalidParameterValueException(msg)


def _create(
    backend: BackupBackend,
    backup_plan: dict[str, Any],
    backup_plan_tags: dict[str, str],
    creator_request_id: str,
) -> Plan:
    plan = Plan(_sound(backup_plan), creator_request_id, backend)
    plan.former = []
    if backup_plan_tags:
        backend.tag_resource(plan.backup_plan_arn, backup_plan_tags)
    backend.plans[plan.backup_plan_id] = plan
    return plan


def _sound(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's document with its defaults; moto adds those of the schedule.

    Raises:
        InvalidParameterValueException: A rule is not as AWS wants it.

    """
    sound = copy.deepcopy(dict(document))
    for rule in sound["Rules"]:
        rule.update({name: value for name, value in _DEFAULTS.items() if rule.get(name) is None})
        for problem in _problems(rule):
            msg = f"Invalid rule {rule['RuleName']}: {problem}"
            raise InvalidParameterValueException(msg)
        for lifecycle in (rule, *rule.get("CopyActions", ())):
            require_lifecycle(lifecycle.get("Lifecycle") or {})
    return sound


def _problems(rule: Mapping[str, Any]) -> Iterator[str]:
    start, completion = rule["StartWindowMinutes"], rule["CompletionWindowMinutes"]
    if start < _LEAST_START_MINUTES:
        yield "StartWindowMinutes must be at least 60 minutes."
    if completion < start + _LEAST_START_MINUTES:
        yield "CompletionWindowMinutes must be at least 60 minutes more than StartWindowMinutes."
    expression = rule.get("ScheduleExpression")
    if expression is None:
        return
    try:
        cron = parse(expression, rule.get("ScheduleExpressionTimezone") or "UTC")
    except ValueError as problem:
        yield str(problem)
        return
    if not isinstance(cron, Cron):
        yield f"Invalid Schedule Expression {expression}. It is no cron expression."
        return
    first = cron.after(now())
    second = None if first is None else cron.after(first)
    if first is not None and second is not None and second - first < _MOST_OFTEN:
        yield "A backup can't begin more often than every hour."


def _getting(original: Function) -> Function:
    def get(backend: BackupBackend, backup_plan_id: str, version_id: str | None) -> Plan:
        plan = plan_named(backend.region_name, backup_plan_id)
        former = [item for item in getattr(plan, "former", ()) if item.version_id == version_id]
        return former[0] if former else original(backend, backup_plan_id, version_id)

    return get


def _deleting(original: Function) -> Function:
    def delete(backend: BackupBackend, backup_plan_id: str) -> tuple[str, str, float, str]:
        plan = plan_named(backend.region_name, backup_plan_id)
        if selections_of(backend.region_name, backup_plan_id):
            msg = "Related backup plan selections must be deleted prior to backup plan deletion"
            raise InvalidRequestException(msg)
        backend.tagger.delete_all_tags_for_resource(plan.backup_plan_arn)
        deleted: tuple[str, str, float, str] = original(backend, backup_plan_id)
        return deleted

    return delete


def _update(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    plan = plan_named(response.region, wanted["BackupPlanId"])
    document = _sound(wanted["BackupPlan"])
    former = copy.copy(plan)
    fresh = Plan(document, plan.creator_request_id, response.backup_backend)
    plan.former = [*plan.former, former]
    for name in ("version_id", "creation_date", "backup_plan", "advanced_backup_settings"):
        setattr(plan, name, getattr(fresh, name))
    return ActionResult(plan.to_dict())


def _versions(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    plan = plan_named(response.region, wanted["BackupPlanId"])
    shown = [
        {**{name: value for name, value in item.to_get_dict().items() if name in _PLAN}, **_name(item)}
        for item in (plan, *reversed(plan.former))
    ]
    return ActionResult(page("BackupPlanVersionsList", shown, wanted))


def _name(plan: Plan) -> dict[str, str]:
    return {"BackupPlanName": plan.backup_plan["BackupPlanName"]}


def _select(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    plan = plan_named(response.region, wanted["BackupPlanId"])
    document = wanted["BackupSelection"]
    role = document["IamRoleArn"]
    if not trusts(role, "backup.amazonaws.com"):
        msg = f"IAM Role {role} cannot be assumed by AWS Backup"
        raise InvalidParameterValueException(msg)
    if not any(document.get(name) for name in ("Resources", "ListOfTags", "Conditions")):
        msg = "A backup selection needs Resources, ListOfTags or Conditions."
        raise InvalidParameterValueException(msg)
    creator = wanted.get("CreatorRequestId") or ""
    made = Selection(new_id(), plan.backup_plan_id, response.region, document, now(), creator)
    with STORE.lock:
        STORE.selections[made.id] = made
    return ActionResult(_shown(made))


def _shown(selection: Selection) -> dict[str, Any]:
    creator = {"CreatorRequestId": selection.creator} if selection.creator else {}
    return {
        "SelectionId": selection.id,
        "BackupPlanId": selection.plan,
        "CreationDate": selection.made_at,
        **creator,
    }


def _found(response: BackupResponse) -> Selection:
    wanted = asked(response)
    for selection in selections_of(response.region, wanted["BackupPlanId"]):
        if selection.id == wanted["SelectionId"]:
            return selection
    msg = f"Backup selection {wanted['SelectionId']} not found"
    raise ResourceNotFoundException(msg)


def _selection(response: BackupResponse) -> ActionResult:
    selection = _found(response)
    return ActionResult({**_shown(selection), "BackupSelection": selection.asked})


def _selections(response: BackupResponse) -> ActionResult:
    wanted = asked(response)
    plan = plan_named(response.region, wanted["BackupPlanId"])
    shown = [
        {**_shown(item), **{name: item.asked[name] for name in ("SelectionName", "IamRoleArn")}}
        for item in selections_of(response.region, plan.backup_plan_id)
    ]
    return ActionResult(page("BackupSelectionsList", shown, wanted))


def _deselect(response: BackupResponse) -> EmptyResult:
    selection = _found(response)
    with STORE.lock:
        STORE.selections.pop(selection.id, None)
    return EmptyResult()
