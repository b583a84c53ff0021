"""The dead-man's undo: AWS itself undoes a fault when nobody is left to do it.

One-shot schedules of EventBridge Scheduler call the undoing API when a drill should long be
over. They are made before the injection and deleted after the checked rollback. AWS fires them
within a minute of their time: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import ApiCall, DeadMan
from drill.target import Target

# A schedule's name has at most 64 characters,
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_RUN_LONGEST = 46
# A call that fails is tried again for so long: the undo of an outage must outlive the outage.
_TRIED_S = 24 * 3600
_TRIES = 185


def possible(target: Target) -> bool:
    """Say whether the target names what a schedule needs: a group and a role."""
    return bool(target.drills.schedule_group and target.drills.scheduler_role_arn)


def arm(  # noqa: PLR0913 (what a schedule is made of)
    aws: Aws, target: Target, run_id: str, step: str, dead_man: DeadMan, due: datetime
) -> None:
    """Make one schedule for each call; one that is there already is left.

    Raises:
        BotoCoreError, ClientError: AWS did not make one.

    """
    for number, call in enumerate(dead_man.calls):
        name = f"{_prefix(run_id)}{hashlib.sha256(step.encode()).hexdigest()[:6]}-{number}"
        client = aws.client("scheduler", _region(call, target))
        try:
            client.create_schedule(
                Name=name,
                GroupName=target.drills.schedule_group,
                ClientToken=hashlib.sha256(name.encode()).hexdigest()[:32],
                Description=f"drill: undo {step} of run {run_id} should nobody else have done it",
                ScheduleExpression=f"at({due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=_called(call, target),
            )
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ConflictException":
                raise


def disarm(aws: Aws, target: Target, run_id: str) -> None:
    """Delete all schedules of a run, in both regions, and look that none is left.

    Raises:
        BotoCoreError, ClientError: AWS did not delete one.
        DrillError: One is still there.

    """
    for region, name in _found(aws, target, run_id):
        try:
            aws.client("scheduler", region).delete_schedule(Name=name, GroupName=target.drills.schedule_group)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
    left = armed(aws, target, run_id)
    if left:
        msg = (
            f"schedules {', '.join(left)} would still undo run {run_id}; see: "
            f"aws scheduler list-schedules --group-name {target.drills.schedule_group}"
        )
        raise DrillError(msg)


def armed(aws: Aws, target: Target, run_id: str) -> tuple[str, ...]:
    """Return the names of a run's schedules that are there."""
    return tuple(name for _, name in _found(aws, target, run_id))


def _found(aws: Aws, target: Target, run_id: str) -> Iterator[tuple[str, str]]:
    for region in (target.standby.name, target.primary.name):
        pages = aws.client("scheduler", region).get_paginator("list_schedules")
        asked = {"GroupName": target.drills.schedule_group, "NamePrefix": _prefix(run_id)}
        for page in pages.paginate(**asked):
            yield from ((region, one["Name"]) for one in page["Schedules"])


def _prefix(run_id: str) -> str:
    short = run_id if len(run_id) <= _RUN_LONGEST else hashlib.sha256(run_id.encode()).hexdigest()[:24]
    return f"drill-{short}-"


def _region(call: ApiCall, target: Target) -> str:
    """Return where the schedule is: a service without regions is called from the region that stays."""
    return target.standby.name if call.region == "global" else call.region


def _called(call: ApiCall, target: Target) -> dict[str, Any]:
    """Return a universal target, https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html."""
    role = target.drills.scheduler_role_arn
    partition = role.split(":")[1]
    action = call.action[0].lower() + call.action[1:]
    return {
        "Arn": f"arn:{partition}:scheduler:::aws-sdk:{call.service}:{action}",
        "RoleArn": role,
        "Input": json.dumps(call.request),
        "RetryPolicy": {"MaximumEventAgeInSeconds": _TRIED_S, "MaximumRetryAttempts": _TRIES},
    }
