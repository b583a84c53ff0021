"""The dead-man's undo: AWS itself undoes a fault when nobody is left to do it.

One-shot schedules of EventBridge Scheduler call the undoing API when a drill should long be
over. They are made before the injection and deleted after the checked rollback. AWS fires them
within a minute of their time: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

One that fires while a *later* drill of the same target runs would take that drill's fault away, and
what it measures with it. Three things keep that from happening. A run's schedules are deleted before
its journal is closed, and no drill begins while a journal, or the lease, has something left. Where
both were lost with a machine, the guard ``schedules`` refuses for as long as a schedule of the target
is there. And a call that fails is tried again for an hour only: AWS deletes a one-shot schedule once
it was invoked, so that nobody sees, or can stop, the tries that may still come.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from drill.aws import Aws
from drill.faults.contract import ApiCall, Call, DeadMan
from drill.faults.reads import all_agree
from drill.target import Target

# A schedule's name has at most 64 characters,
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_RUN_LONGEST = 46
# A call that fails is tried again for so long: it outlives throttling and a short outage of an API,
# and no drill that begins an hour later. AWS would go on for a day by default,
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
_TRIED_S = 3600
_TRIES = 185
_OWN = "drill-"


def possible(target: Target) -> bool:
    """Say whether the target names what a schedule needs: a group and a role."""
    return bool(target.drills.schedule_group and target.drills.scheduler_role_arn)


def arm(  # noqa: PLR0913 (what a schedule is made of)
    aws: Aws, target: Target, run_id: str, step: str, dead_man: DeadMan, due: datetime
) -> None:
    """Make one schedule for each call; one that is there already gets this call and due time.

    A call is made in its own region; one of a service without regions from the standby, which stays.

    Raises:
        BotoCoreError, ClientError: AWS did not make one.

    """
    for number, call in enumerate(dead_man.calls):
        name = f"{_prefix(run_id)}{hashlib.sha256(step.encode()).hexdigest()[:6]}-{number}"
        expression = f"at({due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"
        why = f"{_of_target(target)}: undo {step} of run {run_id} should nobody else do it"
        asked: dict[str, Any] = {
            "Name": name,
            "GroupName": target.drills.schedule_group,
            "Description": why[:512],
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": _called(call, target),
        }
        client = aws.client("scheduler", _region(call, target))
        # Sent once more, as after an answer that was lost, the same request is answered the same.
        token = hashlib.sha256(f"{name} {expression}".encode()).hexdigest()[:32]
        try:
            client.create_schedule(ClientToken=token, **asked)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ConflictException":
                raise
            client.update_schedule(**asked)


def disarm(aws: Aws, target: Target, run_id: str) -> bool:
    """Delete all schedules of a run, in both regions; say whether several reads in a row show none.

    Raises:
        BotoCoreError, ClientError: AWS did not delete one.

    """
    for region, name in _found(aws, target, run_id):
        try:
            aws.client("scheduler", region).delete_schedule(Name=name, GroupName=target.drills.schedule_group)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
    return all_agree(lambda: not armed(aws, target, run_id))


def armed(aws: Aws, target: Target, run_id: str) -> tuple[str, ...]:
    """Return the names of a run's schedules that are there."""
    return tuple(name for _, name in _found(aws, target, run_id))


def others(aws: Aws, target: Target) -> tuple[str, ...]:
    """Return the names of the target's schedules, of whichever run: one fires into a later drill.

    Schedules of other targets, which may share a group, are not among them.
    """
    found = []
    for region, name in _listed(aws, target, _OWN):
        asked = {"Name": name, "GroupName": target.drills.schedule_group}
        try:
            shown = aws.client("scheduler", region).get_schedule(**asked)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            continue  # it fired, or was deleted, meanwhile
        if shown.get("Description", "").startswith(f"{_of_target(target)}: "):
            found.append(name)
    return tuple(found)


def calls(target: Target) -> Iterator[Call]:
    """Yield the calls that arming, disarming and looking make, for the least-privilege policy."""
    role, group = target.drills.scheduler_role_arn, target.drills.schedule_group
    if not possible(target):
        return
    where = tuple(
        f"arn:{{partition}}:scheduler:{region.name}:{{account}}:schedule/{group}/{_OWN}*"
        for region in (target.primary, target.standby)
    )
    for action in ("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"):
        yield Call("arm", "scheduler", action, where)
    yield Call("arm", "scheduler", "ListSchedules")
    to_scheduler = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    yield Call("arm", "scheduler", "CreateSchedule", (role,), to_scheduler, ("iam:PassRole",))


def _found(aws: Aws, target: Target, run_id: str) -> Iterator[tuple[str, str]]:
    """Yield a run's schedules; another run's id may begin with this one's."""
    prefix = _prefix(run_id)
    for region, name in _listed(aws, target, prefix):
        if re.fullmatch(r"[0-9a-f]{6}-\d+", name.removeprefix(prefix)):
            yield region, name


def _listed(aws: Aws, target: Target, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield region and name of each schedule in the regions where any may be."""
    for region in (target.standby.name, target.primary.name):
        pages = aws.client("scheduler", region).get_paginator("list_schedules")
        for page in pages.paginate(GroupName=target.drills.schedule_group, NamePrefix=prefix):
            yield from ((region, one["Name"]) for one in page["Schedules"])


def _prefix(run_id: str) -> str:
    short = run_id if len(run_id) <= _RUN_LONGEST else hashlib.sha256(run_id.encode()).hexdigest()[:24]
    return f"{_OWN}{short}-"


def _of_target(target: Target) -> str:
    return f"drill of {target.name}"


def _region(call: ApiCall, target: Target) -> str:
    """Return where the schedule is: a service without regions is called from the region that stays."""
    return target.standby.name if call.region == "global" else call.region


def _called(call: ApiCall, target: Target) -> dict[str, Any]:
    """Return a universal target, https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html."""
    role = target.drills.scheduler_role_arn
    partition = role.split(":")[1]
    action = call.action[0].lower() + call.action[1:]
    service = call.service.replace("-", "")  # AWS writes these names without dashes, boto3 with them
    return {
        "Arn": f"arn:{partition}:scheduler:::aws-sdk:{service}:{action}",
        "RoleArn": role,
        "Input": json.dumps(call.request),
        "RetryPolicy": {"MaximumEventAgeInSeconds": _TRIED_S, "MaximumRetryAttempts": _TRIES},
    }
