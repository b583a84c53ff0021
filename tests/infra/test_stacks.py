"""The life of a stack: made, shown, changed, rolled back, refused."""

import re
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import EAST, Lab, control_plane, make_network
from tests.infra.stacklab import DATABASE, VPC, change, given, make, settle

BROKEN = VPC.replace("${Second}.1.0/24", "9.1.0/24")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def events(lab: Lab, name: str = "s") -> list[tuple[str, str, str]]:
    """Return a stack's events, the first one first."""
    found = lab.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        (item["LogicalResourceId"], item["ResourceStatus"], item.get("ResourceStatusReason", ""))
        for item in reversed(found)
    ]


def cidrs(lab: Lab) -> list[tuple[str, ...]]:
    """Return the CIDRs of all VPCs."""
    return [vpc.cidrs for vpc in lab.now.vpcs]


def test_a_stack_is_made_in_its_own_time(lab: Lab) -> None:
    """CreateStack returns before the resources are there; outputs come when they are."""
    stack_id = lab.client("cloudformation").create_stack(StackName="s", TemplateBody=VPC)["StackId"]
    stack = settle(lab, "s")
    assert (stack["StackId"], stack["StackStatus"]) == (stack_id, "CREATE_COMPLETE")
    (vpc,) = lab.now.vpcs
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    assert outputs == {"Vpc": vpc.id, "Cidr": "10.1.0.0/16"}
    assert [subnet.vpc_id for subnet in lab.now.subnets] == [vpc.id]


def test_resources_are_made_in_the_order_of_their_needs(lab: Lab) -> None:
    """A VPC comes before its subnet wherever it stands in the template; a false condition makes nothing."""
    make(lab, VPC)
    made = [name for name, status, _ in events(lab) if status == "CREATE_COMPLETE"]
    assert made == ["Vpc", "Subnet", "s"]
    shown = lab.client("cloudformation").describe_stack_resources(StackName="s")["StackResources"]
    assert {item["LogicalResourceId"]: item["ResourceType"] for item in shown} == {
        "Vpc": "AWS::EC2::VPC",
        "Subnet": "AWS::EC2::Subnet",
    }


def test_a_conditional_resource_is_made_when_it_holds(lab: Lab) -> None:
    """The same template with another parameter makes the gateway too."""
    make(lab, VPC, Second="2")
    assert len(lab.client("ec2").describe_internet_gateways()["InternetGateways"]) == 1


def test_tags_of_the_stack_and_of_the_resource(lab: Lab) -> None:
    """A resource carries its own tags and the stack's."""
    lab.client("cloudformation").create_stack(
        StackName="s", TemplateBody=VPC, Tags=[{"Key": "project", "Value": "p"}]
    )
    settle(lab, "s")
    (vpc,) = lab.now.vpcs
    tags = lab.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc.id]}])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "b", "project": "p"}


def test_a_failed_stack_is_rolled_back(lab: Lab) -> None:
    """What was made is deleted, and the events say which resource failed and why."""
    stack = make(lab, BROKEN)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Subnet" in stack["StackStatusReason"]
    assert lab.now.vpcs == ()
    statuses = [(name, status) for name, status, _ in events(lab)]
    assert statuses.index(("Subnet", "CREATE_FAILED")) < statuses.index(("Vpc", "DELETE_COMPLETE"))
    (reason,) = [text for name, status, text in events(lab) if (name, status) == ("Subnet", "CREATE_FAILED")]
    assert "InvalidSubnet.Range" in reason


def test_a_failed_update_is_rolled_back(lab: Lab) -> None:
    """A stack that can't be changed is what it was before, replaced resources too."""
    make(lab, VPC)
    stack = change(lab, BROKEN)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert cidrs(lab) == [("10.1.0.0/16",)]
    assert [subnet.cidr for subnet in lab.now.subnets] == ["10.1.1.0/24"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Resources: {X: {Type: 'AWS::Made::Up'}}", "Unrecognized resource types: [AWS::Made::Up]"),
        (VPC.replace("!Ref Vpc, C", "!Ref Nothing, C"), "Unresolved resource dependencies [Nothing]"),
        ("Resources: [", "Template format error"),
        (
            VPC.replace("Type: AWS::EC2::VPC", "Type: AWS::EC2::VPC\n    DependsOn: Subnet"),
            "Circular dependency between resources: [Subnet, Vpc]",
        ),
    ],
)
def test_a_template_that_can_not_work_is_refused(lab: Lab, template: str, text: str) -> None:
    """AWS's own words come back at once, and there is no stack."""
    with pytest.raises(ClientError, match=re.escape(text)) as refused:
        lab.client("cloudformation").create_stack(StackName="s", TemplateBody=template)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert lab.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_property_that_the_lab_does_not_know_is_a_failure(lab: Lab) -> None:
    """A template can't ask for something that would silently not happen."""
    stack = make(lab, VPC.replace("Tags:", "Ipv4IpamPoolId: pool\n      Tags:"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "does not know the property InstanceTenancy of AWS::EC2::VPC" in stack["StackStatusReason"]
    assert lab.now.vpcs == ()


def test_a_changed_stack_changes_what_differs(lab: Lab) -> None:
    """Tags change in place, a CIDR makes another VPC and, since it refers to it, another subnet."""
    make(lab, VPC)
    (before,) = lab.now.vpcs
    assert change(lab, VPC.replace("Value: b", "Value: c"))["StackStatus"] == "UPDATE_COMPLETE"
    assert [vpc.id for vpc in lab.now.vpcs] == [before.id]
    change(lab, VPC, Second="2")
    (after,) = lab.now.vpcs
    assert (after.cidrs, [subnet.vpc_id for subnet in lab.now.subnets]) == (("10.2.0.0/16",), [after.id])
    assert after.id != before.id


def test_what_a_template_no_longer_names_is_deleted(lab: Lab) -> None:
    """Leaving a resource out of a template takes it away."""
    make(lab, VPC)
    begin, end = VPC.index("  Subnet:"), VPC.index("  Vpc:\n    Type")
    change(lab, VPC[:begin] + VPC[end:])
    assert (len(lab.now.vpcs), lab.now.subnets) == (1, ())


def test_a_stack_without_a_difference_is_left_alone(lab: Lab) -> None:
    """The same template again is refused, as AWS refuses it."""
    make(lab, VPC, Second="1")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        change(lab, VPC, Second="1")


def test_a_deleted_stack_leaves_nothing(lab: Lab) -> None:
    """Its resources go in reverse order, and only its id still finds it."""
    stack_id = make(lab, VPC)["StackId"]
    lab.client("cloudformation").delete_stack(StackName="s")
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert (lab.now.vpcs, lab.now.subnets) == ((), ())
    with pytest.raises(ClientError, match="does not exist"):
        lab.client("cloudformation").describe_stacks(StackName="s")


def test_deleting_a_stack_that_is_not_there_is_no_error(lab: Lab) -> None:
    """As on AWS."""
    lab.client("cloudformation").delete_stack(StackName="none")


def test_a_stack_that_can_not_go_says_why(lab: Lab) -> None:
    """A VPC that somebody else uses stays, with its stack; once it is free, both go."""
    make(lab, VPC)
    ec2, (vpc,) = lab.client("ec2"), lab.now.vpcs
    foreign = ec2.create_subnet(VpcId=vpc.id, CidrBlock="10.1.9.0/24")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=foreign)
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc.id)["GroupId"]
    lab.client("cloudformation").delete_stack(StackName="s")
    stack = settle(lab, "s")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "Vpc (AWS::EC2::VPC): DependencyViolation" in stack["StackStatusReason"]
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=foreign)
    ec2.delete_security_group(GroupId=group)
    lab.client("cloudformation").delete_stack(StackName=stack["StackId"])
    assert settle(lab, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_a_resource_that_is_gone_already_is_no_hindrance(lab: Lab) -> None:
    """Somebody may have deleted a resource behind the stack's back."""
    stack_id = make(lab, VPC)["StackId"]
    (subnet,) = lab.now.subnets
    lab.client("ec2").delete_subnet(SubnetId=subnet.id)
    lab.client("cloudformation").delete_stack(StackName="s")
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_a_change_set_is_executed(lab: Lab) -> None:
    """A stack comes to be, and changes, through change sets; one without a difference says so."""
    cloudformation = lab.client("cloudformation")
    for kind, second, status in (("CREATE", "1", "CREATE_COMPLETE"), ("UPDATE", "2", "UPDATE_COMPLETE")):
        made = cloudformation.create_change_set(
            StackName="s",
            ChangeSetName=f"c{second}",
            ChangeSetType=kind,
            TemplateBody=VPC,
            Parameters=given({"Second": second}),
        )
        assert cidrs(lab) == ([] if kind == "CREATE" else [("10.1.0.0/16",)])
        cloudformation.execute_change_set(ChangeSetName=made["Id"], StackName="s")
        assert settle(lab, "s")["StackStatus"] == status
        assert cidrs(lab) == [(f"10.{second}.0.0/16",)]


def test_a_stack_at_work_takes_no_other_order(lab: Lab) -> None:
    """Deleting a stack while a database starts is refused, not half done."""
    lab.connect()
    _, subnet = make_network(lab)
    lab.client("cloudformation").create_stack(
        StackName="d", TemplateBody=DATABASE, Parameters=given({"Subnet": subnet})
    )
    until = time.monotonic() + 30
    while not any(item.instances for item in lab.now.clusters) and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(ClientError, match="CREATE_IN_PROGRESS"):
        lab.client("cloudformation").delete_stack(StackName="d")
    (cluster,) = lab.now.clusters
    lab.plane.set_cluster_status(EAST, cluster.id, "available")
    assert settle(lab, "d")["StackStatus"] == "CREATE_COMPLETE"
