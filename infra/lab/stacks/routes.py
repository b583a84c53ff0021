"""``AWS::EC2::RouteTable``, ``Route`` and ``SubnetRouteTableAssociation``: which way packets go."""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen
from infra.lab.stacks.tagging import only_tags, tagged

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "CarrierGatewayId",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)


def _table(request: Request) -> Made:
    made = request.client("ec2").create_route_table(
        VpcId=request.properties["VpcId"], **tagged(request, "route-table")
    )
    table_id = made["RouteTable"]["RouteTableId"]
    return Made(table_id, {"RouteTableId": table_id})


def _delete_table(request: Request, made: Made) -> None:
    request.client("ec2").delete_route_table(RouteTableId=made.physical_resource_id)


def _association(request: Request) -> Made:
    call = chosen(request.properties, "RouteTableId", "SubnetId")
    association_id = request.client("ec2").associate_route_table(**call)["AssociationId"]
    return Made(association_id, {"Id": association_id})


def _update_association(request: Request, made: Made) -> Made | None:
    """Move the subnet to another table; there is no moment in which it has none."""
    if "SubnetId" in request.changed():
        return None
    association_id = request.client("ec2").replace_route_table_association(
        AssociationId=made.physical_resource_id, RouteTableId=request.properties["RouteTableId"]
    )["NewAssociationId"]
    return Made(association_id, {"Id": association_id})


def _delete_association(request: Request, made: Made) -> None:
    request.client("ec2").disassociate_route_table(AssociationId=made.physical_resource_id)


def _destination(request: Request) -> dict[str, Any]:
    return chosen(request.properties, *_DESTINATIONS)


def _route(request: Request) -> Made:
    table_id, destination = request.properties["RouteTableId"], _destination(request)
    request.client("ec2").create_route(
        RouteTableId=table_id, **destination, **chosen(request.properties, *_TARGETS)
    )
    (shown,) = destination.values()
    return Made(f"{table_id}|{shown}", {"CidrBlock": shown})


def _update_route(request: Request, made: Made) -> Made | None:
    if request.changed() & {"RouteTableId", *_DESTINATIONS}:
        return None
    request.client("ec2").replace_route(
        RouteTableId=request.properties["RouteTableId"],
        **_destination(request),
        **chosen(request.properties, *_TARGETS),
    )
    return made


def _delete_route(request: Request, _made: Made) -> None:
    request.client("ec2").delete_route(
        RouteTableId=request.properties["RouteTableId"], **_destination(request)
    )


TYPES = (
    ResourceType(
        "AWS::EC2::RouteTable",
        _table,
        _delete_table,
        only_tags,
        frozenset({"RouteTableId"}),
        frozenset({"VpcId"}),
    ),
    ResourceType(
        "AWS::EC2::SubnetRouteTableAssociation",
        _association,
        _delete_association,
        _update_association,
        frozenset({"Id"}),
        frozenset({"RouteTableId", "SubnetId"}),
    ),
    ResourceType(
        "AWS::EC2::Route",
        _route,
        _delete_route,
        _update_route,
        frozenset({"CidrBlock"}),
        frozenset(
            {"RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId", "VpcPeeringConnectionId"}
        ),
    ),
)
