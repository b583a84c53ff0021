"""Failures of the network, and what plants them."""

from drill.target import Region
from tests.defects.bench import Bench, Undo


def routes_missing(bench: Bench) -> Undo:
    """Take the standby's routes over the peering away (DR01)."""
    target = bench.target
    ec2 = bench.client("ec2", target.standby.name)
    cidr = _cidr(bench, target.primary)
    for table_id in target.standby.app_route_table_ids:
        ec2.delete_route(RouteTableId=table_id, DestinationCidrBlock=cidr)

    def undo() -> None:
        for table_id in target.standby.app_route_table_ids:
            ec2.create_route(
                RouteTableId=table_id,
                DestinationCidrBlock=cidr,
                VpcPeeringConnectionId=target.peering_id,
            )

    return undo


def one_route_missing(bench: Bench) -> Undo:
    """Take the route of one zone away, in the primary (DR01): the others work on."""
    target = bench.target
    ec2, table_id = bench.client("ec2"), target.primary.app_route_table_ids[0]
    cidr = _cidr(bench, target.standby)
    ec2.delete_route(RouteTableId=table_id, DestinationCidrBlock=cidr)
    return lambda: ec2.create_route(
        RouteTableId=table_id, DestinationCidrBlock=cidr, VpcPeeringConnectionId=target.peering_id
    )


def cidrs_overlap(bench: Bench) -> Undo:
    """Give the primary's VPC a part of the standby's addresses besides (DR02)."""
    ec2 = bench.client("ec2")
    first, second = _cidr(bench, bench.target.standby).split(".")[:2]
    tied = ec2.associate_vpc_cidr_block(
        VpcId=bench.target.primary.vpc_id, CidrBlock=f"{first}.{second}.128.0/17"
    )["CidrBlockAssociation"]["AssociationId"]
    return lambda: ec2.disassociate_vpc_cidr_block(AssociationId=tied)


def edge_closed(bench: Bench) -> Undo:
    """Let nobody in to the standby's load balancer (DR17)."""
    region = bench.target.standby
    elb = bench.client("elbv2", region.name)
    described = elb.describe_load_balancers(LoadBalancerArns=[region.load_balancer_arn])
    return _close(bench, region, described["LoadBalancers"][0]["SecurityGroups"][0])


def database_closed(bench: Bench) -> Undo:
    """Let nobody in to the primary's database from the other region (DX08)."""
    region = bench.target.primary
    cidr = _cidr(bench, bench.target.standby)
    return _close(bench, region, region.database_security_group_id or "", cidr)


def _close(bench: Bench, region: Region, group_id: str, cidr: str = "") -> Undo:
    ec2 = bench.client("ec2", region.name)
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    rules = [
        rule
        for rule in group["IpPermissions"]
        if not cidr or any(each["CidrIp"] == cidr for each in rule["IpRanges"])
    ]
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=rules)
    return lambda: ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=rules)


def _cidr(bench: Bench, region: Region) -> str:
    vpcs = bench.client("ec2", region.name).describe_vpcs(VpcIds=[region.vpc_id])["Vpcs"]
    return str(vpcs[0]["CidrBlock"])
