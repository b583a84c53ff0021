"""Two VPCs that are joined by a peering, with routes over it on both sides, and what is seen of them."""

from dataclasses import dataclass
from typing import Any

from drill.aws import Aws
from drill.faults import peerings, routes
from drill.faults.peerings import Peering

EAST, WEST = "us-east-1", "us-west-2"
OPT_IN = {"Key": "drill:opt-in", "Value": "true"}
OPTION = "AllowDnsResolutionFromRemoteVpc"


@dataclass(frozen=True)
class Peered:
    """What is there.

    Attributes:
        aws: The clients.
        vpcs: The VPC of each region.
        tables: The route tables of each region that lead over the peering.
        peering_id: The peering; the eastern VPC asked for it.

    """

    aws: Aws
    vpcs: dict[str, str]
    tables: dict[str, tuple[str, ...]]
    peering_id: str

    def now(self, region: str = EAST) -> list[Peering]:
        """Return the peerings that a region shows and that are not over."""
        found = peerings.read(self.aws, region, self.vpcs[region])
        return [one for one in found if one.state not in {"deleted", "failed", "rejected"}]

    def seen(self, without_id: str = "") -> Any:
        """Return all that a drill may change; an id of a peering may be left out."""
        shown = [
            (region, one.requester, one.accepter, one.state, dict(one.tags))
            for region in (EAST, WEST)
            for one in self.now(region)
        ]
        led = {
            region: sorted(
                (route.table_id, route.destination, "peering" if target == without_id else target)
                for route, target in routes.read(self.aws, region, self.vpcs[region]).items()
            )
            for region in (EAST, WEST)
        }
        return shown, led

    def client(self, region: str) -> Any:
        """Return a client of EC2."""
        return self.aws.client("ec2", region)


def make(aws: Aws) -> Peered:
    """Make both VPCs, each with two tables that lead over the peering and one that does not."""
    cidrs = {EAST: "10.0.0.0/16", WEST: "10.1.0.0/16"}
    vpcs = {
        region: aws.client("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        for region, cidr in cidrs.items()
    }
    given = [{"ResourceType": "vpc-peering-connection", "Tags": [OPT_IN, {"Key": "project", "Value": "o"}]}]
    made = aws.client("ec2", EAST).create_vpc_peering_connection(
        VpcId=vpcs[EAST], PeerVpcId=vpcs[WEST], PeerRegion=WEST, TagSpecifications=given
    )
    peering_id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    aws.client("ec2", WEST).accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    aws.client("ec2", WEST).create_tags(Resources=[peering_id], Tags=[{"Key": "side", "Value": "west"}])
    aws.client("ec2", WEST).modify_vpc_peering_connection_options(
        VpcPeeringConnectionId=peering_id, AccepterPeeringConnectionOptions={OPTION: True}
    )
    tables = {}
    for region, other in ((EAST, WEST), (WEST, EAST)):
        client = aws.client("ec2", region)
        listed = [client.create_route_table(VpcId=vpcs[region])["RouteTable"]["RouteTableId"] for _ in "abc"]
        for table_id in listed[:2]:
            client.create_route(
                RouteTableId=table_id,
                DestinationCidrBlock=cidrs[other],
                VpcPeeringConnectionId=peering_id,
            )
        tables[region] = tuple(listed[:2])
    return Peered(aws, vpcs, tables, peering_id)
