"""The life of a stack: made, shown, changed, rolled back, refused."""

import threading
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from infra.lab import world
from infra.lab.stacks.order import in_order
from tests.infra.lab.planelab import EAST, Lab, control_plane, make_network
from tests.infra.lab.quick_databases import quick_databases
from tests.infra.stacklab import DATABASE, VPC, change, events, given, make, settle

BROKEN = VPC.replace("${Second}.1.0/24", "9.1.0/24")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def reason(lab: Lab, name: str, status: str) -> str:
    """Return the reason that the events give for a resource's status."""
    (text,) = [text for resource, shown, text in events(lab) if (resource, shown) == (name, status)]
    return text


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
    assert "InvalidSubnet.Range" in reason(lab, "Subnet", "CREATE_FAILED")


def test_a_failed_update_is_rolled_back(lab: Lab) -> None:
    """A stack that can't be changed is what it was before, replaced resources too."""
    make(lab, VPC)
    stack = change(lab, BROKEN)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert cidrs(lab) == [("10.1.0.0/16",)]
    assert [subnet.cidr for subnet in lab.now.subnets] == ["10.1.1.0/24"]


def test_a_property_that_the_lab_does_not_know_is_a_failure(lab: Lab) -> None:
    """A template can't ask for something that would silently not happen."""
    stack = make(lab, VPC.replace("Tags:", "Ipv4IpamPoolId: pool\n      Tags:"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "does not know the property Ipv4IpamPoolId of AWS::EC2::VPC" in reason(lab, "Vpc", "CREATE_FAILED")
    assert lab.now.vpcs == ()


def test_a_property_that_is_missing_is_named(lab: Lab) -> None:
    """A template that leaves out what a resource needs says what that is."""
    without = "Resources: {Table: {Type: 'AWS::EC2::RouteTable'}}"
    assert make(lab, without)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "required key [VpcId] not found" in reason(lab, "Table", "CREATE_FAILED")


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
    assert "failed to delete: [Vpc]" in stack["StackStatusReason"]
    assert "DependencyViolation" in reason(lab, "Vpc", "DELETE_FAILED")
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


def test_a_stack_at_work_takes_no_other_order(lab: Lab) -> None:
    """Changing a stack while a database starts is refused, not half done."""
    cluster = begin_database(lab)
    with pytest.raises(ClientError, match="is in CREATE_IN_PROGRESS state and can not be updated"):
        lab.client("cloudformation").update_stack(
            StackName="d", TemplateBody=DATABASE, Parameters=given({"Subnet": "x"})
        )
    lab.plane.set_cluster_status(EAST, cluster, "available")
    assert settle(lab, "d")["StackStatus"] == "CREATE_COMPLETE"


def begin_database(lab: Lab) -> str:
    """Begin a stack with a database, which physics of ours never start; returns the cluster's id."""
    lab.plane.follow_databases()
    _, subnet = make_network(lab)
    lab.client("cloudformation").create_stack(
        StackName="d", TemplateBody=DATABASE, Parameters=given({"Subnet": subnet})
    )
    until = time.monotonic() + 30
    while not any(item.instances for item in lab.now.clusters) and time.monotonic() < until:
        time.sleep(0.01)
        for item in lab.now.clusters:
            lab.plane.report_database(world.DatabaseReport(EAST, item.id, item.resource, "laid"))
    return lab.now.clusters[0].id


def test_each_resource_has_a_status_of_its_own(lab: Lab) -> None:
    """While the database starts, what is made says so, with its id and since when."""
    cluster = begin_database(lab)
    formation = lab.client("cloudformation")
    shown = {
        item["LogicalResourceId"]: item
        for item in formation.describe_stack_resources(StackName="d")["StackResources"]
    }
    statuses = {name: item["ResourceStatus"] for name, item in shown.items()}
    assert statuses["Secret"] == statuses["Group"] == "CREATE_COMPLETE"
    assert "CREATE_IN_PROGRESS" in statuses.values()
    assert shown["Secret"]["PhysicalResourceId"].startswith("arn:aws:secretsmanager:")
    assert shown["Secret"]["Timestamp"].year > 2020
    lab.plane.set_cluster_status(EAST, cluster, "available")
    settle(lab, "d")
    listed = formation.list_stack_resources(StackName="d")["StackResourceSummaries"]
    assert {item["ResourceStatus"] for item in listed} == {"CREATE_COMPLETE"}
    detail = formation.describe_stack_resource(StackName="d", LogicalResourceId="Cluster")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == cluster
    found = formation.describe_stack_resources(PhysicalResourceId=cluster)["StackResources"]
    assert {item["StackName"] for item in found} == {"d"}
    with pytest.raises(ClientError, match="Resource Nothing does not exist"):
        formation.describe_stack_resource(StackName="d", LogicalResourceId="Nothing")


def test_a_stack_can_be_deleted_while_it_is_made(lab: Lab) -> None:
    """What is being made is cancelled, and all of it goes."""
    cluster = begin_database(lab)
    formation = lab.client("cloudformation")
    stack_id = formation.describe_stacks(StackName="d")["Stacks"][0]["StackId"]
    formation.delete_stack(StackName="d")
    lab.plane.set_cluster_status(EAST, cluster, "available")
    with quick_databases(lab.plane):
        assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert lab.now.clusters == ()


FOUR = """
Resources:
  A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub '${AWS::StackName}-a'}}
  B: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub '${AWS::StackName}-b'}}
  C: {Type: 'AWS::SQS::Queue', DependsOn: [A, B]}
  D: {Type: 'AWS::SQS::Queue', DependsOn: C}
"""


def test_what_does_not_need_one_another_is_made_side_by_side(lab: Lab) -> None:
    """Both of two begin before the first of them waits for anything; what needs them comes after."""
    begun: list[str] = []
    both = threading.Barrier(2, timeout=10)

    def act(name: str) -> None:
        begun.append(name)
        if name in {"A", "B"}:
            both.wait()

    assert in_order({"A": [], "B": [], "C": ["A", "B"], "D": ["C"]}, act) == {}
    assert (set(begun[:2]), begun[2:]) == ({"A", "B"}, ["C", "D"])
    make(lab, FOUR)
    made = [name for name, status, _ in events(lab) if status == "CREATE_COMPLETE"]
    assert made[2:] == ["C", "D", "s"]


def test_after_a_failure_nothing_more_begins() -> None:
    """Unless it is asked to go on, and then only what does not need what failed."""

    def act(name: str) -> None:
        if name == "A":
            raise ValueError(name)
        done.append(name)

    done: list[str] = []
    needs: dict[str, list[str]] = {"A": [], "B": ["A"], "C": [], "D": ["C"], "E": ["D"]}
    assert list(in_order(needs, act, go_on=True)) == ["A"]
    assert done == ["C", "D", "E"]
    done.clear()
    assert list(in_order({"A": [], "B": ["A"]}, act)) == ["A"]
    assert done == []
