"""The dead-man's undo as schedules: armed once, found by run and by target, gone when disarmed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drill import dead_man
from drill.faults.contract import ApiCall, DeadMan
from drill.guards.unarmed import unarmed
from drill.target import Drills, Target
from tests.drill.guards.asking import NOBODY, asked
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.scenarios.test_region_outage import make_target

GROUP = "drills"
RUN = "20261124t090000-region-outage-0a1b"
DUE = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
FLIP = ApiCall("route53", "global", "UpdateHealthCheck", {"HealthCheckId": "1", "Inverted": False})
OPEN = ApiCall("ec2", EAST, "DeleteNetworkAclEntry", {"NetworkAclId": "acl-1", "RuleNumber": 1})


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane with a role for schedules and the schedule group in both regions."""
    with control_plane() as made:
        trusted = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}}
        statement = {"Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
        made.client("iam").create_role(RoleName="scheduler", AssumeRolePolicyDocument=json.dumps(statement))
        for region in (EAST, WEST):
            made.client("scheduler", region).create_schedule_group(Name=GROUP)
        yield made


def wanted(name: str = "orders", role: str = "scheduler") -> Target:
    """Return a target with what schedules need."""
    drills = Drills(schedule_group=GROUP, scheduler_role_arn=f"arn:aws:iam::123456789012:role/{role}")
    return make_target().model_copy(update={"name": name, "drills": drills})


def arm(lab: Lab, *calls: ApiCall, run_id: str = RUN, due: datetime = DUE, **target: str) -> None:
    """Arm the undo of a step."""
    dead_man.arm(lab.aws, wanted(**target), run_id, "dark", DeadMan(calls, "note"), due)


def schedules(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """Return the schedules of each region, whole."""
    found = {}
    for region in (EAST, WEST):
        client = lab.client("scheduler", region)
        listed = client.list_schedules(GroupName=GROUP)["Schedules"]
        found[region] = [client.get_schedule(Name=one["Name"], GroupName=GROUP) for one in listed]
    return found


def test_each_call_is_a_schedule_where_it_is_made(lab: Lab) -> None:
    """A service without regions is called from the standby, which stays."""
    arm(lab, FLIP, OPEN)

    (west,), (east,) = schedules(lab)[WEST], schedules(lab)[EAST]
    assert west["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:route53:updateHealthCheck"
    assert json.loads(west["Target"]["Input"]) == FLIP.request
    assert east["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:ec2:deleteNetworkAclEntry"
    assert all(one["ScheduleExpression"] == "at(2031-05-06T07:08:09)" for one in (west, east))
    assert all(one["ActionAfterCompletion"] == "DELETE" for one in (west, east))
    assert {west["Name"], east["Name"]} == set(dead_man.armed(lab.aws, wanted(), RUN))


def test_the_due_time_is_told_in_utc(lab: Lab) -> None:
    """Whatever zone the caller thinks in."""
    arm(lab, FLIP, due=datetime.fromisoformat("2031-05-06T09:08:09+02:00"))

    assert schedules(lab)[WEST][0]["ScheduleExpression"] == "at(2031-05-06T07:08:09)"


def test_armed_again_takes_the_new_time_and_call(lab: Lab) -> None:
    """A run that goes on after a rescue arms the same step anew."""
    arm(lab, FLIP)
    other = ApiCall("route53", "global", "UpdateHealthCheck", {"HealthCheckId": "2"})
    arm(lab, other, due=datetime(2032, 1, 1, tzinfo=UTC))

    (one,) = schedules(lab)[WEST]
    assert one["ScheduleExpression"] == "at(2032-01-01T00:00:00)"
    assert json.loads(one["Target"]["Input"]) == {"HealthCheckId": "2"}


def test_armed_twice_the_same_is_one(lab: Lab) -> None:
    """As after an answer that was lost."""
    arm(lab, FLIP)
    arm(lab, FLIP)

    assert len(schedules(lab)[WEST]) == 1


def test_disarming_deletes_in_both_regions_and_again_is_nothing(lab: Lab) -> None:
    """It says that several reads show none."""
    arm(lab, FLIP, OPEN)

    assert dead_man.disarm(lab.aws, wanted(), RUN)
    assert {EAST: [], WEST: []} == schedules(lab)
    assert dead_man.disarm(lab.aws, wanted(), RUN)


def test_another_runs_schedules_stay(lab: Lab) -> None:
    """Even of a run whose id begins with this one's."""
    longer = f"{RUN}-again"
    arm(lab, FLIP)
    arm(lab, FLIP, run_id=longer)

    assert dead_man.disarm(lab.aws, wanted(), RUN)
    assert dead_man.armed(lab.aws, wanted(), RUN) == ()
    assert len(dead_man.armed(lab.aws, wanted(), longer)) == 1


def test_names_fit_whatever_the_runs_id(lab: Lab) -> None:
    """Scheduler takes 64 characters; a longer id is found again and does not hide another."""
    long = f"20261124t090000-{'very-' * 20}long-0a1b"
    for run_id in (long, f"{long}2"):
        arm(lab, FLIP, OPEN, run_id=run_id)

    names = [one["Name"] for found in schedules(lab).values() for one in found]
    assert len(set(names)) == 4
    assert all(len(name) <= 64 for name in names)
    assert dead_man.disarm(lab.aws, wanted(), long)
    assert len(dead_man.armed(lab.aws, wanted(), f"{long}2")) == 2


def test_others_are_the_targets_own(lab: Lab) -> None:
    """Targets share a group; one target's name may begin with another's."""
    arm(lab, FLIP, run_id="20261124t080000-region-outage-0001", name="orders-eu")
    assert dead_man.others(lab.aws, wanted()) == ()

    arm(lab, FLIP)
    assert dead_man.armed(lab.aws, wanted(), RUN) == dead_man.others(lab.aws, wanted())


def test_a_role_that_is_not_there_is_told_at_once(lab: Lab) -> None:
    """Before the injection, not when it should fire."""
    with pytest.raises(ClientError):
        arm(lab, FLIP, role="nobody")


def question(**drills: str) -> Any:
    """Return what the guard is asked of a target with these settings."""
    return asked(drills=drills)


def test_the_guard_refuses_while_one_is_there(lab: Lab) -> None:
    """It names the schedule, the group and what to type."""
    ready = question(schedule_group=GROUP, scheduler_role_arn="arn:aws:iam::123456789012:role/scheduler")
    assert unarmed(ready, lab.aws) == ""

    arm(lab, FLIP, OPEN)
    said = unarmed(ready, lab.aws)

    assert "and 1 more of an earlier drill would undo in the middle of this one" in said
    assert "drill recover" in said
    assert said.endswith(f"delete it from group {GROUP}")


def test_without_a_group_or_role_there_are_none() -> None:
    """Nothing is asked then, and nothing armed."""
    assert unarmed(question(), NOBODY) == ""
    assert not dead_man.possible(make_target())
