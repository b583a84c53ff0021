"""OwnNetworkAcl against the lab's EC2."""

from collections.abc import Mapping
from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import RUN_TAG, Intent
from drill.faults.own_network_acl import OwnNetworkAcl
from tests.drill.faults.breakage import (
    Cut,
    Stale,
    Unsteady,
    acl_of,
    entries_of,
    give_acl,
    put_entry,
    tagged,
)

INTENT = Intent("run-1", "own")
Vpc = tuple[str, tuple[str, str]]


def own(vpc: Vpc, **more: Any) -> OwnNetworkAcl:
    """Return the fault for both subnets."""
    return OwnNetworkAcl("us-east-1", *vpc, wait_s=1, poll_s=0.01, **more)


def injected(aws: Aws, vpc: Vpc) -> tuple[OwnNetworkAcl, Mapping[str, Any]]:
    """Return the fault, injected, and what it captured."""
    fault = own(vpc)
    captured: Mapping[str, Any] = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    return fault, captured


def new_acl(aws: Aws, vpc: Vpc) -> str:
    """Make a network ACL, as anybody could."""
    made = aws.client("ec2", "us-east-1").create_network_acl(VpcId=vpc[0])
    return str(made["NetworkAcl"]["NetworkAclId"])


def test_injects_and_undoes(aws: Aws, vpc: Vpc) -> None:
    """Each subnet gets a copy of its own ACL, entry by entry, and then its own again."""
    first, second = vpc[1]
    before = acl_of(aws, first), acl_of(aws, second)
    assert before[0] != before[1]
    put_entry(aws, before[1], 90, Protocol="6", PortRange={"From": 80, "To": 443})
    put_entry(aws, before[1], 91, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1})
    put_entry(aws, before[1], 92, RuleAction="deny", CidrBlock=None, Ipv6CidrBlock="2001:db8::/32")
    fault, captured = injected(aws, vpc)
    during = acl_of(aws, first), acl_of(aws, second)
    assert {one["NetworkAclId"] for one in tagged(aws)} == set(during)
    assert not set(during) & set(before)
    assert [entries_of(aws, acl) for acl in during] == [entries_of(aws, acl) for acl in before]
    assert not fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert (acl_of(aws, first), acl_of(aws, second)) == before
    assert tagged(aws) == []
    assert fault.undone(aws, captured, INTENT.run_id)


def test_subnets_that_share_an_acl_share_a_copy(aws: Aws, vpc: Vpc) -> None:
    """Two subnets with one ACL get one copy, and a third that is not named keeps the ACL."""
    ec2 = aws.client("ec2", "us-east-1")
    third, fourth = (
        ec2.create_subnet(VpcId=vpc[0], CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in ("10.0.3.0/24", "10.0.4.0/24")
    )
    shared = acl_of(aws, fourth)
    fault, captured = injected(aws, (vpc[0], (vpc[1][0], third)))
    assert acl_of(aws, vpc[1][0]) == acl_of(aws, third) != shared
    assert acl_of(aws, fourth) == shared
    fault.undo(aws, captured, INTENT.run_id)
    assert acl_of(aws, vpc[1][0]) == acl_of(aws, third) == shared
    assert fault.undone(aws, captured, INTENT.run_id)


def test_an_undo_with_nothing_to_do_changes_nothing(aws: Aws, vpc: Vpc) -> None:
    """A second undo, and one without an injection, only read."""
    fault, captured = injected(aws, vpc)
    fault.undo(aws, captured, INTENT.run_id)
    watched: Any = Unsteady(aws)
    assert fault.undo(watched, captured, INTENT.run_id) == ()
    assert set(watched.made) == {"ec2.DescribeNetworkAcls"}


def test_injects_twice_with_one_copy_each(aws: Aws, vpc: Vpc) -> None:
    """A repeated injection makes no second copy."""
    fault, captured = injected(aws, vpc)
    fault.inject(aws, captured, INTENT)
    assert len(tagged(aws)) == 2


def calls_of(aws: Aws, vpc: Vpc, *, undo: bool) -> int:
    """Return how many calls an injection takes, or the undo after it."""
    fault, watched = own(vpc), Unsteady(aws)
    clients: Any = watched
    captured = fault.capture(aws)
    fault.inject(aws if undo else clients, captured, INTENT)
    fault.undo(clients if undo else aws, captured, INTENT.run_id)
    return len(watched.made)


@pytest.mark.parametrize("lost", [False, True])
def test_undo_is_right_wherever_the_injection_broke(aws: Aws, vpc: Vpc, *, lost: bool) -> None:
    """After any broken call, sent or not, the undo leaves what was captured and nothing more."""
    put_entry(aws, acl_of(aws, vpc[1][1]), 90)
    count = calls_of(aws, vpc, undo=False)
    assert count > 10
    for breaks_at in range(count):
        fault = own(vpc)
        captured: Mapping[str, Any] = fault.capture(aws)
        with pytest.raises(Cut):
            fault.inject(Unsteady(aws, breaks_at, lost=lost), captured, INTENT)  # type: ignore[arg-type]
        fault.undo(aws, captured, INTENT.run_id)
        assert fault.undone(aws, captured, INTENT.run_id)
        assert tagged(aws) == []
        assert {subnet: acl_of(aws, subnet) for subnet in vpc[1]} == captured["subnets"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_broken_undo_can_be_repeated(aws: Aws, vpc: Vpc, *, lost: bool) -> None:
    """An undo that broke anywhere is finished by the next one."""
    count = calls_of(aws, vpc, undo=True)
    for breaks_at in range(count):
        fault, captured = injected(aws, vpc)
        with pytest.raises(Cut):
            fault.undo(Unsteady(aws, breaks_at, lost=lost), captured, INTENT.run_id)  # type: ignore[arg-type]
        fault.undo(aws, captured, INTENT.run_id)
        assert fault.undone(aws, captured, INTENT.run_id)
        assert {subnet: acl_of(aws, subnet) for subnet in vpc[1]} == captured["subnets"]


def test_old_answers_do_not_end_an_undo(aws: Aws, vpc: Vpc) -> None:
    """Two answers from before the injection in a row, and nothing is left all the same."""
    fault = own(vpc)
    captured: Mapping[str, Any] = fault.capture(aws)
    stale = Stale(aws, "describe_network_acls", olds=2)
    fault.inject(aws, captured, INTENT)
    assert not fault.undone(stale, captured, INTENT.run_id)  # type: ignore[arg-type]
    stale.again()
    fault.undo(stale, captured, INTENT.run_id)  # type: ignore[arg-type]
    assert {subnet: acl_of(aws, subnet) for subnet in vpc[1]} == captured["subnets"]
    assert tagged(aws) == []


def test_old_answers_blame_nobody(aws: Aws, vpc: Vpc) -> None:
    """Answers from while the copies were made, or from before a subnet was given back, are no drift."""
    fault, captured = injected(aws, vpc)
    stale = Stale(aws, "describe_network_acls", olds=2)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undo(stale, captured, INTENT.run_id) == ()  # type: ignore[arg-type]
    assert tagged(aws) == []


def test_a_copy_that_nobody_uses_has_to_go(aws: Aws, vpc: Vpc) -> None:
    """It is not undone while one is there; an old answer that still has it afterwards is no error."""
    fault, captured = injected(aws, vpc)
    for subnet, original in captured["subnets"].items():
        give_acl(aws, subnet, original)
    assert not fault.undone(aws, captured, INTENT.run_id)
    stale = Stale(aws, "describe_network_acls", olds=2)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(stale, captured, INTENT.run_id) == ()  # type: ignore[arg-type]


def test_leaves_an_acl_that_somebody_else_gave(aws: Aws, vpc: Vpc) -> None:
    """A third ACL is left and told of; the other subnet and the copies are put right."""
    first, second = vpc[1]
    fault, captured = injected(aws, vpc)
    third = new_acl(aws, vpc)
    give_acl(aws, first, third)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"{first} has network ACL {third}" in drift
    assert "aws ec2 describe-network-acls" in drift
    assert acl_of(aws, first) == third
    assert acl_of(aws, second) == captured["subnets"][second]
    assert tagged(aws) == []
    assert fault.undone(aws, captured, INTENT.run_id)


def test_a_copy_that_somebody_changed_keeps_its_subnets(aws: Aws, vpc: Vpc) -> None:
    """Nobody's entries are lost: the copy stays and is named; the other subnet is put right."""
    first, second = vpc[1]
    fault, captured = injected(aws, vpc)
    copy = acl_of(aws, first)
    put_entry(aws, copy, 50)
    with pytest.raises(DrillError, match=rf"{copy}.* was changed .*{first}; .*drill recover run-1"):
        fault.undo(aws, captured, INTENT.run_id)
    assert acl_of(aws, first) == copy
    assert acl_of(aws, second) == captured["subnets"][second]
    assert [one["NetworkAclId"] for one in tagged(aws)] == [copy]
    assert not fault.undone(aws, captured, INTENT.run_id)
    give_acl(aws, first, captured["subnets"][first])
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert fault.undone(aws, captured, INTENT.run_id)


def test_an_entry_less_is_a_change_too(aws: Aws, vpc: Vpc) -> None:
    """Who takes an entry out of a copy decides about it."""
    fault, captured = injected(aws, vpc)
    copy = acl_of(aws, vpc[1][0])
    aws.client("ec2", "us-east-1").delete_network_acl_entry(NetworkAclId=copy, RuleNumber=100, Egress=True)
    with pytest.raises(DrillError, match=copy):
        fault.undo(aws, captured, INTENT.run_id)


def test_what_a_blackout_left_in_a_copy_keeps_nobody_dark(aws: Aws, vpc: Vpc) -> None:
    """A blackout's own entries are nobody's change: the subnets are given back."""
    fault, captured = injected(aws, vpc)
    put_entry(aws, acl_of(aws, vpc[1][0]), 1, RuleAction="deny")
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert tagged(aws) == []


def test_a_subnet_whose_acl_is_gone_stays_on_its_copy(aws: Aws, vpc: Vpc) -> None:
    """No subnet loses its way: it keeps the copy, and the text has the command that gives it another."""
    first, second = vpc[1]
    fault, captured = injected(aws, vpc)
    copy = acl_of(aws, second)
    aws.client("ec2", "us-east-1").delete_network_acl(NetworkAclId=captured["subnets"][second])
    with pytest.raises(DrillError, match=rf"{second} stays on {copy}.*replace-network-acl-association"):
        fault.undo(aws, captured, INTENT.run_id)
    assert (acl_of(aws, first), acl_of(aws, second)) == (captured["subnets"][first], copy)
    give_acl(aws, second, acl_of(aws, first))
    assert len(fault.undo(aws, captured, INTENT.run_id)) == 1
    assert fault.undone(aws, captured, INTENT.run_id)


def test_tells_of_an_original_that_somebody_changed(aws: Aws, vpc: Vpc) -> None:
    """The subnet gets its ACL as it is now, and that it is another is told."""
    fault, captured = injected(aws, vpc)
    original = captured["subnets"][vpc[1][0]]
    put_entry(aws, original, 50)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"entries of network ACL {original} are others now" in drift
    assert fault.undone(aws, captured, INTENT.run_id)


def test_tells_of_a_subnet_that_is_gone(aws: Aws, vpc: Vpc) -> None:
    """A subnet that somebody deleted needs nothing, and nothing waits for it."""
    fault, captured = injected(aws, vpc)
    aws.client("ec2", "us-east-1").delete_subnet(SubnetId=vpc[1][0])
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"{vpc[1][0]} has network ACL none" in drift
    assert fault.undone(aws, captured, INTENT.run_id)


def test_leaves_a_copy_that_somebody_gave_to_another_subnet(aws: Aws, vpc: Vpc) -> None:
    """The named subnets are put right, and that the copy is left is told."""
    third = aws.client("ec2", "us-east-1").create_subnet(VpcId=vpc[0], CidrBlock="10.0.3.0/24")
    fault, captured = injected(aws, vpc)
    copy = acl_of(aws, vpc[1][0])
    give_acl(aws, third["Subnet"]["SubnetId"], copy)
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"{copy} of this drill was given to {third['Subnet']['SubnetId']}" in drift
    assert fault.undone(aws, captured, INTENT.run_id)


def test_refuses_when_a_subnet_changed_since_the_capture(aws: Aws, vpc: Vpc) -> None:
    """The injection stops at a subnet that is no longer as captured, and the undo puts its part right."""
    first, second = vpc[1]
    fault = own(vpc)
    captured = fault.capture(aws)
    give_acl(aws, second, acl_of(aws, first))
    with pytest.raises(DrillError, match=second):
        fault.inject(aws, captured, INTENT)
    assert len(fault.undo(aws, captured, INTENT.run_id)) == 1
    assert fault.undone(aws, captured, INTENT.run_id)
    assert tagged(aws) == []


@pytest.mark.parametrize("number", [1, 2])
def test_refuses_an_acl_without_room_before_its_entries(aws: Aws, vpc: Vpc, number: int) -> None:
    """A blackout must come before all entries: numbers that are taken are named, with the command to see."""
    acl = acl_of(aws, vpc[1][0])
    put_entry(aws, acl, number)
    with pytest.raises(DrillError, match=rf"{acl} has an entry with the number {number}.*aws ec2"):
        own(vpc).capture(aws)


def test_refuses_an_acl_that_is_full(aws: Aws, vpc: Vpc) -> None:
    """One entry more than the copy has room for is refused; with a higher quota it is not."""
    acl = acl_of(aws, vpc[1][1])
    for number in range(10, 29):
        put_entry(aws, acl, number, both=False)
    put_entry(aws, acl, 10, both=False, Egress=False)
    with pytest.raises(DrillError, match=rf"{acl} has 19 entries one way.*service-quotas"):
        own(vpc).capture(aws)
    assert own(vpc, most_entries=21).capture(aws)
    aws.client("ec2", "us-east-1").delete_network_acl_entry(NetworkAclId=acl, RuleNumber=10, Egress=True)
    fault, captured = injected(aws, vpc)
    for egress in (True, False):
        put_entry(aws, acl_of(aws, vpc[1][1]), 1, RuleAction="deny", both=False, Egress=egress)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)


def test_refuses_what_another_run_left(aws: Aws, vpc: Vpc) -> None:
    """A copy of another run is to be put back first."""
    injected(aws, vpc)
    with pytest.raises(DrillError, match="drill recover run-1"):
        own(vpc).capture(aws)


def test_refuses_a_subnet_of_another_vpc(aws: Aws, vpc: Vpc) -> None:
    """A subnet that the VPC does not have is named."""
    with pytest.raises(DrillError, match="subnet-0123"):
        own((vpc[0], ("subnet-0123", vpc[1][0]))).capture(aws)


def test_two_steps_of_one_run_keep_apart(aws: Aws, vpc: Vpc) -> None:
    """Undoing the second step of a run leaves the first one's copy, of the same ACL."""
    give_acl(aws, vpc[1][1], acl_of(aws, vpc[1][0]))
    first, second = (OwnNetworkAcl("us-east-1", vpc[0], (subnet,)) for subnet in vpc[1])
    captured = first.capture(aws), second.capture(aws)
    first.inject(aws, captured[0], INTENT)
    second.inject(aws, captured[1], INTENT)
    assert second.undo(aws, captured[1], INTENT.run_id) == ()
    assert second.undone(aws, captured[1], INTENT.run_id)
    assert not first.undone(aws, captured[0], INTENT.run_id)
    first.undo(aws, captured[0], INTENT.run_id)
    assert first.undone(aws, captured[0], INTENT.run_id)


def test_leaves_what_another_run_made(aws: Aws, vpc: Vpc) -> None:
    """The undo deletes only what carries its own run id."""
    fault = own(vpc)
    captured = fault.capture(aws)
    fault.inject(aws, captured, Intent("run-2", "own"))
    assert len(fault.undo(aws, captured, INTENT.run_id)) == len(vpc[1])
    assert len(tagged(aws, "run-2")) == 2


def test_declares_every_call(aws: Aws, vpc: Vpc) -> None:
    """What the fault calls is what it says it calls, and what it changes is named."""
    fault, watched = own(vpc), Unsteady(aws)
    clients: Any = watched
    captured = fault.capture(clients)
    fault.inject(clients, captured, INTENT)
    fault.undo(clients, captured, INTENT.run_id)
    fault.undone(clients, captured, INTENT.run_id)
    permissions_only = {"ec2.CreateTags"}
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls} - permissions_only
    assert [one.id for one in fault.touches()] == list(vpc[1])
    assert fault.dead_man(captured, INTENT.run_id).calls == ()
    assert "same entries" in fault.describe()
    assert all(RUN_TAG in {tag["Key"] for tag in one["Tags"]} for one in tagged(aws))
