"""Reads the routes over a VPC peering, which lie in the route tables of both of its VPCs.

A peering carries nothing without a route to the other VPC on both sides. Each lies in the account
and region of its own VPC: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drill.errors import DrillError
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "VpcPeeringConnectionId",
    "TransitGatewayId",
    "NatGatewayId",
    "GatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One route, by where it lies and what it is for.

    Attributes:
        table_id: Its route table.
        kind: What its destination is called in the API, for example ``DestinationCidrBlock``.
        destination: What it is for.

    """

    table_id: str
    kind: str
    destination: str

    @property
    def named(self) -> dict[str, str]:
        """The parameters by which a call of the API names it."""
        return {"RouteTableId": self.table_id, self.kind: self.destination}

    def document(self) -> dict[str, Json]:
        """Return it as JSON that :meth:`of` reads."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Route":
        """Read what :meth:`document` returned."""
        return cls(document["table_id"], document["kind"], document["destination"])


def read(aws: "Aws", region: str, vpc_id: str) -> dict[Route, str]:
    """Return the routes of a VPC, each with the id of what it leads to."""
    pages = aws.client("ec2", region).get_paginator("describe_route_tables")
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    tables = [table for page in pages.paginate(Filters=of_vpc) for table in page["RouteTables"]]
    return {
        Route(table["RouteTableId"], kind, shown[kind]): _target(shown)
        for table in tables
        for shown in table["Routes"]
        for kind in _DESTINATIONS
        if shown.get(kind)
    }


def over(
    found: Mapping[Route, str], peering_id: str, table_ids: Sequence[str], region: str
) -> tuple[Route, ...]:
    """Return those that lead over a peering, in order.

    Raises:
        DrillError: One lies in a table that is not among ``table_ids``, or there is none at all.

    """
    listed = tuple(sorted(route for route, target in found.items() if target == peering_id))
    others = sorted({route.table_id for route in listed} - set(table_ids))
    if others:
        msg = (
            f"route table {', '.join(others)} in {region} leads over {peering_id} too and is not among the "
            "target's app_route_table_ids, so that it has not agreed to be drilled; add it, then: "
            "drill plan peering-deletion"
        )
        raise DrillError(msg)
    if not listed:
        msg = (
            f"no route table in {region} leads over {peering_id}: there is nothing to cut; "
            f"see: {see(region, *table_ids)}"
        )
        raise DrillError(msg)
    return listed


def see(region: str, *table_ids: str) -> str:
    """Return the command that shows route tables."""
    return f"aws ec2 describe-route-tables --region {region} --route-table-ids {' '.join(table_ids)}"


def table_arns(region: str, table_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ARNs of route tables, for permissions."""
    return tuple(f"arn:{{partition}}:ec2:{region}:{{account}}:route-table/{one}" for one in table_ids)


def _target(shown: Mapping[str, Any]) -> str:
    return next((str(shown[key]) for key in _TARGETS if shown.get(key)), "")
