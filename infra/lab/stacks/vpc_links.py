"""``AWS::EC2::VPCEndpoint`` and ``VPCPeeringConnection``: ways out of a VPC that are no gateway's."""

import json
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, truth
from infra.lab.stacks.tagging import only_tags, retag, tagged

_LISTS = ("RouteTableIds", "SubnetIds", "SecurityGroupIds")


def _endpoint(request: Request) -> Made:
    wanted = request.properties
    call: dict[str, Any] = chosen(wanted, "VpcId", "ServiceName", *_LISTS)
    call["VpcEndpointType"] = wanted.get("VpcEndpointType", "Gateway")
    # Off unless asked for, https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html
    call["PrivateDnsEnabled"] = truth(wanted.get("PrivateDnsEnabled", False))
    call |= _policy(request)
    made = request.client("ec2").create_vpc_endpoint(**call, **tagged(request, "vpc-endpoint"))["VpcEndpoint"]
    attributes = {
        "Id": made["VpcEndpointId"],
        "DnsEntries": [f"{item['HostedZoneId']}:{item['DnsName']}" for item in made.get("DnsEntries", ())],
        "NetworkInterfaceIds": made.get("NetworkInterfaceIds", []),
        "CreationTimestamp": str(made.get("CreationTimestamp", "")),
    }
    return Made(made["VpcEndpointId"], attributes)


def _policy(request: Request) -> dict[str, Any]:
    policy = request.properties.get("PolicyDocument")
    if policy is None:
        return {}
    return {"PolicyDocument": policy if isinstance(policy, str) else json.dumps(policy)}


def _update_endpoint(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags", "PolicyDocument", "PrivateDnsEnabled", *_LISTS}:
        return None
    wanted = request.properties
    call: dict[str, Any] = {}
    for name in _LISTS:
        former, needed = set(request.before.get(name) or ()), set(wanted.get(name) or ())
        call |= {f"Add{name}": sorted(needed - former)} if needed - former else {}
        call |= {f"Remove{name}": sorted(former - needed)} if former - needed else {}
    if "PolicyDocument" in request.changed():
        call.update(_policy(request) or {"ResetPolicy": True})
    if "PrivateDnsEnabled" in request.changed():
        call["PrivateDnsEnabled"] = truth(wanted.get("PrivateDnsEnabled", False))
    if call:
        request.client("ec2").modify_vpc_endpoint(VpcEndpointId=made.physical_resource_id, **call)
    retag(request, made.physical_resource_id)
    return made


def _delete_endpoint(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made.physical_resource_id])


def _peering(request: Request) -> Made:
    """Ask for a peering and, within the same account, accept it where the other VPC is."""
    wanted = request.properties
    call = chosen(wanted, "VpcId", "PeerVpcId", "PeerRegion", "PeerOwnerId")
    asked = request.client("ec2").create_vpc_peering_connection(
        **call, **tagged(request, "vpc-peering-connection")
    )
    peering_id = asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    peer = request.client("ec2", wanted.get("PeerRegion", request.region))
    peer.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    return Made(peering_id, {"Id": peering_id})


def _delete_peering(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=made.physical_resource_id)


TYPES = (
    ResourceType(
        "AWS::EC2::VPCEndpoint",
        _endpoint,
        _delete_endpoint,
        _update_endpoint,
        frozenset({"Id", "DnsEntries", "NetworkInterfaceIds", "CreationTimestamp"}),
        frozenset({"VpcId", "ServiceName", "VpcEndpointType", "PrivateDnsEnabled", *_LISTS}),
    ),
    ResourceType(
        "AWS::EC2::VPCPeeringConnection",
        _peering,
        _delete_peering,
        only_tags,
        frozenset({"Id"}),
        frozenset({"VpcId", "PeerVpcId", "PeerRegion"}),
    ),
)
