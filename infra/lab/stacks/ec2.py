"""``AWS::EC2::*``: VPCs, subnets, the gateways between them and the Internet, and flow logs."""

from collections.abc import Callable
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth
from infra.lab.stacks.tagging import only_tags, retag, tagged


def _vpc(request: Request) -> Made:
    ec2, wanted = request.client("ec2"), request.properties
    call = chosen(wanted, "CidrBlock", "InstanceTenancy")
    vpc = ec2.create_vpc(**call, **tagged(request, "vpc"))["Vpc"]
    _vpc_attributes(request, vpc["VpcId"])
    return _seen_vpc(request, vpc["VpcId"])


def _vpc_attributes(request: Request, vpc_id: str) -> None:
    wanted = request.properties
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in wanted:
            request.client("ec2").modify_vpc_attribute(VpcId=vpc_id, **{name: {"Value": truth(wanted[name])}})


def _seen_vpc(request: Request, vpc_id: str) -> Made:
    ec2, of_vpc = request.client("ec2"), [{"Name": "vpc-id", "Values": [vpc_id]}]
    groups = ec2.describe_security_groups(Filters=[*of_vpc, {"Name": "group-name", "Values": ["default"]}])
    acls = ec2.describe_network_acls(Filters=[*of_vpc, {"Name": "default", "Values": ["true"]}])
    attributes = {
        "VpcId": vpc_id,
        "CidrBlock": request.properties["CidrBlock"],
        "DefaultSecurityGroup": groups["SecurityGroups"][0]["GroupId"],
        "DefaultNetworkAcl": acls["NetworkAcls"][0]["NetworkAclId"],
    }
    return Made(vpc_id, attributes)


def _update_vpc(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags", "EnableDnsSupport", "EnableDnsHostnames"}:
        return None
    _vpc_attributes(request, made.physical_resource_id)
    retag(request, made.physical_resource_id)
    return made


def _delete_vpc(request: Request, made: Made) -> None:
    request.client("ec2").delete_vpc(VpcId=made.physical_resource_id)


def _subnet(request: Request) -> Made:
    call = chosen(request.properties, "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId")
    subnet = request.client("ec2").create_subnet(**call, **tagged(request, "subnet"))["Subnet"]
    _subnet_attributes(request, subnet["SubnetId"])
    shown = chosen(subnet, "SubnetId", "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId")
    return Made(subnet["SubnetId"], shown)


def _subnet_attributes(request: Request, subnet_id: str) -> None:
    wanted = request.properties
    if "MapPublicIpOnLaunch" in wanted:
        request.client("ec2").modify_subnet_attribute(
            SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": truth(wanted["MapPublicIpOnLaunch"])}
        )


def _update_subnet(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags", "MapPublicIpOnLaunch"}:
        return None
    _subnet_attributes(request, made.physical_resource_id)
    retag(request, made.physical_resource_id)
    return made


def _delete_subnet(request: Request, made: Made) -> None:
    request.client("ec2").delete_subnet(SubnetId=made.physical_resource_id)


def _internet_gateway(request: Request) -> Made:
    made = request.client("ec2").create_internet_gateway(**tagged(request, "internet-gateway"))
    gateway_id = made["InternetGateway"]["InternetGatewayId"]
    return Made(gateway_id, {"InternetGatewayId": gateway_id})


def _delete_internet_gateway(request: Request, made: Made) -> None:
    request.client("ec2").delete_internet_gateway(InternetGatewayId=made.physical_resource_id)


def _attachment(request: Request) -> Made:
    call = chosen(request.properties, "VpcId", "InternetGatewayId")
    request.client("ec2").attach_internet_gateway(**call)
    return Made(f"IGW|{call['VpcId']}", {"AttachmentType": "IGW"})


def _delete_attachment(request: Request, _made: Made) -> None:
    call = chosen(request.properties, "VpcId", "InternetGatewayId")
    request.client("ec2").detach_internet_gateway(**call)


def _address(request: Request) -> Made:
    wanted = request.properties
    call = {"Domain": wanted.get("Domain", "vpc"), **chosen(wanted, "Address", "NetworkBorderGroup")}
    made = request.client("ec2").allocate_address(**call, **tagged(request, "elastic-ip"))
    return Made(made["PublicIp"], {"AllocationId": made["AllocationId"], "PublicIp": made["PublicIp"]})


def _update_address(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags"}:
        return None
    retag(request, made.attributes["AllocationId"])
    return made


def _delete_address(request: Request, made: Made) -> None:
    request.client("ec2").release_address(AllocationId=made.attributes["AllocationId"])


def _nat_gateway(request: Request) -> Made:
    call = chosen(request.properties, "SubnetId", "AllocationId", "ConnectivityType", "PrivateIpAddress")
    made = request.client("ec2").create_nat_gateway(**call, **tagged(request, "natgateway"))["NatGateway"]
    interface = made["NatGatewayAddresses"][0]["NetworkInterfaceId"]
    return Made(made["NatGatewayId"], {"NatGatewayId": made["NatGatewayId"], "EniId": interface})


def _delete_nat_gateway(request: Request, made: Made) -> None:
    request.client("ec2").delete_nat_gateway(NatGatewayId=made.physical_resource_id)


_FLOW_LOG = (
    "TrafficType",
    "LogDestination",
    "LogDestinationType",
    "LogGroupName",
    "LogFormat",
    "DeliverLogsPermissionArn",
)


def _flow_log(request: Request) -> Made:
    wanted = request.properties
    call: dict[str, Any] = chosen(wanted, "ResourceType", *_FLOW_LOG)
    if "MaxAggregationInterval" in wanted:
        call["MaxAggregationInterval"] = number(wanted["MaxAggregationInterval"])
    made = request.client("ec2").create_flow_logs(
        ResourceIds=[wanted["ResourceId"]], **call, **tagged(request, "vpc-flow-log")
    )
    for refused in made.get("Unsuccessful", ()):
        raise ValueError(refused["Error"]["Message"])
    return Made(made["FlowLogIds"][0], {"Id": made["FlowLogIds"][0]})


def _delete_flow_log(request: Request, made: Made) -> None:
    request.client("ec2").delete_flow_logs(FlowLogIds=[made.physical_resource_id])


def _kind(
    name: str,
    create: Callable[[Request], Made],
    delete: Callable[[Request, Made], None],
    *attributes: str,
    update: Callable[[Request, Made], Made | None] = only_tags,
    physics: str = "",
) -> ResourceType:
    return ResourceType(
        f"AWS::EC2::{name}", create, delete, update, frozenset(attributes), frozenset(physics.split())
    )


_VPC = ("VpcId", "CidrBlock", "DefaultSecurityGroup", "DefaultNetworkAcl")
_SUBNET = ("SubnetId", "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId")
TYPES = (
    _kind("VPC", _vpc, _delete_vpc, *_VPC, update=_update_vpc, physics="CidrBlock"),
    _kind("Subnet", _subnet, _delete_subnet, *_SUBNET, update=_update_subnet, physics="CidrBlock VpcId"),
    _kind("InternetGateway", _internet_gateway, _delete_internet_gateway, "InternetGatewayId"),
    ResourceType(
        "AWS::EC2::VPCGatewayAttachment",
        _attachment,
        _delete_attachment,
        attributes=frozenset({"AttachmentType"}),
        physics=frozenset({"VpcId", "InternetGatewayId"}),
    ),
    _kind("EIP", _address, _delete_address, "AllocationId", "PublicIp", update=_update_address),
    _kind(
        "NatGateway",
        _nat_gateway,
        _delete_nat_gateway,
        "NatGatewayId",
        "EniId",
        physics="ConnectivityType SubnetId",
    ),
    _kind("FlowLog", _flow_log, _delete_flow_log, "Id"),
)
