"""The permission guard: each statement of the printed policy is missed before anything is touched."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drill import guard, permission_guard, permissions, plan
from drill.aws import Aws
from drill.errors import DrillError
from drill.guards.contract import Asked, CannotTell
from drill.permissions import Statement
from drill.plan import Plan
from drill.target import Drills, Table, Target
from infra.lab.control_plane import ControlPlane
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.drill.measure.worlds import target as made_up

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}:role"
ROLE = f"{IAM}/some/path/drill"
BOTH = pytest.mark.parametrize("blackout", [False, True], ids=["inverted", "blackout"])


@dataclass(frozen=True)
class Place:
    """A control plane with a role for drills."""

    operator: Aws
    role: Aws
    target: Target

    def plan(self, *, blackout: bool) -> Plan:
        """Return the plan of a region outage."""
        return plan.make(RegionOutage(), RegionOutageParams(blackout=blackout), self.target)

    def allow(self, *statements: Statement) -> None:
        """Let the role do this and nothing else."""
        iam = self.operator.client("iam", "global")
        for name in iam.list_role_policies(RoleName="drill")["PolicyNames"]:
            iam.delete_role_policy(RoleName="drill", PolicyName=name)
        if statements:
            document = {"Version": "2012-10-17", "Statement": [one.document() for one in statements]}
            iam.put_role_policy(RoleName="drill", PolicyName="drill", PolicyDocument=json.dumps(document))

    def says(self, the_plan: Plan) -> str:
        """Return what the guard says to the role."""
        asked = Asked(the_plan, Path("runs"), "", datetime(2026, 1, 1, tzinfo=UTC))
        return permission_guard.permitted(asked, self.role)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Give a control plane with a role for drills, and a target that names it."""
    with ControlPlane("127.0.0.1", 0, ("us-east-1", "us-west-2")) as plane:
        bare = made_up()
        keyed = {
            name: getattr(bare, name).model_copy(
                update={"key_arn": f"arn:aws:kms:{getattr(bare, name).name}:{ACCOUNT}:key/{name}"}
            )
            for name in ("primary", "standby")
        }
        target = bare.model_copy(
            update={
                **keyed,
                "endpoint_url": plane.endpoint_url,
                "table": Table(name="orders", pause_role_arn=f"{IAM}/fis"),
                "drills": Drills(
                    role_arn=ROLE,
                    scheduler_role_arn=f"{IAM}/scheduler",
                    schedule_group="drills",
                    lease_table="leases",
                ),
            }
        )
        operator = Aws.of(target, as_operator=True)
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        operator.client("iam", "global").create_role(
            RoleName="drill",
            Path="/some/path/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        yield Place(operator, Aws.of(target), target)


@BOTH
def test_the_printed_policy_is_enough(place: Place, blackout: bool) -> None:
    """Who may do what is printed may drill."""
    the_plan = place.plan(blackout=blackout)
    place.allow(*permissions.statements(the_plan))

    assert place.says(the_plan) == ""


@BOTH
def test_each_statement_is_needed(place: Place, blackout: bool) -> None:
    """With any one statement taken out the guard refuses, and names an action and a resource of it."""
    the_plan = place.plan(blackout=blackout)
    wanted = permissions.statements(the_plan)
    for missing in wanted:
        place.allow(*(one for one in wanted if one is not missing))
        try:
            why = place.says(the_plan)
        except CannotTell as problem:
            why = str(problem)

        assert any(f"{action} on " in why or f": {action} on " in why for action in missing.actions), missing
        assert "drill iam-policy region-outage" in why
        assert ("--blackout" in why) is blackout


def test_the_engine_asks_the_guard(place: Place) -> None:
    """The guard is one of those of every drill."""
    place.allow()
    asked = Asked(place.plan(blackout=False), Path("runs"), "", datetime(2026, 1, 1, tzinfo=UTC))

    assert "permissions" in {one.guard for one in guard.check(asked, place.role)}


def test_what_iam_does_not_simulate_refuses_unless_the_operator_says_so(place: Place) -> None:
    """Nobody can tell, so nobody drills; who drills all the same is told of in the record's notes."""
    the_plan = place.plan(blackout=False)
    place.allow()

    with pytest.raises(CannotTell, match="--unchecked-permissions"):
        place.says(the_plan)
    unchecked = permissions.unchecked(the_plan)
    assert place.says(unchecked) == ""
    assert permissions.UNCHECKED in unchecked.notes


def test_nothing_binds_the_root_user(place: Place) -> None:
    """Where no role is named, and the operator is the account's root user, all is permitted."""
    the_plan = place.plan(blackout=True)
    asked = Asked(the_plan, Path("runs"), "", datetime(2026, 1, 1, tzinfo=UTC))

    assert permission_guard.permitted(asked, place.operator) == ""


def test_a_role_that_may_not_be_assumed_says_so(place: Place) -> None:
    """The operator hears which role it is, and what to do."""
    drills = place.target.drills.model_copy(update={"role_arn": f"{IAM}/nobody"})
    other = place.target.model_copy(update={"drills": drills})

    with pytest.raises(DrillError, match="role/nobody may not be assumed") as caught:
        Aws.of(other).client("sts", "us-east-1").get_caller_identity()
    assert "drills.role_arn" in str(caught.value)
