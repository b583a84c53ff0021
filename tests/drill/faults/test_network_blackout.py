"""NetworkBlackout against the lab's EC2."""

from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import RUN_TAG, Intent
from drill.faults.network_blackout import NetworkBlackout
from tests.drill.faults.breakage import Cut, Unsteady, acl_of, give_acl

INTENT = Intent("run-1", "go-dark")
Vpc = tuple[str, tuple[str, str]]


def blackout(vpc: Vpc) -> NetworkBlackout:
    """Return the fault for both subnets."""
    return NetworkBlackout("us-east-1", *vpc)


def tagged(aws: Aws, run_id: str = INTENT.run_id) -> list[dict[str, Any]]:
    """Return the network ACLs that a run made."""
    found: list[dict[str, Any]] = aws.client("ec2", "us-east-1").describe_network_acls(
        Filters=[{"Name": f"tag:{RUN_TAG}", "Values": [run_id]}]
    )["NetworkAcls"]
    return found


def test_injects_and_undoes(aws: Aws, vpc: Vpc) -> None:
    """Both subnets get one ACL that allows nothing, and then each its own again."""
    fault, (first, second) = blackout(vpc), vpc[1]
    before = acl_of(aws, first), acl_of(aws, second)
    assert before[0] != before[1]
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    (made,) = tagged(aws)
    assert acl_of(aws, first) == acl_of(aws, second) == made["NetworkAclId"]
    assert not [entry for entry in made["Entries"] if entry["RuleAction"] == "allow"]
    assert not fault.undone(aws, captured, INTENT.run_id)
    fault.undo(aws, captured, INTENT.run_id)
    assert (acl_of(aws, first), acl_of(aws, second)) == before
    assert tagged(aws) == []
    assert fault.undone(aws, captured, INTENT.run_id)


def test_subnets_that_share_an_acl_with_others(aws: Aws, vpc: Vpc) -> None:
    """Of several subnets with one ACL only the named ones go dark, and all of them come back."""
    ec2 = aws.client("ec2", "us-east-1")
    third, fourth = (
        ec2.create_subnet(VpcId=vpc[0], CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in ("10.0.3.0/24", "10.0.4.0/24")
    )
    shared = acl_of(aws, fourth)
    fault = NetworkBlackout("us-east-1", vpc[0], (vpc[1][0], third))
    captured = fault.capture(aws)
    assert captured == {vpc[1][0]: shared, third: shared}
    fault.inject(aws, captured, INTENT)
    assert acl_of(aws, vpc[1][0]) == acl_of(aws, third) != shared
    assert acl_of(aws, fourth) == shared
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_undoes_twice_and_without_injection(aws: Aws, vpc: Vpc) -> None:
    """An undo that has nothing to do calls nothing that changes."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.undo(aws, captured, INTENT.run_id)
    watched: Any = Unsteady(aws)
    fault.undo(watched, captured, INTENT.run_id)
    assert set(watched.made) == {"ec2.DescribeNetworkAcls"}
    assert fault.undone(aws, captured, INTENT.run_id)


def test_injects_twice_with_one_acl(aws: Aws, vpc: Vpc) -> None:
    """A repeated injection makes no second ACL."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    fault.inject(aws, captured, INTENT)
    assert len(tagged(aws)) == 1


# Six calls: look for the ACL, make it, and for each of two subnets look and replace.
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(6))
def test_undo_is_right_wherever_the_injection_broke(
    aws: Aws, vpc: Vpc, breaks_at: int, *, lost: bool
) -> None:
    """After any broken call, sent or not, the undo leaves what was captured and nothing more."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    with pytest.raises(Cut):
        fault.inject(Unsteady(aws, breaks_at, lost=lost), captured, INTENT)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert tagged(aws) == []


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(6))
def test_a_broken_undo_can_be_repeated(aws: Aws, vpc: Vpc, breaks_at: int, *, lost: bool) -> None:
    """An undo that broke anywhere is finished by the next one."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    with pytest.raises(Cut):
        fault.undo(Unsteady(aws, breaks_at, lost=lost), captured, INTENT.run_id)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_leaves_an_acl_that_somebody_else_gave(aws: Aws, vpc: Vpc) -> None:
    """A third ACL is left and told of; the other subnet and the fault's own ACL are put right."""
    fault, (first, second) = blackout(vpc), vpc[1]
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    third = aws.client("ec2", "us-east-1").create_network_acl(VpcId=vpc[0])["NetworkAcl"]["NetworkAclId"]
    give_acl(aws, first, third)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"{first} has {third}" in drift
    assert acl_of(aws, first) == third
    assert acl_of(aws, second) == captured[second]
    assert tagged(aws) == []
    assert fault.undone(aws, captured, INTENT.run_id)


def test_an_acl_that_is_left_is_not_undone(aws: Aws, vpc: Vpc) -> None:
    """A denying ACL of the run that nobody uses any more still has to go."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    with pytest.raises(Cut):
        fault.inject(Unsteady(aws, 1, lost=True), captured, INTENT)  # type: ignore[arg-type]
    assert len(tagged(aws)) == 1
    assert not fault.undone(aws, captured, INTENT.run_id)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_refuses_when_a_subnet_changed_since_the_capture(aws: Aws, vpc: Vpc) -> None:
    """The injection stops at a subnet that is no longer as captured, and the undo cleans up."""
    fault, (first, second) = blackout(vpc), vpc[1]
    captured = fault.capture(aws)
    give_acl(aws, second, acl_of(aws, first))
    with pytest.raises(DrillError, match=second):
        fault.inject(aws, captured, INTENT)
    give_acl(aws, second, str(captured[second]))
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_two_blackouts_of_one_run_keep_apart(aws: Aws, vpc: Vpc) -> None:
    """Undoing the second step of a run leaves the first one's subnet dark."""
    first, second = (NetworkBlackout("us-east-1", vpc[0], (subnet_id,)) for subnet_id in vpc[1])
    captured = first.capture(aws), second.capture(aws)
    first.inject(aws, captured[0], INTENT)
    second.inject(aws, captured[1], INTENT)
    second.undo(aws, captured[1], INTENT.run_id)
    assert second.undone(aws, captured[1], INTENT.run_id)
    assert not first.undone(aws, captured[0], INTENT.run_id)
    first.undo(aws, captured[0], INTENT.run_id)
    assert first.undone(aws, captured[0], INTENT.run_id)


def test_leaves_what_another_run_made(aws: Aws, vpc: Vpc) -> None:
    """The undo deletes only what carries its own run id."""
    fault = blackout(vpc)
    captured = fault.capture(aws)
    fault.inject(aws, captured, Intent("run-2", "go-dark"))
    assert len(fault.undo(aws, captured, INTENT.run_id)) == len(vpc[1])
    assert len(tagged(aws, "run-2")) == 1


def test_refuses_a_subnet_of_another_vpc(aws: Aws, vpc: Vpc) -> None:
    """A subnet that the VPC does not have is named."""
    with pytest.raises(DrillError, match="subnet-0123"):
        NetworkBlackout("us-east-1", vpc[0], ("subnet-0123",)).capture(aws)


def test_declares_every_call(aws: Aws, vpc: Vpc) -> None:
    """What the fault calls is what it says it calls, and what it changes is named."""
    fault, watched = blackout(vpc), Unsteady(aws)
    clients: Any = watched
    captured = fault.capture(clients)
    fault.inject(clients, captured, INTENT)
    fault.undo(clients, captured, INTENT.run_id)
    fault.undone(clients, captured, INTENT.run_id)
    permissions_only = {"ec2.CreateTags"}
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls} - permissions_only
    assert [one.id for one in fault.touches()] == list(vpc[1])
