"""``AWS::Scheduler::*``: schedules, and the groups that they are in.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_Scheduler.html
"""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen
from infra.lab.stacks.typed import call_for

_SCHEDULE = (
    "GroupName",
    "Description",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "FlexibleTimeWindow",
    "State",
    "KmsKeyArn",
)
# CloudFormation begins these names with a capital letter, Amazon ECS and the API do not.
_ECS_NAMES = {
    "AwsvpcConfiguration": "awsvpcConfiguration",
    "CapacityProvider": "capacityProvider",
    "Base": "base",
    "Weight": "weight",
    "Type": "type",
    "Expression": "expression",
    "Field": "field",
}


def _asked(request: Request, name: str, operation: str) -> dict[str, Any]:
    wanted = request.properties
    call = {"Name": name, **chosen(wanted, *_SCHEDULE), "Target": _target(wanted["Target"])}
    return call_for(request.client("scheduler"), operation, call)


def _target(target: dict[str, Any]) -> dict[str, Any]:
    if "EcsParameters" not in target:
        return target
    return {**target, "EcsParameters": _named_for_ecs(target["EcsParameters"])}


def _named_for_ecs(value: Any) -> Any:
    if isinstance(value, list):
        return [_named_for_ecs(item) for item in value]
    if isinstance(value, dict):
        return {_ECS_NAMES.get(name, name): _named_for_ecs(item) for name, item in value.items()}
    return value


def _schedule(request: Request) -> Made:
    name = request.properties.get("Name") or request.name(64)
    made = request.client("scheduler").create_schedule(**_asked(request, name, "CreateSchedule"))
    return Made(name, {"Arn": made["ScheduleArn"]})


def _update_schedule(request: Request, made: Made) -> Made | None:
    changed = request.changed()
    if "Name" in changed:
        return None
    scheduler, name = request.client("scheduler"), made.physical_resource_id
    if "GroupName" in changed:
        call = _asked(request, name, "CreateSchedule")
        arn = scheduler.create_schedule(**call)["ScheduleArn"]
        scheduler.delete_schedule(Name=name, **chosen(request.before, "GroupName"))
    else:
        arn = scheduler.update_schedule(**_asked(request, name, "UpdateSchedule"))["ScheduleArn"]
    return Made(name, {"Arn": arn})


def _delete_schedule(request: Request, made: Made) -> None:
    group = chosen(request.properties, "GroupName")
    request.client("scheduler").delete_schedule(Name=made.physical_resource_id, **group)


def _group(request: Request) -> Made:
    name = request.properties.get("Name") or request.name(64)
    request.client("scheduler").create_schedule_group(Name=name, Tags=request.tag_list())
    return _group_made(request, name)


def _group_made(request: Request, name: str) -> Made:
    group = request.client("scheduler").get_schedule_group(Name=name)
    dates = {key: group[key].isoformat() for key in ("CreationDate", "LastModificationDate")}
    return Made(name, {**chosen(group, "Arn", "State"), **dates})


def _update_group(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags"}:
        return None
    scheduler, arn = request.client("scheduler"), made.attributes["Arn"]
    if gone := request.tags_gone():
        scheduler.untag_resource(ResourceArn=arn, TagKeys=gone)
    if tags := request.tag_list():
        scheduler.tag_resource(ResourceArn=arn, Tags=tags)
    return made


def _delete_group(request: Request, made: Made) -> None:
    request.client("scheduler").delete_schedule_group(Name=made.physical_resource_id)


TYPES = (
    ResourceType(
        "AWS::Scheduler::Schedule",
        _schedule,
        _delete_schedule,
        _update_schedule,
        attributes=frozenset({"Arn"}),
        physics=frozenset(
            {
                "Name",
                "GroupName",
                "ScheduleExpression",
                "ScheduleExpressionTimezone",
                "StartDate",
                "EndDate",
                "FlexibleTimeWindow",
                "State",
                "Target",
            }
        ),
    ),
    ResourceType(
        "AWS::Scheduler::ScheduleGroup",
        _group,
        _delete_group,
        _update_group,
        attributes=frozenset({"Arn", "State", "CreationDate", "LastModificationDate"}),
        physics=frozenset({"Name"}),
    ),
)
