"""EC2 as a blackout uses it: ACL swaps, association ids, and routes over a peering that is gone."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.world import AclEntry
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_network

TAGS = [{"ResourceType": "network-acl", "Tags": [{"Key": "drill:run-id", "Value": "r1"}]}]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def acl_of(lab: Lab, subnet: str) -> dict[str, Any]:
    """Return the ACL that is associated with a subnet now."""
    found = lab.client("ec2").describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["NetworkAcls"]
    assert len(found) == 1
    acl: dict[str, Any] = found[0]
    return acl


def association_of(lab: Lab, subnet: str) -> str:
    """Return the id of a subnet's ACL association."""
    (found,) = [item for item in acl_of(lab, subnet)["Associations"] if item["SubnetId"] == subnet]
    return str(found["NetworkAclAssociationId"])


def entries(lab: Lab, subnet: str) -> tuple[AclEntry, ...]:
    """Return the rules that the physics see for a subnet."""
    (found,) = [item for item in lab.now.subnets if item.id == subnet]
    return found.acl


def test_a_subnet_begins_with_the_default_acl(lab: Lab) -> None:
    """Everything passes until somebody says otherwise."""
    _, subnet = make_network(lab)
    assert acl_of(lab, subnet)["IsDefault"]
    allowing = [entry for entry in entries(lab, subnet) if entry.allow]
    assert {entry.egress for entry in allowing} == {True, False}
    assert {(entry.number, entry.cidr, entry.protocol) for entry in allowing} == {(100, "0.0.0.0/0", "-1")}


def test_a_new_acl_denies_everything(lab: Lab) -> None:
    """An ACL without entries of its own has the two that deny the rest, as on AWS."""
    vpc, _ = make_network(lab)
    acl = lab.client("ec2").create_network_acl(VpcId=vpc, TagSpecifications=TAGS)["NetworkAcl"]
    shown = {(entry["RuleNumber"], entry["Egress"], entry["RuleAction"]) for entry in acl["Entries"]}
    assert shown == {(32767, True, "deny"), (32767, False, "deny")}


def test_an_acl_is_found_by_its_tag(lab: Lab) -> None:
    """An undo finds what a drill made, though the answer was lost."""
    vpc, _ = make_network(lab)
    ec2 = lab.client("ec2")
    acl = ec2.create_network_acl(VpcId=vpc, TagSpecifications=TAGS)["NetworkAcl"]["NetworkAclId"]
    found = ec2.describe_network_acls(Filters=[{"Name": "tag:drill:run-id", "Values": ["r1"]}])["NetworkAcls"]
    assert [item["NetworkAclId"] for item in found] == [acl]


def test_a_swap_there_and_back(lab: Lab) -> None:
    """A subnet is closed and opened by swapping its ACL; each swap gives another association id."""
    vpc, subnet = make_network(lab)
    ec2 = lab.client("ec2")
    before = acl_of(lab, subnet)["NetworkAclId"]
    ids = [association_of(lab, subnet)]
    closed = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for wanted in (closed, before):
        given = ec2.replace_network_acl_association(AssociationId=ids[-1], NetworkAclId=wanted)
        ids.append(given["NewAssociationId"])
        assert association_of(lab, subnet) == ids[-1]
        assert acl_of(lab, subnet)["NetworkAclId"] == wanted
        assert any(entry.allow for entry in entries(lab, subnet)) == (wanted == before)
    assert len(set(ids)) == len(ids)
    ec2.delete_network_acl(NetworkAclId=closed)
    with pytest.raises(ClientError, match=r"InvalidNetworkAclID.NotFound"):
        ec2.describe_network_acls(NetworkAclIds=[closed])


def test_an_old_association_id_is_refused(lab: Lab) -> None:
    """A swap with an id from before another swap changes nothing."""
    vpc, subnet = make_network(lab)
    ec2, stale = lab.client("ec2"), association_of(lab, subnet)
    closed = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.replace_network_acl_association(AssociationId=stale, NetworkAclId=closed)
    with pytest.raises(ClientError, match=r"InvalidAssociationID.NotFound"):
        ec2.replace_network_acl_association(AssociationId=stale, NetworkAclId=closed)
    assert acl_of(lab, subnet)["NetworkAclId"] == closed


def test_a_swap_to_an_acl_that_is_not_there_changes_nothing(lab: Lab) -> None:
    """A subnet never loses its ACL over a refused call."""
    _, subnet = make_network(lab)
    before = acl_of(lab, subnet)
    with pytest.raises(ClientError, match=r"InvalidNetworkAclID.NotFound"):
        lab.client("ec2").replace_network_acl_association(
            AssociationId=association_of(lab, subnet), NetworkAclId="acl-00000000"
        )
    assert acl_of(lab, subnet) == before


def test_an_acl_in_use_is_not_deleted(lab: Lab) -> None:
    """Deleting an ACL that a subnet has is refused."""
    vpc, subnet = make_network(lab)
    ec2 = lab.client("ec2")
    closed = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.replace_network_acl_association(AssociationId=association_of(lab, subnet), NetworkAclId=closed)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_network_acl(NetworkAclId=closed)


def test_rules_are_shown_with_their_ports(lab: Lab) -> None:
    """The physics see protocol, ports and direction of a rule."""
    vpc, subnet = make_network(lab)
    ec2 = lab.client("ec2")
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=90,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock="10.2.0.0/16",
        PortRange={"From": 5432, "To": 5433},
    )
    ec2.replace_network_acl_association(AssociationId=association_of(lab, subnet), NetworkAclId=acl)
    assert AclEntry(90, False, True, "10.2.0.0/16", "6", 5432, 5433) in entries(lab, subnet)


def test_routes_over_a_deleted_peering_are_black_holes(lab: Lab) -> None:
    """A peering's routes are active while it is, and black holes in both regions once it is gone."""
    vpcs = {
        EAST: make_network(lab, EAST, "10.1.0.0/16")[0],
        WEST: make_network(lab, WEST, "10.2.0.0/16")[0],
    }
    east, west = lab.client("ec2", EAST), lab.client("ec2", WEST)
    peering = east.create_vpc_peering_connection(VpcId=vpcs[EAST], PeerVpcId=vpcs[WEST], PeerRegion=WEST)
    peering_id = peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    west.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    for client, region, destination in ((east, EAST, "10.2.0.0/16"), (west, WEST, "10.1.0.0/16")):
        table = client.create_route_table(VpcId=vpcs[region])["RouteTable"]["RouteTableId"]
        client.create_route(
            RouteTableId=table, DestinationCidrBlock=destination, VpcPeeringConnectionId=peering_id
        )
    assert states(lab, peering_id) == {EAST: "active", WEST: "active"}
    assert [item.status for item in lab.now.peerings] == ["active"]
    east.delete_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    assert states(lab, peering_id) == {EAST: "blackhole", WEST: "blackhole"}
    assert [item.status for item in lab.now.peerings] == ["deleted"]
    described = east.describe_route_tables()["RouteTables"]
    shown = [
        route["State"]
        for table in described
        for route in table["Routes"]
        if route.get("VpcPeeringConnectionId") == peering_id
    ]
    assert shown == ["blackhole"]


def test_a_peering_is_found_by_its_filters_and_an_unknown_one_is_an_error(lab: Lab) -> None:
    """Sides, status, tags and ids are looked at; an id that is not there is refused in every call."""
    (one, _), (two, _), (three, _) = (make_network(lab, EAST, f"10.{n}.0.0/16") for n in (1, 2, 3))
    east = lab.client("ec2", EAST)
    tags = [{"ResourceType": "vpc-peering-connection", "Tags": [{"Key": "n", "Value": "a"}]}]
    first, second = (
        east.create_vpc_peering_connection(VpcId=one, PeerVpcId=peer, TagSpecifications=tagged)[
            "VpcPeeringConnection"
        ]["VpcPeeringConnectionId"]
        for peer, tagged in ((two, tags), (three, []))
    )
    east.accept_vpc_peering_connection(VpcPeeringConnectionId=first)

    def found(name: str, *values: str) -> set[str]:
        answer = east.describe_vpc_peering_connections(Filters=[{"Name": name, "Values": list(values)}])
        return {peering["VpcPeeringConnectionId"] for peering in answer["VpcPeeringConnections"]}

    assert found("accepter-vpc-info.vpc-id", two) == {first}
    assert found("accepter-vpc-info.vpc-id", two, three) == {first, second}
    assert found("requester-vpc-info.cidr-block", "10.1.0.0/16") == {first, second}
    assert found("status-code", "active") == found("tag:n", "a") == {first}
    assert found("vpc-peering-connection-id", second) == {second}
    missing = "pcx-0123456789abcdef0"
    unknown = r"InvalidVpcPeeringConnectionID\.NotFound"
    with pytest.raises(ClientError, match=unknown):
        east.describe_vpc_peering_connections(VpcPeeringConnectionIds=[first, missing])
    with pytest.raises(ClientError, match=unknown):
        east.delete_vpc_peering_connection(VpcPeeringConnectionId=missing)


def states(lab: Lab, target: str) -> dict[str, str]:
    """Return the state of each region's routes to a target."""
    return {
        table.region: route.state
        for table in lab.now.route_tables
        for route in table.routes
        if route.target == target
    }


def test_a_cidr_that_was_given_back_is_no_longer_the_vpcs(lab: Lab) -> None:
    """A secondary CIDR counts while it is associated, and not afterwards."""
    ec2 = lab.client("ec2")
    vpc_id, _ = make_network(lab)
    tied = ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]
    (during,) = [vpc.cidrs for vpc in lab.now.vpcs if vpc.id == vpc_id]

    ec2.disassociate_vpc_cidr_block(AssociationId=tied["AssociationId"])
    (after,) = [vpc.cidrs for vpc in lab.now.vpcs if vpc.id == vpc_id]

    assert during == ("10.1.0.0/16", "10.9.0.0/16")
    assert after == ("10.1.0.0/16",)


def test_two_vpcs_are_joined_by_one_peering_with_tags_of_each_side(lab: Lab) -> None:
    """A second one is refused while the first is not over; what one region tags, the other does not show."""
    ends = [make_network(lab, EAST, "10.1.0.0/16")[0], make_network(lab, WEST, "10.2.0.0/16")[0]]
    east, west = lab.client("ec2", EAST), lab.client("ec2", WEST)
    asked = {"VpcId": ends[0], "PeerVpcId": ends[1], "PeerRegion": WEST}
    made = east.create_vpc_peering_connection(**asked)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    west.create_tags(Resources=[made], Tags=[{"Key": "side", "Value": "west"}])
    shown = [one.describe_vpc_peering_connections()["VpcPeeringConnections"] for one in (east, west)]
    assert [[], [{"Key": "side", "Value": "west"}]] == [one["Tags"] for (one,) in shown]
    for client, wanted in (
        (east, asked),
        (west, {"VpcId": ends[1], "PeerVpcId": ends[0], "PeerRegion": EAST}),
    ):
        with pytest.raises(ClientError, match="VpcPeeringConnectionAlreadyExists"):
            client.create_vpc_peering_connection(**wanted)
    east.delete_vpc_peering_connection(VpcPeeringConnectionId=made)
    again = east.create_vpc_peering_connection(**asked)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    assert again != made


def test_a_peering_of_overlapping_ranges_fails(lab: Lab) -> None:
    """It never gets to where it could be accepted."""
    ends = [make_network(lab, region, "10.1.0.0/16")[0] for region in (EAST, WEST)]
    east = lab.client("ec2", EAST)
    east.create_vpc_peering_connection(VpcId=ends[0], PeerVpcId=ends[1], PeerRegion=WEST)
    (shown,) = east.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert shown["Status"]["Code"] == "failed"
