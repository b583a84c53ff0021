"""Entries of network ACLs as AWS takes and refuses them, and as the physics see them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.reachability import accepts_from, connects_to
from infra.lab.world import Subnet
from tests.infra.lab.planelab import Lab, control_plane, make_network

ANYWHERE = "0.0.0.0/0"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.fixture
def acl(lab: Lab) -> str:
    """Give a network ACL of its own to the only subnet; it denies all."""
    vpc, subnet = make_network(lab)
    ec2 = lab.client("ec2")
    made = str(ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"])
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (tie,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"][0]["Associations"]
    ec2.replace_network_acl_association(AssociationId=tie["NetworkAclAssociationId"], NetworkAclId=made)
    return made


def put(lab: Lab, acl: str, number: int, action: str = "allow", **more: Any) -> None:
    """Put in an entry; in both directions, of any protocol, for all of IPv4, where nothing else is said."""
    ranges = {} if "Ipv6CidrBlock" in more else {"CidrBlock": ANYWHERE}
    for egress in (True, False):
        wanted = {"Protocol": "-1", **ranges, **more, "Egress": egress}
        lab.client("ec2").create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=number, RuleAction=action, **wanted
        )


def shown(lab: Lab, acl: str, number: int) -> list[dict[str, Any]]:
    """Return the entries of a number."""
    (found,) = lab.client("ec2").describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    return [entry for entry in found["Entries"] if entry["RuleNumber"] == number]


def physical(lab: Lab) -> Subnet:
    """Return the subnet as the physics see it."""
    (found,) = lab.now.subnets
    return found


def test_a_deny_before_all_others_closes_and_its_deletion_opens(lab: Lab, acl: str) -> None:
    """The lowest number that matches decides, whenever it was put in."""
    put(lab, acl, 100)
    assert accepts_from(physical(lab), "203.0.113.0/24", 443)[0]
    put(lab, acl, 1, "deny")
    assert not accepts_from(physical(lab), "203.0.113.0/24", 443)[0]
    assert not connects_to(physical(lab), "203.0.113.0/24", 443)[0]
    for egress in (True, False):
        lab.client("ec2").delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=egress)
    assert accepts_from(physical(lab), "203.0.113.0/24", 443)[0]


def test_entries_for_ipv6_say_nothing_of_ipv4(lab: Lab, acl: str) -> None:
    """A denial of all IPv6 before the rest leaves IPv4 as it is."""
    put(lab, acl, 2, "deny", Ipv6CidrBlock="::/0")
    put(lab, acl, 100)
    assert [entry["Ipv6CidrBlock"] for entry in shown(lab, acl, 2)] == ["::/0"] * 2
    assert accepts_from(physical(lab), "203.0.113.0/24", 443)[0]


def test_an_entry_that_is_not_there_is_not_deleted(lab: Lab, acl: str) -> None:
    """AWS names the missing entry, or the missing ACL; each direction has its own."""
    ec2 = lab.client("ec2")
    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=7, RuleAction="deny", Protocol="-1", Egress=True, CidrBlock=ANYWHERE
    )
    with pytest.raises(ClientError, match=r"InvalidNetworkAclEntry\.NotFound.*no ingress entry"):
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=7, Egress=False)
    with pytest.raises(ClientError, match=r"InvalidNetworkAclID\.NotFound"):
        ec2.delete_network_acl_entry(NetworkAclId="acl-0123", RuleNumber=7, Egress=True)
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=7, Egress=True)
    assert shown(lab, acl, 7) == []


def test_the_last_entry_stays(lab: Lab, acl: str) -> None:
    """What denies the rest can be neither deleted nor put in."""
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        lab.client("ec2").delete_network_acl_entry(NetworkAclId=acl, RuleNumber=32767, Egress=True)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        put(lab, acl, 32767)


def test_a_number_is_taken_once_in_each_direction(lab: Lab, acl: str) -> None:
    """A second entry of one number is refused by the name that AWS gives it."""
    put(lab, acl, 5)
    with pytest.raises(ClientError, match="NetworkAclEntryAlreadyExists"):
        put(lab, acl, 5, "deny")


def test_there_is_room_for_twenty_each_way_and_of_each_version_of_ip(lab: Lab, acl: str) -> None:
    """The last entry counts; those of IPv6 are counted apart."""
    for number in range(1, 20):
        put(lab, acl, number)
    with pytest.raises(ClientError, match="NetworkAclEntryLimitExceeded"):
        put(lab, acl, 20)
    put(lab, acl, 21, Ipv6CidrBlock="::/0")
    assert len(shown(lab, acl, 21)) == 2


def test_types_of_icmp_are_kept(lab: Lab, acl: str) -> None:
    """What a copy of an entry needs is shown, also of ICMP."""
    put(lab, acl, 5, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1})
    assert [entry["IcmpTypeCode"] for entry in shown(lab, acl, 5)] == [{"Type": 8, "Code": -1}] * 2


def test_an_acl_of_a_vpc_with_ipv6_denies_the_rest_of_that_too(lab: Lab) -> None:
    """Where the VPC has IPv6 there are two last entries each way, as on AWS."""
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    made = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["Entries"]
    assert sorted((entry["RuleNumber"], entry["Egress"]) for entry in made) == [
        (32767, False),
        (32767, True),
        (32768, False),
        (32768, True),
    ]
