"""``AWS::EC2::*``: the network of a region and the peering between two."""

from collections.abc import Callable
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth


def _tagged(request: Request, kind: str) -> dict[str, Any]:
    tags = request.tag_list()
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def _retagged(request: Request, made: Made) -> Made | None:
    """Change tags in place; every other difference needs another resource."""
    if request.changed() - {"Tags"}:
        return None
    request.client("ec2").create_tags(Resources=[made.physical_resource_id], Tags=request.tag_list())
    return made


def _vpc(request: Request) -> Made:
    ec2, wanted = request.client("ec2"), request.properties
    vpc = ec2.create_vpc(CidrBlock=wanted["CidrBlock"], **_tagged(request, "vpc"))["Vpc"]
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in wanted:
            ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], **{name: {"Value": truth(wanted[name])}})
    return Made(vpc["VpcId"], {"VpcId": vpc["VpcId"], "CidrBlock": wanted["CidrBlock"]})


def _delete_vpc(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc(VpcId=made.physical_resource_id)


def _subnet(request: Request) -> Made:
    ec2, wanted = request.client("ec2"), request.properties
    call = chosen(wanted, "VpcId", "CidrBlock", "AvailabilityZone")
    subnet = ec2.create_subnet(**call, **_tagged(request, "subnet"))["Subnet"]
    if truth(wanted.get("MapPublicIpOnLaunch", False)):
        ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    return Made(
        subnet["SubnetId"], {"SubnetId": subnet["SubnetId"], "AvailabilityZone": subnet["AvailabilityZone"]}
    )


def _delete_subnet(request: Request, made: Made) -> None:
    request.client("ec2").delete_subnet(SubnetId=made.physical_resource_id)


def _internet_gateway(request: Request) -> Made:
    made = request.client("ec2").create_internet_gateway(**_tagged(request, "internet-gateway"))
    gateway_id = made["InternetGateway"]["InternetGatewayId"]
    return Made(gateway_id, {"InternetGatewayId": gateway_id})


def _delete_internet_gateway(request: Request, made: Made) -> None:
    request.client("ec2").delete_internet_gateway(InternetGatewayId=made.physical_resource_id)


def _attachment(request: Request) -> Made:
    call = chosen(request.properties, "VpcId", "InternetGatewayId")
    request.client("ec2").attach_internet_gateway(**call)
    return Made(f"IGW|{call['VpcId']}")


def _delete_attachment(request: Request, _made: Made) -> None:
    call = chosen(request.properties, "VpcId", "InternetGatewayId")
    request.client("ec2").detach_internet_gateway(**call)


def _route_table(request: Request) -> Made:
    made = request.client("ec2").create_route_table(
        VpcId=request.properties["VpcId"], **_tagged(request, "route-table")
    )
    table_id = made["RouteTable"]["RouteTableId"]
    return Made(table_id, {"RouteTableId": table_id})


def _delete_route_table(request: Request, made: Made) -> None:
    request.client("ec2").delete_route_table(RouteTableId=made.physical_resource_id)


def _association(request: Request) -> Made:
    call = chosen(request.properties, "RouteTableId", "SubnetId")
    association_id = request.client("ec2").associate_route_table(**call)["AssociationId"]
    return Made(association_id, {"Id": association_id})


def _delete_association(request: Request, made: Made) -> None:
    request.client("ec2").disassociate_route_table(AssociationId=made.physical_resource_id)


_ROUTE = (
    "RouteTableId",
    "DestinationCidrBlock",
    "GatewayId",
    "VpcPeeringConnectionId",
    "NatGatewayId",
    "TransitGatewayId",
    "NetworkInterfaceId",
)


def _route(request: Request) -> Made:
    wanted = request.properties
    request.client("ec2").create_route(**chosen(wanted, *_ROUTE))
    return Made(f"{wanted['RouteTableId']}|{wanted['DestinationCidrBlock']}")


def _update_route(request: Request, made: Made) -> Made | None:
    wanted = request.properties
    if made.physical_resource_id != f"{wanted['RouteTableId']}|{wanted['DestinationCidrBlock']}":
        return None
    request.client("ec2").replace_route(**chosen(wanted, *_ROUTE))
    return made


def _delete_route(request: Request, made: Made) -> None:
    table, _, destination = made.physical_resource_id.partition("|")
    request.client("ec2").delete_route(RouteTableId=table, DestinationCidrBlock=destination)


def _permission(rule: dict[str, Any], peer: str) -> dict[str, Any]:
    """Return an IpPermission; ``peer`` is the name of the property with the other group."""
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    permission |= {name: number(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    note = chosen(rule, "Description")
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **note}]
    elif peer in rule:
        permission["UserIdGroupPairs"] = [{"GroupId": rule[peer], **note}]
    return permission


def _security_group(request: Request) -> Made:
    ec2, wanted = request.client("ec2"), request.properties
    group_id = ec2.create_security_group(
        GroupName=wanted.get("GroupName") or request.name(255),
        Description=wanted["GroupDescription"],
        VpcId=wanted["VpcId"],
        **_tagged(request, "security-group"),
    )["GroupId"]
    ingress = [_permission(rule, "SourceSecurityGroupId") for rule in wanted.get("SecurityGroupIngress", ())]
    egress = [
        _permission(rule, "DestinationSecurityGroupId") for rule in wanted.get("SecurityGroupEgress", ())
    ]
    if ingress:
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=ingress)
    if egress:
        # A group with rules of its own loses the one that lets everything out.
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=everything)
        ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=egress)
    return Made(group_id, {"GroupId": group_id, "VpcId": wanted["VpcId"]})


def _delete_security_group(request: Request, made: Made) -> None:
    request.client("ec2").delete_security_group(GroupId=made.physical_resource_id)


def _ingress(request: Request) -> Made:
    wanted = request.properties
    request.client("ec2").authorize_security_group_ingress(
        GroupId=wanted["GroupId"], IpPermissions=[_permission(dict(wanted), "SourceSecurityGroupId")]
    )
    return Made(f"sgr-{request.logical_id}")


def _delete_ingress(request: Request, _made: Made) -> None:
    wanted = request.properties
    request.client("ec2").revoke_security_group_ingress(
        GroupId=wanted["GroupId"], IpPermissions=[_permission(dict(wanted), "SourceSecurityGroupId")]
    )


_ENDPOINT = (
    "VpcId",
    "ServiceName",
    "VpcEndpointType",
    "RouteTableIds",
    "SubnetIds",
    "SecurityGroupIds",
    "PrivateDnsEnabled",
)


def _endpoint(request: Request) -> Made:
    call = chosen(request.properties, *_ENDPOINT)
    if "PrivateDnsEnabled" in call:
        call["PrivateDnsEnabled"] = truth(call["PrivateDnsEnabled"])
    made = request.client("ec2").create_vpc_endpoint(**call, **_tagged(request, "vpc-endpoint"))
    return Made(made["VpcEndpoint"]["VpcEndpointId"], {"Id": made["VpcEndpoint"]["VpcEndpointId"]})


def _delete_endpoint(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made.physical_resource_id])


def _peering(request: Request) -> Made:
    """Ask for a peering and, within the same account, accept it where the other VPC is."""
    wanted = request.properties
    call = chosen(wanted, "VpcId", "PeerVpcId", "PeerRegion", "PeerOwnerId")
    asked = request.client("ec2").create_vpc_peering_connection(
        **call, **_tagged(request, "vpc-peering-connection")
    )
    peering_id = asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    peer = request.client("ec2", wanted.get("PeerRegion", request.region))
    peer.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    return Made(peering_id, {"Id": peering_id})


def _delete_peering(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=made.physical_resource_id)


def _kind(
    name: str,
    create: Callable[[Request], Made],
    delete: Callable[[Request, Made], None],
    *attributes: str,
) -> ResourceType:
    return ResourceType(f"AWS::EC2::{name}", create, delete, _retagged, frozenset(attributes))


TYPES = (
    _kind("VPC", _vpc, _delete_vpc, "VpcId", "CidrBlock"),
    _kind("Subnet", _subnet, _delete_subnet, "SubnetId", "AvailabilityZone"),
    _kind("InternetGateway", _internet_gateway, _delete_internet_gateway, "InternetGatewayId"),
    ResourceType("AWS::EC2::VPCGatewayAttachment", _attachment, _delete_attachment),
    _kind("RouteTable", _route_table, _delete_route_table, "RouteTableId"),
    _kind("SubnetRouteTableAssociation", _association, _delete_association, "Id"),
    ResourceType("AWS::EC2::Route", _route, _delete_route, _update_route),
    _kind("SecurityGroup", _security_group, _delete_security_group, "GroupId", "VpcId"),
    ResourceType("AWS::EC2::SecurityGroupIngress", _ingress, _delete_ingress),
    _kind("VPCEndpoint", _endpoint, _delete_endpoint, "Id"),
    _kind("VPCPeeringConnection", _peering, _delete_peering, "Id"),
)
