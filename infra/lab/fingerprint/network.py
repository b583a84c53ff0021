"""Sections of the network: VPCs and all that is in them, load balancers, Route 53."""

from typing import Any

from infra.lab.fingerprint.sections import Client, Description, Section, listed

GONE = frozenset({"deleted", "deleting", "expired", "failed", "rejected"})


def _unless_gone(_: Client, one: Description) -> Description | None:
    return None if one["State"] in GONE else one


def _vpc(client: Client, one: Description) -> Description:
    attributes = {
        name: client.describe_vpc_attribute(VpcId=one["VpcId"], Attribute=name[0].lower() + name[1:])[name]
        for name in ("EnableDnsSupport", "EnableDnsHostnames")
    }
    return {**one, **attributes}


def _health_check(client: Client, one: Description) -> Description:
    tags = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=one["Id"])
    return {**one, "Tags": tags["ResourceTagSet"]["Tags"]}


def _zone(client: Client, one: Description) -> Description:
    zone_id = one["Id"].rpartition("/")[2]
    tags = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    records = list(listed(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id))
    return {**one, "Records": records, "Tags": tags["ResourceTagSet"]["Tags"]}


def _elb_tags(client: Client, arn: str) -> list[Any]:
    (one,) = client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    tags: list[Any] = one["Tags"]
    return tags


def _load_balancer(client: Client, one: Description) -> Description:
    arn = one["LoadBalancerArn"]
    return {
        **one,
        "Attributes": client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
        "Tags": _elb_tags(client, arn),
        "Listeners": [
            _listener(client, listener)
            for listener in listed(client, "describe_listeners", "Listeners", LoadBalancerArn=arn)
        ],
    }


def _listener(client: Client, one: Description) -> Description:
    arn = one["ListenerArn"]
    return {
        **one,
        "Attributes": client.describe_listener_attributes(ListenerArn=arn)["Attributes"],
        "Rules": client.describe_rules(ListenerArn=arn)["Rules"],
        "Tags": _elb_tags(client, arn),
    }


def _target_group(client: Client, one: Description) -> Description:
    arn = one["TargetGroupArn"]
    return {
        **one,
        "Attributes": client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"],
        "Tags": _elb_tags(client, arn),
        "Targets": client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"],
    }


REGIONAL = (
    Section("vpcs", "ec2", "describe_vpcs", "Vpcs", "VpcId", _vpc),
    Section("subnets", "ec2", "describe_subnets", "Subnets", "SubnetId"),
    Section("route_tables", "ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    Section("network_acls", "ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    Section("security_groups", "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    Section(
        "internet_gateways", "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    Section("nat_gateways", "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId", _unless_gone),
    Section("addresses", "ec2", "describe_addresses", "Addresses", "AllocationId"),
    Section("endpoints", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", _unless_gone),
    Section("flow_logs", "ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    Section(
        "peerings",
        "ec2",
        "describe_vpc_peering_connections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
    ),
    Section(
        "load_balancers",
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        "LoadBalancerArn",
        _load_balancer,
    ),
    Section(
        "target_groups", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", _target_group
    ),
)
WITHOUT_REGION = (
    Section("health_checks", "route53", "list_health_checks", "HealthChecks", "Id", _health_check),
    Section("record_sets", "route53", "list_hosted_zones", "HostedZones", "Id", _zone),
)
