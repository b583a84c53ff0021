"""What happens to resources that a stack no longer wants, and to a change that fails."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.stacks.resource import TYPES, Made, Request
from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.stacklab import VPC, change, events, live, make, settle

BROKEN = VPC.replace("${Second}.1.0/24", "9.1.0/24")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def with_policy(policy: str) -> str:
    """Return the template with a policy on its VPC, and no subnet."""
    begin, end = VPC.index("  Subnet:"), VPC.index("  Vpc:\n    Type")
    return (VPC[:begin] + VPC[end:]).replace(
        "    Type: AWS::EC2::VPC", f"    Type: AWS::EC2::VPC\n    {policy}"
    )


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_is_retained_stays(lab: Lab, policy: str) -> None:
    """A resource with such a DeletionPolicy outlives its stack, which says that it skipped it."""
    stack_id = make(lab, with_policy(f"DeletionPolicy: {policy}"))["StackId"]
    lab.client("cloudformation").delete_stack(StackName="s")
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert [vpc.cidrs for vpc in lab.now.vpcs] == [("10.1.0.0/16",)]
    assert ("Vpc", "DELETE_SKIPPED", "") in events(lab, stack_id)


@pytest.mark.parametrize(("policy", "left"), [("Retain", 1), ("RetainExceptOnCreate", 0)])
def test_what_a_failed_stack_retains(lab: Lab, policy: str, left: int) -> None:
    """RetainExceptOnCreate lets go what the failed creation made; Retain keeps even that."""
    broken = BROKEN.replace(
        "    Type: AWS::EC2::VPC", f"    Type: AWS::EC2::VPC\n    DeletionPolicy: {policy}"
    )
    assert make(lab, broken)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert len(lab.now.vpcs) == left


@pytest.mark.parametrize(("policy", "left"), [("Retain", 2), ("Delete", 1)])
def test_what_is_replaced(lab: Lab, policy: str, left: int) -> None:
    """UpdateReplacePolicy decides whether a replaced resource stays, and not DeletionPolicy."""
    template = with_policy(f"UpdateReplacePolicy: {policy}")
    make(lab, template)
    assert change(lab, template, Second="2")["StackStatus"] == "UPDATE_COMPLETE"
    assert len(lab.now.vpcs) == left
    statuses = [status for name, status, _ in events(lab) if name == "s"]
    assert statuses[-2:] == ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    (vpc,) = lab.client("cloudformation").describe_stack_resources(StackName="s", LogicalResourceId="Vpc")[
        "StackResources"
    ]
    assert (vpc["ResourceStatus"], vpc["PhysicalResourceId"]) == ("UPDATE_COMPLETE", lab.now.vpcs[-1].id)


def test_a_failed_update_has_its_old_resources_again(lab: Lab) -> None:
    """What an update replaced before it failed is the stack's again, and what it made goes."""
    make(lab, VPC)
    (before,) = lab.now.vpcs
    broken = VPC.replace("10.${Second}.1.0/24", "10.9.1.0/24")
    assert change(lab, broken, Second="2")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert [vpc.id for vpc in lab.now.vpcs] == [before.id]
    assert lab.client("ec2").describe_internet_gateways()["InternetGateways"] == []


def test_a_change_that_failed_half_way_is_undone(lab: Lab) -> None:
    """What a resource took of a change before the change failed is taken back."""
    template = """
Parameters: {Cidr: {Type: String}, Port: {Type: Number}}
Resources:
  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.1.0.0/16}}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: g
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: 10.0.0.0/8}]
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: !Ref Cidr}]
"""
    make(lab, template, Cidr="10.0.0.0/8", Port="1")
    stack = change(lab, template, Cidr="nonsense", Port="2")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    group = live()["Group"].made.physical_resource_id
    (shown,) = lab.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [rule["FromPort"] for rule in shown["IpPermissions"]] == [1]


def test_a_protected_stack_stays(lab: Lab) -> None:
    """Termination protection refuses deletion until it is taken away."""
    formation = lab.client("cloudformation")
    formation.create_stack(StackName="s", TemplateBody=VPC, EnableTerminationProtection=True)
    assert settle(lab, "s")["EnableTerminationProtection"] is True
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        formation.delete_stack(StackName="s")
    formation.update_termination_protection(StackName="s", EnableTerminationProtection=False)
    stack_id = settle(lab, "s")["StackId"]
    formation.delete_stack(StackName="s")
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    "more", [{"RetainResources": ["Vpc"]}, {"DeletionMode": "FORCE_DELETE_STACK"}], ids=["retain", "force"]
)
def test_a_stack_that_can_not_go_may_leave_something(lab: Lab, more: dict[str, Any]) -> None:
    """Once deleting has failed, and not before, a stack can be told what to leave behind."""
    stack_id = make(lab, VPC)["StackId"]
    (vpc,) = lab.now.vpcs
    lab.client("ec2").create_security_group(GroupName="g", Description="g", VpcId=vpc.id)
    formation = lab.client("cloudformation")
    with pytest.raises(ClientError, match="only when the stack is in the DELETE_FAILED state"):
        formation.delete_stack(StackName="s", **more)
    formation.delete_stack(StackName="s")
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_FAILED"
    formation.delete_stack(StackName="s", **more)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert len(lab.now.vpcs) == 1


def test_a_rollback_that_failed_can_go_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that could not get back gets there once what stood in the way is gone."""
    queue = TYPES["AWS::EC2::VPC"]

    def refuse(request: Request, made: Made) -> Made | None:
        if request.tag_map() != {"a": "c"}:
            msg = "not now"
            raise ValueError(msg)
        return queue.update(request, made)

    monkeypatch.setitem(TYPES, "AWS::EC2::VPC", replace(queue, update=refuse))
    make(lab, VPC)
    broken = VPC.replace("Value: b", "Value: c").replace("10.${Second}.1.0/24", "10.9.1.0/24")
    assert change(lab, broken)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    monkeypatch.setitem(TYPES, "AWS::EC2::VPC", queue)
    lab.client("cloudformation").continue_update_rollback(StackName="s")
    assert settle(lab, "s")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (vpc,) = lab.client("ec2").describe_vpcs(VpcIds=[lab.now.vpcs[0].id])["Vpcs"]
    assert vpc["Tags"] == [{"Key": "a", "Value": "b"}]
