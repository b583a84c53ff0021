"""The network's resource types: made, changed in place, read back, and gone without a trace."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.lab import fingerprint
from tests.infra.described.net import READERS
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane
from tests.infra.netstack import NETWORK
from tests.infra.stacklab import change, live, make, settle, undescribed


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def prefixes(lab: Lab, service: str = "s3") -> str:
    """Return the id of AWS's own list of a service's addresses."""
    named = [{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{EAST}.{service}"]}]
    (found,) = lab.client("ec2").describe_managed_prefix_lists(Filters=named)["PrefixLists"]
    return str(found["PrefixListId"])


def test_every_property_is_described(lab: Lab) -> None:
    """What a template says of a network is what EC2's own Describe calls show."""
    stack = make(lab, NETWORK, S3Prefixes=prefixes(lab))
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert undescribed(lab, READERS) == []
    assert {one.kind.name for one in live().values()} >= set(READERS) - {"AWS::EC2::VPCPeeringConnection"}


def test_changes_are_made_in_place(lab: Lab) -> None:
    """Rules, tags, routes and endpoints change without another resource, as the reference says."""
    make(lab, NETWORK, S3Prefixes=prefixes(lab))
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    again = {"S3Prefixes": prefixes(lab, "dynamodb"), "Note": "second", "Last": "8080", "Second": "yes"}
    assert change(lab, NETWORK, **again)["StackStatus"] == "UPDATE_COMPLETE"
    assert undescribed(lab, READERS) == []
    after = {name: one.made.physical_resource_id for name, one in live().items()}
    assert {name for name in after if after[name] != before[name]} == {"AppTied"}


def test_a_tag_that_is_no_longer_wanted_goes(lab: Lab) -> None:
    """A tag that left the template leaves the resource."""
    make(lab, NETWORK, S3Prefixes=prefixes(lab))
    change(
        lab, NETWORK.replace("      Tags: [{Key: Name, Value: !Ref Note}]\n", ""), S3Prefixes=prefixes(lab)
    )
    vpc_id = live()["Vpc"].made.physical_resource_id
    (vpc,) = lab.client("ec2").describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    assert [tag for tag in vpc.get("Tags", ()) if tag["Key"] == "Name"] == []


def test_a_deleted_network_leaves_nothing(lab: Lab) -> None:
    """Addresses, interfaces, ACLs and associations go with what they belong to."""
    before = traces(lab)
    stack = make(lab, NETWORK, S3Prefixes=prefixes(lab))
    assert traces(lab) != before
    lab.client("cloudformation").delete_stack(StackName="s")
    assert settle(lab, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert traces(lab) == before


def traces(lab: Lab) -> tuple[Any, ...]:
    """Return everything of EC2 in the east."""
    ec2 = lab.client("ec2")
    return (
        fingerprint.configuration(lab.client, (EAST,)),
        ec2.describe_network_interfaces()["NetworkInterfaces"],
        ec2.describe_addresses()["Addresses"],
        ec2.describe_vpc_endpoints()["VpcEndpoints"],
    )


def test_zones_are_those_of_the_stacks_region(lab: Lab) -> None:
    """Fn::GetAZs names the zones where the stack is, of which there are at least three."""
    template = """
Resources: {Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.1.0.0/16}},
  Subnet: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24,
    AvailabilityZone: !Select [2, !GetAZs '']}}}
Outputs: {Zone: {Value: !GetAtt Subnet.AvailabilityZone}}
"""
    for region in (EAST, WEST):
        formation = lab.client("cloudformation", region)
        formation.create_stack(StackName="z", TemplateBody=template)
        settle_in = formation.get_waiter("stack_create_complete")
        settle_in.config.delay = 0.05
        settle_in.wait(StackName="z")
        (output,) = formation.describe_stacks(StackName="z")["Stacks"][0]["Outputs"]
        assert output["OutputValue"] == f"{region}c"
