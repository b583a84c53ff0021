"""NetworkBlackout against the lab's EC2, in network ACLs that OwnNetworkAcl made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.faults.network_blackout import NetworkBlackout
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

ROOT = Path(__file__).parents[3]
INTENT = Intent("run-1", "go-dark")
Vpc = tuple[str, tuple[str, str]]
DENIALS = [
    {
        "CidrBlock": "0.0.0.0/0",
        "Egress": egress,
        "Protocol": "-1",
        "RuleAction": "deny",
        "RuleNumber": 1,
    }
    for egress in (False, True)
]


@pytest.fixture
def ready(aws: Aws, vpc: Vpc) -> Vpc:
    """Give the VPC with its subnets on copies of their ACLs."""
    own = OwnNetworkAcl("us-east-1", *vpc, wait_s=0.5, poll_s=0.01)
    own.inject(aws, own.capture(aws), INTENT)
    return vpc


def blackout(vpc: Vpc) -> NetworkBlackout:
    """Return the fault for both subnets."""
    return NetworkBlackout("us-east-1", *vpc, wait_s=0.5, poll_s=0.01)


def injected(aws: Aws, vpc: Vpc) -> tuple[NetworkBlackout, Mapping[str, Any]]:
    """Return the fault, injected, and what it captured."""
    fault = blackout(vpc)
    captured: Mapping[str, Any] = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    return fault, captured


def entries(aws: Aws, vpc: Vpc) -> dict[str, Any]:
    """Return the entries of each subnet's network ACL."""
    return {subnet: entries_of(aws, acl_of(aws, subnet)) for subnet in vpc[1]}


def test_injects_and_undoes(aws: Aws, ready: Vpc) -> None:
    """Both ways are denied before all else, and then the ACLs are as they were."""
    before = entries(aws, ready)
    fault, captured = injected(aws, ready)
    assert entries(aws, ready) == {subnet: [*DENIALS, *rest] for subnet, rest in before.items()}
    assert not fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert entries(aws, ready) == before
    assert fault.undone(aws, captured, INTENT.run_id)


def test_denies_ipv6_where_an_acl_lets_it_pass(aws: Aws, vpc: Vpc) -> None:
    """An ACL that speaks of IPv6 gets a denial of that too, under a number of its own."""
    put_entry(aws, acl_of(aws, vpc[1][0]), 101, CidrBlock=None, Ipv6CidrBlock="::/0")
    own = OwnNetworkAcl("us-east-1", *vpc, wait_s=0.5, poll_s=0.01)
    own.inject(aws, own.capture(aws), INTENT)
    before = entries(aws, vpc)
    fault, captured = injected(aws, vpc)
    both, one = (
        [entry for entry in entries(aws, vpc)[subnet] if entry not in before[subnet]] for subnet in vpc[1]
    )
    assert one == DENIALS
    assert [entry.get("Ipv6CidrBlock") for entry in both] == [None, None, "::/0", "::/0"]
    assert len(fault.dead_man(captured, INTENT.run_id).calls) == len(both) + len(one)
    fault.undo(aws, captured, INTENT.run_id)
    assert entries(aws, vpc) == before
    assert fault.undone(aws, captured, INTENT.run_id)


def test_the_dead_mans_calls_undo_it(aws: Aws, ready: Vpc) -> None:
    """What the schedules would call, in any order, leaves the ACLs as they were; it is known before."""
    before = entries(aws, ready)
    fault = blackout(ready)
    captured = json.loads(json.dumps(fault.capture(aws)))
    calls = fault.dead_man(captured, INTENT.run_id).calls
    fault.inject(aws, captured, INTENT)
    client = aws.client("ec2", "us-east-1")
    for call in reversed(calls):
        assert (call.service, call.region, call.action) == ("ec2", "us-east-1", "DeleteNetworkAclEntry")
        client.delete_network_acl_entry(**call.request)
    assert entries(aws, ready) == before
    assert fault.undone(aws, captured, INTENT.run_id)
    assert fault.undo(aws, captured, INTENT.run_id) == ()


def test_undoes_twice_and_without_injection(aws: Aws, ready: Vpc) -> None:
    """Entries that are not there are no error, and nothing else is touched."""
    before = entries(aws, ready)
    fault = blackout(ready)
    captured = fault.capture(aws)
    for _ in range(2):
        assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert entries(aws, ready) == before
    assert fault.undone(aws, captured, INTENT.run_id)


def test_injects_twice(aws: Aws, ready: Vpc) -> None:
    """A repeated injection finds its own entries and is content."""
    fault, captured = injected(aws, ready)
    during = entries(aws, ready)
    fault.inject(aws, captured, INTENT)
    assert entries(aws, ready) == during


# Four entries, and a look at them.
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(5))
def test_undo_is_right_wherever_the_injection_broke(
    aws: Aws, ready: Vpc, breaks_at: int, *, lost: bool
) -> None:
    """After any broken call, sent or not, the undo leaves what was there and nothing more."""
    before = entries(aws, ready)
    fault = blackout(ready)
    captured = fault.capture(aws)
    with pytest.raises(Cut):
        fault.inject(Unsteady(aws, breaks_at, lost=lost), captured, INTENT)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert fault.undone(aws, captured, INTENT.run_id)
    assert entries(aws, ready) == before


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("breaks_at", range(5))
def test_a_broken_undo_can_be_repeated(aws: Aws, ready: Vpc, breaks_at: int, *, lost: bool) -> None:
    """An undo that broke anywhere is finished by the next one."""
    before = entries(aws, ready)
    fault, captured = injected(aws, ready)
    with pytest.raises(Cut):
        fault.undo(Unsteady(aws, breaks_at, lost=lost), captured, INTENT.run_id)  # type: ignore[arg-type]
    fault.undo(aws, captured, INTENT.run_id)
    assert entries(aws, ready) == before


def test_old_answers_do_not_end_an_undo(aws: Aws, ready: Vpc) -> None:
    """Answers from before the injection hide nothing from the undo, nor from the check of it."""
    before = entries(aws, ready)
    fault = blackout(ready)
    captured = fault.capture(aws)
    stale: Any = Stale(aws, "describe_network_acls", olds=2)
    fault.inject(aws, captured, INTENT)
    assert not fault.undone(stale, captured, INTENT.run_id)
    stale.again()
    fault.undo(stale, captured, INTENT.run_id)
    assert entries(aws, ready) == before


def test_leaves_an_entry_that_somebody_else_put_in_its_place(aws: Aws, ready: Vpc) -> None:
    """An entry of the same number that says something else is a person's: left, and told of."""
    fault, captured = injected(aws, ready)
    acl = acl_of(aws, ready[1][0])
    aws.client("ec2", "us-east-1").replace_network_acl_entry(
        NetworkAclId=acl, RuleNumber=1, Egress=True, Protocol="-1", RuleAction="allow", CidrBlock="10.0.0.0/8"
    )
    (drift,) = fault.undo(aws, captured, INTENT.run_id)
    assert f"egress entry 1 of network ACL {acl} is not this drill's" in drift
    assert "aws ec2 describe-network-acls" in drift
    assert [one["CidrBlock"] for one in entries_of(aws, acl) if one["RuleNumber"] == 1] == ["10.0.0.0/8"]
    assert fault.undone(aws, captured, INTENT.run_id)


def test_an_acl_that_is_gone_needs_no_undo(aws: Aws, ready: Vpc) -> None:
    """Entries went with an ACL that somebody deleted; the other ACL is put right."""
    fault, captured = injected(aws, ready)
    first, second = (acl_of(aws, subnet) for subnet in ready[1])
    default = aws.client("ec2", "us-east-1").create_network_acl(VpcId=ready[0])["NetworkAcl"]["NetworkAclId"]
    give_acl(aws, ready[1][0], default)
    aws.client("ec2", "us-east-1").delete_network_acl(NetworkAclId=first)
    assert fault.undo(aws, captured, INTENT.run_id) == ()
    assert all(one["RuleNumber"] > 2 for one in entries_of(aws, second))
    assert fault.undone(aws, captured, INTENT.run_id)


def test_refuses_an_acl_that_is_not_a_drills_own(aws: Aws, vpc: Vpc) -> None:
    """Nothing of anybody else's is made to deny; what must come before is named."""
    with pytest.raises(DrillError, match=r"not made by a drill.*own-network-acl"):
        blackout(vpc).capture(aws)


def test_refuses_acls_of_another_run(aws: Aws, ready: Vpc) -> None:
    """A run breaks in its own ACLs only, and undoes in no others."""
    before = entries(aws, ready)
    fault = blackout(ready)
    captured = fault.capture(aws)
    with pytest.raises(DrillError, match="drill recover run-1"):
        fault.inject(aws, captured, Intent("run-2", "go-dark"))
    assert fault.dead_man(captured, "run-2").calls == ()
    fault.inject(aws, captured, INTENT)
    assert fault.undo(aws, captured, "run-2") == ()
    assert fault.undone(aws, captured, "run-2")
    assert entries(aws, ready) != before


def test_refuses_when_others_would_go_dark(aws: Aws, ready: Vpc) -> None:
    """An ACL that another subnet has too is refused, and the subnet is named."""
    third = aws.client("ec2", "us-east-1").create_subnet(VpcId=ready[0], CidrBlock="10.0.3.0/24")
    subnet_id = third["Subnet"]["SubnetId"]
    give_acl(aws, subnet_id, acl_of(aws, ready[1][0]))
    with pytest.raises(DrillError, match=f"{subnet_id}, which would go dark too"):
        blackout(ready).capture(aws)


def test_refuses_a_number_that_is_taken(aws: Aws, ready: Vpc) -> None:
    """An entry under its number can't be told from its own later."""
    put_entry(aws, acl_of(aws, ready[1][1]), 2)
    with pytest.raises(DrillError, match="has an entry with the number 2 already"):
        blackout(ready).capture(aws)


def test_says_when_somebody_was_faster(aws: Aws, ready: Vpc) -> None:
    """A number that somebody took since the capture is an error, and the undo leaves theirs."""
    fault = blackout(ready)
    captured = fault.capture(aws)
    acl = acl_of(aws, ready[1][0])
    put_entry(aws, acl, 1)
    with pytest.raises(DrillError, match=acl):
        fault.inject(aws, captured, INTENT)
    assert len(fault.undo(aws, captured, INTENT.run_id)) == 2
    assert fault.undone(aws, captured, INTENT.run_id)


def test_refuses_a_subnet_of_another_vpc(aws: Aws, vpc: Vpc) -> None:
    """A subnet that the VPC does not have is named."""
    with pytest.raises(DrillError, match="subnet-0123"):
        blackout((vpc[0], ("subnet-0123", vpc[1][0]))).capture(aws)


def test_declares_every_call(aws: Aws, ready: Vpc) -> None:
    """What the fault calls is what it says it calls, and what it changes is named."""
    fault, watched = blackout(ready), Unsteady(aws)
    clients: Any = watched
    captured = fault.capture(clients)
    fault.inject(clients, captured, INTENT)
    fault.undo(clients, captured, INTENT.run_id)
    fault.undone(clients, captured, INTENT.run_id)
    assert set(watched.made) == {f"{call.service}.{call.action}" for call in fault.calls}
    assert [one.id for one in fault.touches()] == list(ready[1])
    assert len(tagged(aws)) == 2


def test_the_schedules_role_may_make_the_dead_mans_calls() -> None:
    """What AWS is to do by itself is permitted to the role that it does it under, on drills' ACLs alone."""
    template = (ROOT / "infra" / "stacks" / "drills.yaml").read_text(encoding="utf-8")
    role = template[template.index("  SchedulerRole:") : template.index("  DrillRole:")]
    at = role.index("Action: ec2:DeleteNetworkAclEntry")
    assert ":network-acl/*" in role[at : role.index("Tags:", at)]
    assert 'StringLike: {"aws:ResourceTag/drill:run-id": "*"}' in role[at:]
