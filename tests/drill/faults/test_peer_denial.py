"""PeerDenial against the lab's EC2: another VPC's ranges are denied, in ACLs of the drill's own."""

import json
from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.own_network_acl import OwnNetworkAcl
from drill.faults.peer_denial import PeerDenial
from tests.drill.faults.breakage import Cut, Unsteady, acl_of, entries_of, put_entry

INTENT = Intent("run-1", "deny-the-peer")
EAST, WEST = "us-east-1", "us-west-2"
Vpc = tuple[str, tuple[str, str]]


@pytest.fixture
def peer_id(aws: Aws) -> str:
    """Give another VPC with two ranges."""
    client = aws.client("ec2", WEST)
    vpc_id = client.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    client.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.2.0.0/16")
    return str(vpc_id)


def own(vpc: Vpc) -> OwnNetworkAcl:
    """Return the step before."""
    return OwnNetworkAcl(EAST, *vpc, wait_s=0.5, poll_s=0.01)


@pytest.fixture
def ready(aws: Aws, vpc: Vpc) -> Vpc:
    """Give the VPC with its subnets on copies of their ACLs."""
    step = own(vpc)
    step.inject(aws, step.capture(aws), INTENT)
    return vpc


def denial(vpc: Vpc, peer_id: str, direction: Any = "both") -> PeerDenial:
    """Return the fault for both subnets."""
    return PeerDenial(EAST, *vpc, WEST, peer_id, direction, 0.5, 0.01)


def entries(aws: Aws, vpc: Vpc) -> dict[str, Any]:
    """Return the entries of each subnet's network ACL."""
    return {subnet: entries_of(aws, acl_of(aws, subnet)) for subnet in vpc[1]}


@pytest.mark.parametrize(("direction", "ways"), [("both", [False, True]), ("out", [True]), ("in", [False])])
def test_injects_and_undoes(aws: Aws, ready: Vpc, peer_id: str, direction: str, ways: list[bool]) -> None:
    """Each of the other VPC's ranges is denied before all else, the ways asked for; then nothing is left."""
    before, fault = entries(aws, ready), denial(ready, peer_id, direction)
    captured = json.loads(json.dumps(fault.capture(aws)))

    fault.inject(aws, captured, INTENT)

    for subnet, rest in entries(aws, ready).items():
        added = [one for one in rest if one not in before[subnet]]
        assert [(one["CidrBlock"], one["Egress"]) for one in added] == [
            (cidr, way) for cidr in ("10.1.0.0/16", "10.2.0.0/16") for way in ways
        ]
        assert {(one["RuleAction"], one["Protocol"]) for one in added} == {("deny", "-1")}
    assert not fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert fault.undone(aws, captured, INTENT.run_id)
    assert entries(aws, ready) == before


def test_the_dead_mans_calls_undo_it(aws: Aws, ready: Vpc, peer_id: str) -> None:
    """What the schedules would call, in any order, leaves the ACLs as they were."""
    before, fault = entries(aws, ready), denial(ready, peer_id)
    captured = fault.capture(aws)
    calls = fault.dead_man(captured, INTENT.run_id).calls
    fault.inject(aws, captured, INTENT)
    for call in reversed(calls):
        assert (call.service, call.region, call.action) == ("ec2", EAST, "DeleteNetworkAclEntry")
        aws.client("ec2", EAST).delete_network_acl_entry(**call.request)
    assert entries(aws, ready) == before
    assert fault.undone(aws, captured, INTENT.run_id)


# Two ACLs with four entries each, and a look at them.
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", [0, 3, 7, 8])
def test_undo_is_right_wherever_either_broke(
    aws: Aws, ready: Vpc, peer_id: str, breaks_at: int, *, lost: bool
) -> None:
    """After any broken call of injection or undo, the next undo leaves what was there."""
    before, fault = entries(aws, ready), denial(ready, peer_id)
    captured = fault.capture(aws)
    for broken_in in (fault.inject, fault.undo):
        broken: Any = Unsteady(aws, breaks_at, lost=lost)
        last: Any = INTENT if broken_in == fault.inject else INTENT.run_id
        with pytest.raises(Cut):
            broken_in(broken, captured, last)
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert entries(aws, ready) == before


def test_the_copies_are_given_back_with_what_was_left_in_them(aws: Aws, vpc: Vpc, peer_id: str) -> None:
    """Also where the denial's own undo failed: its entries are a drill's, and nobody else's change."""
    before, step = entries(aws, vpc), own(vpc)
    captured = step.capture(aws)
    step.inject(aws, captured, INTENT)
    fault = denial(vpc, peer_id)
    fault.inject(aws, fault.capture(aws), INTENT)

    assert step.undo(aws, captured, INTENT.run_id) == ()

    assert entries(aws, vpc) == before
    assert step.undone(aws, captured, INTENT.run_id)


def test_an_acl_of_somebody_else_is_refused(aws: Aws, vpc: Vpc, peer_id: str) -> None:
    """Others may use it."""
    with pytest.raises(DrillError, match="was not made by a drill"):
        denial(vpc, peer_id).capture(aws)


def test_no_room_before_the_first_entry_is_refused(aws: Aws, vpc: Vpc, peer_id: str) -> None:
    """A denial after an entry that allows would deny nothing."""
    put_entry(aws, acl_of(aws, vpc[1][0]), 3)
    put_entry(aws, acl_of(aws, vpc[1][1]), 3)
    step = own(vpc)
    step.inject(aws, step.capture(aws), INTENT)
    assert denial(vpc, peer_id).capture(aws)
    client = aws.client("ec2", WEST)
    client.associate_vpc_cidr_block(VpcId=peer_id, CidrBlock="10.3.0.0/16")
    with pytest.raises(DrillError, match="begins with number 3, and 3 entries"):
        denial(vpc, peer_id).capture(aws)


def test_the_calls_made_are_those_declared(aws: Aws, ready: Vpc, peer_id: str) -> None:
    """The policy is made of what is declared."""
    fault, watched = denial(ready, peer_id), Unsteady(aws)
    seen: Any = watched
    captured = fault.capture(seen)
    fault.inject(seen, captured, INTENT)
    fault.undo(seen, captured, INTENT.run_id)
    fault.undone(seen, captured, INTENT.run_id)
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls}
