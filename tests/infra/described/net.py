"""Readers of the network's types: ``AWS::EC2::*``."""

from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader


def _only(answer: Mapping[str, Any], key: str) -> Any:
    (one,) = answer[key]
    return one


def _vpc(client_of: ClientOf, region: str, vpc_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    shown = {**_only(ec2.describe_vpcs(VpcIds=[vpc_id]), "Vpcs")}
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        attribute = name[0].lower() + name[1:]
        shown[name] = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)[name]["Value"]
    return shown


def _subnet(client_of: ClientOf, region: str, subnet_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = _only(
        client_of("ec2", region).describe_subnets(SubnetIds=[subnet_id]), "Subnets"
    )
    return shown


def _internet_gateway(client_of: ClientOf, region: str, gateway_id: str, _: Mapping[str, Any]) -> Any:
    ec2 = client_of("ec2", region)
    return _only(ec2.describe_internet_gateways(InternetGatewayIds=[gateway_id]), "InternetGateways")


def _attachment(client_of: ClientOf, region: str, _id: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    gateway = _internet_gateway(client_of, region, declared["InternetGatewayId"], declared)
    return {"InternetGatewayId": gateway["InternetGatewayId"], **_only(gateway, "Attachments")}


def _address(client_of: ClientOf, region: str, public_ip: str, _: Mapping[str, Any]) -> Any:
    return _only(client_of("ec2", region).describe_addresses(PublicIps=[public_ip]), "Addresses")


def _nat_gateway(
    client_of: ClientOf, region: str, gateway_id: str, _: Mapping[str, Any]
) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    shown = _only(ec2.describe_nat_gateways(NatGatewayIds=[gateway_id]), "NatGateways")
    return {**shown, "AllocationId": shown["NatGatewayAddresses"][0].get("AllocationId")}


def _flow_log(client_of: ClientOf, region: str, log_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = _only(client_of("ec2", region).describe_flow_logs(FlowLogIds=[log_id]), "FlowLogs")
    kinds = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface"}
    return {**shown, "ResourceType": kinds[shown["ResourceId"].split("-")[0]]}


def _table(client_of: ClientOf, region: str, table_id: str) -> Any:
    return _only(client_of("ec2", region).describe_route_tables(RouteTableIds=[table_id]), "RouteTables")


def _route_table(client_of: ClientOf, region: str, table_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = _table(client_of, region, table_id)
    return shown


def _route(client_of: ClientOf, region: str, _id: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    table = _table(client_of, region, declared["RouteTableId"])
    destination = {name: value for name, value in declared.items() if name.startswith("Destination")}
    (route,) = [item for item in table["Routes"] if destination.items() <= item.items()]
    return {"RouteTableId": table["RouteTableId"], **route}


def _association(
    client_of: ClientOf, region: str, tie_id: str, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    table = _table(client_of, region, declared["RouteTableId"])
    (tie,) = [item for item in table["Associations"] if item["RouteTableAssociationId"] == tie_id]
    shown: Mapping[str, Any] = tie
    return shown


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of DescribeSecurityGroupRules in CloudFormation's names."""
    peer = "Destination" if rule["IsEgress"] else "Source"
    names = {
        "CidrIp": rule.get("CidrIpv4"),
        "CidrIpv6": rule.get("CidrIpv6"),
        f"{peer}PrefixListId": rule.get("PrefixListId"),
        f"{peer}SecurityGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
    }
    kept = ("GroupId", "IpProtocol", "FromPort", "ToPort", "Description")
    return {
        **{name: rule[name] for name in kept if name in rule},
        **{name: value for name, value in names.items() if value},
    }


def _security_group_rule(
    client_of: ClientOf, region: str, rule_id: str, _: Mapping[str, Any]
) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    return _rule(
        _only(ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id]), "SecurityGroupRules")
    )


def _security_group(
    client_of: ClientOf, region: str, group_id: str, _: Mapping[str, Any]
) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    shown = _only(ec2.describe_security_groups(GroupIds=[group_id]), "SecurityGroups")
    of_group = [{"Name": "group-id", "Values": [group_id]}]
    found = ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
    apart = _rules_of_their_own(client_of, region)
    rules = [item for item in found if item["SecurityGroupRuleId"] not in apart]
    return {
        **shown,
        "GroupDescription": shown["Description"],
        "SecurityGroupIngress": [_rule(item) for item in rules if not item["IsEgress"]],
        "SecurityGroupEgress": [_rule(item) for item in rules if item["IsEgress"]],
    }


def _rules_of_their_own(client_of: ClientOf, region: str) -> set[str]:
    """Return the ids of the rules that are resources of some stack, not part of a group's own."""
    formation = client_of("cloudformation", region)
    return {
        resource["PhysicalResourceId"]
        for stack in formation.describe_stacks()["Stacks"]
        for resource in formation.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
        if resource["ResourceType"].startswith("AWS::EC2::SecurityGroup") and "PhysicalResourceId" in resource
    }


def _acl(client_of: ClientOf, region: str, acl_id: str, _: Mapping[str, Any]) -> Any:
    return _only(client_of("ec2", region).describe_network_acls(NetworkAclIds=[acl_id]), "NetworkAcls")


def _acl_entry(client_of: ClientOf, region: str, _id: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    acl = _acl(client_of, region, declared["NetworkAclId"], declared)
    side = str(declared.get("Egress", False)).lower() == "true"
    (entry,) = [
        item
        for item in acl["Entries"]
        if item["Egress"] == side and item["RuleNumber"] == int(declared["RuleNumber"])
    ]
    return {"NetworkAclId": acl["NetworkAclId"], "Icmp": entry.get("IcmpTypeCode"), **entry}


def _acl_association(client_of: ClientOf, region: str, tie_id: str, declared: Mapping[str, Any]) -> Any:
    acl = _acl(client_of, region, declared["NetworkAclId"], declared)
    (tie,) = [item for item in acl["Associations"] if item["NetworkAclAssociationId"] == tie_id]
    return tie


def _endpoint(client_of: ClientOf, region: str, endpoint_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    shown = _only(ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id]), "VpcEndpoints")
    return {**shown, "SecurityGroupIds": [group["GroupId"] for group in shown["Groups"]]}


def _peering(client_of: ClientOf, region: str, peering_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    ec2 = client_of("ec2", region)
    shown = _only(
        ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id]), "VpcPeeringConnections"
    )
    near, far = shown["RequesterVpcInfo"], shown["AccepterVpcInfo"]
    return {
        **shown,
        "VpcId": near["VpcId"],
        "PeerVpcId": far["VpcId"],
        "PeerRegion": far["Region"],
        "PeerOwnerId": far["OwnerId"],
    }


READERS: dict[str, Reader] = {
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::InternetGateway": _internet_gateway,
    "AWS::EC2::VPCGatewayAttachment": _attachment,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::RouteTable": _route_table,
    "AWS::EC2::Route": _route,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::EC2::SecurityGroupIngress": _security_group_rule,
    "AWS::EC2::SecurityGroupEgress": _security_group_rule,
    "AWS::EC2::NetworkAcl": _acl,
    "AWS::EC2::NetworkAclEntry": _acl_entry,
    "AWS::EC2::SubnetNetworkAclAssociation": _acl_association,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::VPCPeeringConnection": _peering,
}
