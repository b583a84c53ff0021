"""EC2 as AWS has it: filters, zones, security group rules, endpoints, and what goes with what."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import NatGateway, SecurityRule
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_network


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def refused(code: str) -> Any:
    """Expect an error with this code."""
    return pytest.raises(ClientError, match=code)


def subnets_of(lab: Lab, count: int) -> tuple[str, list[str]]:
    """Make a VPC with some subnets."""
    vpc, first = make_network(lab)
    ec2 = lab.client("ec2")
    others = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(1, count)
    ]
    return vpc, [first, *others]


def test_several_values_of_a_filter_mean_any_of_them(lab: Lab) -> None:
    """An ACL, and a route table, is found by one of several subnets, though it has others too."""
    _, (one, two, three) = subnets_of(lab, 3)
    ec2 = lab.client("ec2")
    for values in ([one], [one, two], [one, "subnet-0"], [one, two, three]):
        wanted = [{"Name": "association.subnet-id", "Values": values}]
        assert len(ec2.describe_network_acls(Filters=wanted)["NetworkAcls"]) == 1
    wanted = [{"Name": "association.subnet-id", "Values": ["subnet-0", "subnet-1"]}]
    assert ec2.describe_network_acls(Filters=wanted)["NetworkAcls"] == []


def test_other_filters_still_work(lab: Lab) -> None:
    """Wildcards, truth values, and several filters at once, which all must hold."""
    vpc, (first, _) = subnets_of(lab, 2)
    ec2 = lab.client("ec2")
    ec2.create_tags(Resources=[first], Tags=[{"Key": "Name", "Value": "edge [a]"}])

    def found(**filters: str) -> list[str]:
        wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return [item["SubnetId"] for item in ec2.describe_subnets(Filters=wanted)["Subnets"]]

    assert len(found(vpc_id=vpc)) == 2
    assert found(vpc_id=vpc, **{"tag:Name": "edge [a]"}) == [first]
    assert found(vpc_id=vpc, **{"tag:Name": "edge*"}) == [first]
    assert found(vpc_id=vpc, **{"tag:Name": "EDGE*"}) == []
    assert found(vpc_id=vpc, default_for_az="true") == []


def test_a_subnet_is_in_a_zone_of_its_region(lab: Lab) -> None:
    """A zone of another region is refused; three zones are there in both."""
    for region in (EAST, WEST):
        zones = lab.client("ec2", region).describe_availability_zones()["AvailabilityZones"]
        assert len(zones) >= 3
    vpc, _ = make_network(lab)
    ec2 = lab.client("ec2")
    with refused("us-west-2a.*availabilityZone is invalid"):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.9.0/24", AvailabilityZone="us-west-2a")
    zone = ec2.describe_availability_zones()["AvailabilityZones"][1]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.9.0/24", AvailabilityZoneId=zone["ZoneId"])
    assert made["Subnet"]["AvailabilityZone"] == zone["ZoneName"]


def test_a_subnet_has_one_route_table(lab: Lab) -> None:
    """Associating another table is refused, not overlooked; replacing the association moves it."""
    vpc, (subnet,) = subnets_of(lab, 1)
    ec2 = lab.client("ec2")
    one, two = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    tie = ec2.associate_route_table(RouteTableId=one, SubnetId=subnet)["AssociationId"]
    assert ec2.associate_route_table(RouteTableId=one, SubnetId=subnet)["AssociationId"] == tie
    with refused("Resource.AlreadyAssociated"):
        ec2.associate_route_table(RouteTableId=two, SubnetId=subnet)
    ec2.replace_route_table_association(AssociationId=tie, RouteTableId=two)
    wanted = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (table,) = ec2.describe_route_tables(Filters=wanted)["RouteTables"]
    assert table["RouteTableId"] == two


def nat(lab: Lab, vpc: str, subnet: str) -> tuple[str, str, str]:
    """Make a NAT gateway with all that it needs; returns gateway, allocation and internet gateway."""
    ec2 = lab.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    return made["NatGatewayId"], address, gateway


def test_a_route_to_what_is_gone_is_a_black_hole(lab: Lab) -> None:
    """A route to a NAT gateway that was deleted, or to a gateway that was detached, says so."""
    vpc, (subnet,) = subnets_of(lab, 1)
    ec2 = lab.client("ec2")
    gateway, _, internet = nat(lab, vpc, subnet)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="8.8.8.0/24", GatewayId=internet)

    def states() -> dict[str, str]:
        (shown,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return {route["DestinationCidrBlock"]: route["State"] for route in shown["Routes"]}

    assert set(states().values()) == {"active"}
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    assert states() == {"10.1.0.0/16": "active", "0.0.0.0/0": "blackhole", "8.8.8.0/24": "blackhole"}
    with refused("InvalidNatGatewayID.NotFound"):
        ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId="nat-0")


def test_what_holds_what(lab: Lab) -> None:
    """A gateway, a subnet, a security group and a VPC stay while something needs them."""
    vpc, (subnet,) = subnets_of(lab, 1)
    ec2 = lab.client("ec2")
    gateway, address, internet = nat(lab, vpc, subnet)
    with refused("mapped public address"):
        ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    with refused("DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    (freed,) = ec2.describe_addresses(AllocationIds=[address])["Addresses"]
    assert "AssociationId" not in freed
    ec2.release_address(AllocationId=address)
    group, other = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in "ab"
    )
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=group)
    ec2.delete_security_group(GroupId=other)
    holding: list[Callable[[], object]] = [
        lambda: ec2.delete_subnet(SubnetId=subnet),
        lambda: ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=vpc),
        lambda: ec2.delete_security_group(GroupId=group),
    ]
    for let_go in holding:
        with refused("DependencyViolation"):
            ec2.delete_vpc(VpcId=vpc)
        let_go()
    ec2.delete_vpc(VpcId=vpc)
    wanted = [{"Name": "vpc-id", "Values": [vpc]}]
    assert ec2.describe_network_acls(Filters=wanted)["NetworkAcls"] == []


def test_rules_are_told_apart_by_what_they_allow(lab: Lab) -> None:
    """The same rule with another description is a duplicate, and can be revoked without naming it."""
    vpc, _ = make_network(lab)
    ec2 = lab.client("ec2")
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    prefixes = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    for kind, peer in (
        ("UserIdGroupPairs", {"GroupId": group}),
        ("PrefixListIds", {"PrefixListId": prefixes}),
        ("IpRanges", {"CidrIp": "10.0.0.0/8"}),
    ):
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, kind: [{**peer, "Description": "first"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        with refused("InvalidPermission.Duplicate"):
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**rule, kind: [peer]}])
        again = {**rule, kind: [{**peer, "Description": "second"}]}
        ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[again])
        (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        assert [item["Description"] for item in shown["IpPermissions"][0][kind]] == ["second"]
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[{**rule, kind: [peer]}])
        (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        assert shown["IpPermissions"] == []


def test_a_gateway_endpoint_has_routes_where_it_is_wanted(lab: Lab) -> None:
    """Its routes come and go with its route tables, and with itself."""
    vpc, _ = make_network(lab)
    ec2 = lab.client("ec2")
    one, two = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{EAST}.dynamodb", RouteTableIds=[one]
    )["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert (made["VpcEndpointType"], made["PrivateDnsEnabled"]) == ("Gateway", False)

    def through() -> list[str]:
        tables = ec2.describe_route_tables(RouteTableIds=[one, two])["RouteTables"]
        return [
            table["RouteTableId"]
            for table in tables
            if any(route.get("GatewayId") == endpoint for route in table["Routes"])
        ]

    assert through() == [one]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[two], RemoveRouteTableIds=[one])
    assert through() == [two]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert through() == []


def test_an_interface_endpoint_has_an_interface_in_each_subnet(lab: Lab) -> None:
    """Its interfaces come and go with its subnets; policy and private names can be changed."""
    vpc, (one, two) = subnets_of(lab, 2)
    ec2 = lab.client("ec2")
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{EAST}.monitoring",
        SubnetIds=[one],
        SecurityGroupIds=[group],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=group)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddSubnetIds=[two], RemoveSubnetIds=[one], PrivateDnsEnabled=True
    )
    (shown,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    (interface,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (shown["SubnetIds"], shown["PrivateDnsEnabled"]) == ([two], True)
    assert (shown["NetworkInterfaceIds"], interface["SubnetId"]) == ([interface["NetworkInterfaceId"]], two)
    policy = '{"Statement": []}'
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy)
    (shown,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert shown["PolicyDocument"] == policy
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    (shown,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert shown["PolicyDocument"] != policy
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_the_physics_see_what_guards_the_network(lab: Lab) -> None:
    """Security groups, endpoints and NAT gateways are in the snapshot as they were asked for."""
    vpc, (subnet,) = subnets_of(lab, 1)
    ec2 = lab.client("ec2")
    gateway, _, _ = nat(lab, vpc, subnet)
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    service = f"com.amazonaws.{EAST}.kms"
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName=service,
        SubnetIds=[subnet],
        SecurityGroupIds=[group],
        PrivateDnsEnabled=True,
    )
    now = lab.now
    (seen,) = [item for item in now.security_groups if item.id == group]
    assert seen.rules == (
        SecurityRule(egress=False, protocol="tcp", from_port=1, to_port=2, group=group),
        SecurityRule(egress=True, protocol="-1", cidr="0.0.0.0/0"),
    )
    (endpoint,) = now.endpoints
    assert (endpoint.service, endpoint.gateway, endpoint.private_dns) == ("kms", False, True)
    assert (endpoint.subnet_ids, endpoint.security_group_ids) == ((subnet,), (group,))
    assert now.nat_gateways == (NatGateway(gateway, subnet),)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert lab.now.nat_gateways == ()
