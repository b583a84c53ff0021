"""Route tables, CIDRs and the peering, as the checks of the network read them."""

import ipaddress
from collections.abc import Iterator

from botocore.exceptions import ClientError

from drill.audit.reads import Document, absent
from drill.audit.system import System
from drill.target import Region

CALLS = (
    "ec2:DescribeRouteTables",
    "ec2:DescribeVpcs",
)


def cidrs(system: System, region: Region) -> list[str]:
    """Return the CIDRs of a region's VPC, secondary ones and IPv6 too."""
    vpc = system.reads.one("ec2", region.name, "describe_vpcs", VpcIds=[region.vpc_id])["Vpcs"][0]
    return [
        one[key]
        for name, key, state in (
            ("CidrBlockAssociationSet", "CidrBlock", "CidrBlockState"),
            ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState"),
        )
        for one in vpc.get(name, [])
        if one[state]["State"] in {"associating", "associated"}
    ]


def overlaps(one: str, other: str) -> bool:
    """Say whether two CIDRs have an address in common."""
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return first.version == second.version and first.overlaps(second)


def route_tables(system: System, region: Region) -> list[Document]:
    """Return all route tables of a region's VPC."""
    return system.reads.many(
        "ec2",
        region.name,
        "describe_route_tables",
        "RouteTables",
        Filters=[{"Name": "vpc-id", "Values": [region.vpc_id]}],
        PaginationConfig={"PageSize": 100},
    )


def tables_by_subnet(tables: list[Document]) -> tuple[dict[str, Document], Document | None]:
    """Return the table of each subnet that has one of its own, and the main table of the others.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
    """
    own, main = {}, None
    for table in tables:
        for tie in table["Associations"]:
            if tie.get("Main"):
                main = table
            elif "SubnetId" in tie:
                own[tie["SubnetId"]] = table
    return own, main


def peering(system: System) -> Document | None:
    """Return the peering that the target names; None if there is none (any more)."""
    ids = [system.target.peering_id]
    try:
        found = system.reads.one(
            "ec2",
            system.target.primary.name,
            "describe_vpc_peering_connections",
            VpcPeeringConnectionIds=ids,
        )["VpcPeeringConnections"]
    except ClientError as problem:
        if absent(problem):
            return None
        raise
    return found[0] if found else None


def covered(route: Document, cidr: str) -> bool:
    """Say whether a route's destination holds all of a CIDR."""
    destination = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
    if destination is None:
        return False
    whole, part = ipaddress.ip_network(destination), ipaddress.ip_network(cidr)
    return whole.version == part.version and part.subnet_of(whole)  # type: ignore[arg-type]  # same version


def peered(vpcs: Document) -> Iterator[str]:
    """Yield the VPCs that a peering joins."""
    for side in ("RequesterVpcInfo", "AccepterVpcInfo"):
        yield vpcs[side]["VpcId"]
