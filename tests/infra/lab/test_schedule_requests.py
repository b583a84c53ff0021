"""What the API of EventBridge Scheduler takes, keeps and refuses; nothing fires here."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.lab.schedulelab import ROLE, make_role

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:orders"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a control plane with a role of the scheduler's, and one of another service."""
    with control_plane() as made:
        make_role(made)
        make_role(made, "other", "lambda")
        yield made


def api(action: str) -> dict[str, Any]:
    """Return a universal target."""
    return {"Arn": f"arn:aws:scheduler:::aws-sdk:{action}", "Input": json.dumps({})}


def schedule(lab: Lab, name: str, **changed: Any) -> str:
    """Make a schedule of a queue; returns its ARN."""
    call = {
        "Name": name,
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"RoleArn": ROLE, "Arn": QUEUE},
        **changed,
    }
    return str(lab.client("scheduler").create_schedule(**call)["ScheduleArn"])


def test_a_schedule_in_a_group_goes_with_it(lab: Lab) -> None:
    """A group is made once, holds schedules, is listed, and takes them with it."""
    scheduler = lab.client("scheduler")
    scheduler.create_schedule_group(Name="g", Tags=[{"Key": "a", "Value": "b"}])
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule_group(Name="g")
    schedule(lab, "in-a-group", GroupName="g")
    assert [item["GroupName"] for item in scheduler.list_schedules(GroupName="g")["Schedules"]] == ["g"]
    scheduler.delete_schedule_group(Name="g")
    names = [item["Name"] for item in scheduler.list_schedules()["Schedules"]]
    assert "in-a-group" not in names
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule_group(Name="g")


def test_a_repeated_request_is_answered_again(lab: Lab) -> None:
    """The same token gets the same answer; another request of that name is a conflict."""
    first = schedule(lab, "twice", ClientToken="t")
    assert schedule(lab, "twice", ClientToken="t") == first
    with pytest.raises(ClientError, match="ConflictException"):
        schedule(lab, "twice", ClientToken="u")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ScheduleExpression": "rate(1 fortnight)"}, r"Invalid Schedule Expression rate\(1 fortnight\)"),
        ({"ScheduleExpression": "cron(0 12 * * * *)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "at(2020-01-01T00:00:00)"}, "It is in the past"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid Schedule Expression Timezone"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"StartDate": datetime(2020, 1, 1, tzinfo=UTC)}, "earlier than 5 minutes ago"),
        ({"EndDate": datetime(2020, 1, 1, tzinfo=UTC)}, "EndDate"),
        ({"Name": "a+b"}, "name"),
        ({"Target": {"RoleArn": ROLE, **api("nope:doIt")}}, "nope is not a supported service for a target"),
        ({"Target": {"RoleArn": ROLE, **api("ec2:describeVpcs")}}, "not a supported api"),
        ({"Target": {"RoleArn": ROLE, **api("ec2:swapEverything")}}, "not a supported api"),
        (
            {"Target": {"RoleArn": ROLE, "Arn": FUNCTION, "Input": "not json"}},
            "not well-formed JSON",
        ),
        (
            {"Target": {"RoleArn": ROLE, "Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/c"}},
            "not a target",
        ),
        ({"Target": {"RoleArn": ROLE + "-none", "Arn": FUNCTION}}, "allow AWS EventBridge Scheduler"),
        (
            {"Target": {"RoleArn": "arn:aws:iam::123456789012:role/other", "Arn": FUNCTION}},
            "allow AWS EventBridge Scheduler",
        ),
    ],
)
def test_what_is_refused(lab: Lab, changed: dict[str, Any], told: str) -> None:
    """What AWS does not take is refused with a ValidationException that says why."""
    call = {"Name": "refused", **changed}
    with pytest.raises(ClientError, match=told) as caught:
        schedule(lab, call.pop("Name"), **call)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("get_schedule", {"Name": "none"}),
        ("delete_schedule", {"Name": "none"}),
        ("get_schedule", {"Name": "none", "GroupName": "none"}),
        ("delete_schedule_group", {"Name": "none"}),
        (
            "create_schedule",
            {
                "Name": "s",
                "GroupName": "none",
                "ScheduleExpression": "rate(1 day)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"RoleArn": ROLE, "Arn": FUNCTION},
            },
        ),
    ],
)
def test_what_is_not_there(lab: Lab, action: str, given: dict[str, Any]) -> None:
    """A schedule or group that does not exist is a ResourceNotFoundException."""
    with pytest.raises(ClientError) as caught:
        getattr(lab.client("scheduler"), action)(**given)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
