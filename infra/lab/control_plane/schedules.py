"""Amazon EventBridge Scheduler in the control plane: schedules are checked, kept whole and shown.

moto takes any expression and any target, and forgets in an update what the request leaves
out in another way than AWS does. What is due and what it calls is the physics' part
(:mod:`infra.lab.schedules`).
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.scheduler.exceptions import (
    ScheduleExists,
    ScheduleGroupNotFound,
    ScheduleNotFound,
    ValidationException,
)
from moto.scheduler.models import (
    EventBridgeSchedulerBackend,
    Schedule,
    ScheduleGroup,
    scheduler_backends,
)
from moto.scheduler.responses import EventBridgeSchedulerResponse

from infra.lab import schedule_expressions, schedule_targets, world
from infra.lab.control_plane.mending import ACCOUNT, Function, replace
from infra.lab.control_plane.roles import trusts

_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+")
_SERVICE = "scheduler.amazonaws.com"
# How old a StartDate may be, in seconds.
_START_SLACK_S = 300
# What holds where a request says nothing,
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
_RETRY = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
_LIMITS = {"MaximumEventAgeInSeconds": (60, 86400), "MaximumRetryAttempts": (0, 185)}


def install() -> None:
    """Mend moto's scheduler."""
    replace(EventBridgeSchedulerResponse, "create_schedule", lambda _: _create)
    replace(EventBridgeSchedulerResponse, "update_schedule", lambda _: _update)
    replace(EventBridgeSchedulerBackend, "create_schedule_group", _creating_group)
    replace(EventBridgeSchedulerBackend, "delete_schedule_group", _deleting_group)


def schedules(regions: Sequence[str]) -> Iterator[world.Schedule]:
    """Return the schedules of the regions."""
    for region in regions:
        for group in list(scheduler_backends[ACCOUNT][region].schedule_groups.values()):
            for item in list(group.schedules.values()):
                yield _shown(item, region)


def _shown(item: Schedule, region: str) -> world.Schedule:
    window = item.flexible_time_window
    minutes = window["MaximumWindowInMinutes"] if window["Mode"] == "FLEXIBLE" else 0
    return world.Schedule(
        arn=item.arn,
        name=item.name,
        group=item.group_name,
        region=region,
        expression=item.schedule_expression,
        timezone=item.schedule_expression_timezone,
        enabled=item.state == "ENABLED",
        target=item.target,
        window_s=60.0 * minutes,
        modified_s=item.last_modified_date,
        start_s=item.start_date,
        end_s=item.end_date,
        deleted_after=item.action_after_completion == "DELETE",
    )


def _create(response: EventBridgeSchedulerResponse) -> str:
    backend, name, asked = response.scheduler_backend, _name(response), json.loads(response.body)
    group = _group(backend, asked)
    if not _NAME.fullmatch(name):
        msg = f"The name {name} is not valid."
        raise ValidationException(msg)
    present = group.schedules.get(name)
    if present is not None:
        # A request that is sent again is answered again.
        if asked.get("ClientToken") is not None and present.client_token == asked["ClientToken"]:
            return json.dumps({"ScheduleArn": present.arn})
        raise ScheduleExists(name)
    fields = _sound(asked)
    schedule = Schedule(region=backend.region_name, account_id=ACCOUNT, name=name, **fields)
    schedule.client_token = asked.get("ClientToken")
    group.add_schedule(schedule)
    return json.dumps({"ScheduleArn": schedule.arn})


def _update(response: EventBridgeSchedulerResponse) -> str:
    """Replace everything about a schedule; what the request leaves out has its default again."""
    asked, name = json.loads(response.body), _name(response)
    schedule = _group(response.scheduler_backend, asked).schedules.get(name)
    if schedule is None:
        raise ScheduleNotFound(name)
    for field, value in _sound(asked).items():
        setattr(schedule, field, value)
    schedule.last_modified_date = unix_time()
    return json.dumps({"ScheduleArn": schedule.arn})


def _name(response: EventBridgeSchedulerResponse) -> str:
    return str(response.uri.split("?")[0].rpartition("/")[2])


def _group(backend: EventBridgeSchedulerBackend, asked: Mapping[str, Any]) -> ScheduleGroup:
    return backend.get_schedule_group(asked.get("GroupName"))


def _sound(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule's fields as moto names them, with their defaults.

    Raises:
        ValidationException: Something is not as AWS wants it.

    """
    for problem in _problems(asked):
        raise ValidationException(problem)
    target = dict(asked["Target"])
    target["RetryPolicy"] = {**_RETRY, **target.get("RetryPolicy", {})}
    return {
        "group_name": asked.get("GroupName") or "default",
        "description": asked.get("Description"),
        "schedule_expression": asked["ScheduleExpression"],
        "schedule_expression_timezone": asked.get("ScheduleExpressionTimezone") or "UTC",
        "flexible_time_window": asked["FlexibleTimeWindow"],
        "target": target,
        "state": asked.get("State") or "ENABLED",
        "kms_key_arn": asked.get("KmsKeyArn"),
        "start_date": asked.get("StartDate"),
        "end_date": asked.get("EndDate"),
        "action_after_completion": asked.get("ActionAfterCompletion") or "NONE",
    }


def _problems(asked: Mapping[str, Any]) -> Iterator[str]:
    yield from _problems_of_time(asked)
    window = asked["FlexibleTimeWindow"]
    minutes = window.get("MaximumWindowInMinutes")
    if window["Mode"] == "FLEXIBLE" and not (minutes and 1 <= minutes <= 1440):
        yield "MaximumWindowInMinutes must be from 1 to 1440 when the mode is FLEXIBLE."
    if window["Mode"] == "OFF" and minutes is not None:
        yield "MaximumWindowInMinutes must not be set when the mode is OFF."
    yield from _problems_of_target(asked["Target"])


def _problems_of_time(asked: Mapping[str, Any]) -> Iterator[str]:
    now = time.time()
    try:
        expression = schedule_expressions.parse(
            asked["ScheduleExpression"], asked.get("ScheduleExpressionTimezone") or "UTC"
        )
    except ValueError as problem:
        yield str(problem)
        return
    # Dates of a schedule that is due once are ignored, as AWS documents it.
    if isinstance(expression, schedule_expressions.At):
        if expression.moment.timestamp() <= now:
            yield f"Invalid Schedule Expression {asked['ScheduleExpression']}. It is in the past."
        return
    start, end = asked.get("StartDate"), asked.get("EndDate")
    if start is not None and start < now - _START_SLACK_S:
        yield "The StartDate you specify cannot be earlier than 5 minutes ago."
    if end is not None and end <= max(now, start or now):
        yield "The EndDate you specify must be in the future and later than the StartDate."


def _problems_of_target(target: Mapping[str, Any]) -> Iterator[str]:
    try:
        schedule_targets.require_known(target)
    except ValueError as problem:
        yield str(problem)
    for name, (least, most) in _LIMITS.items():
        if not least <= target.get("RetryPolicy", {}).get(name, most) <= most:
            yield f"{name} must be from {least} to {most}."
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if queue is not None and not _QUEUE.fullmatch(queue):
        yield f"The dead-letter queue {queue} is not a standard SQS queue."
    if not trusts(target["RoleArn"], _SERVICE):
        yield "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


def _creating_group(original: Function) -> Callable[..., ScheduleGroup]:
    def create(backend: EventBridgeSchedulerBackend, name: str, tags: list[dict[str, str]]) -> ScheduleGroup:
        if not _NAME.fullmatch(name):
            msg = f"The name {name} is not valid."
            raise ValidationException(msg)
        if name in backend.schedule_groups:
            code = "ConflictException"
            raise JsonRESTError(code, f"Schedule group {name} already exists.")
        return original(backend, name, tags or [])

    return create


def _deleting_group(original: Function) -> Callable[..., None]:
    def delete(backend: EventBridgeSchedulerBackend, name: str | None) -> None:
        if (name or "default") == "default":
            msg = "The default schedule group cannot be deleted."
            raise ValidationException(msg)
        if name not in backend.schedule_groups:
            raise ScheduleGroupNotFound(str(name))
        original(backend, name)

    return delete
