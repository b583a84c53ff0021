"""Readers of ``AWS::ElasticLoadBalancingV2::*``."""

from collections.abc import Mapping
from typing import Any

from tests.infra.described.reader import ClientOf, Reader


def _balancer(client_of: ClientOf, region: str, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    elb = client_of("elbv2", region)
    (shown,) = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    return {
        **shown,
        "Name": shown["LoadBalancerName"],
        "Subnets": [zone["SubnetId"] for zone in shown["AvailabilityZones"]],
        "LoadBalancerAttributes": _those(elb.describe_load_balancer_attributes(LoadBalancerArn=arn), _),
        "Tags": _tags(elb, arn),
    }


def _those(answer: Mapping[str, Any], declared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the attributes that the template names; there are others, with values of AWS's own."""
    wanted = [value for name, value in declared.items() if name.endswith("Attributes")]
    names = {item["Key"] for items in wanted for item in items}
    return [item for item in answer["Attributes"] if item["Key"] in names]


def _tags(elb: Any, arn: str) -> Any:
    return elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]


def _group(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    elb = client_of("elbv2", region)
    (shown,) = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {
        **shown,
        "Name": shown["TargetGroupName"],
        "Targets": [one["Target"] for one in health],
        "TargetGroupAttributes": _those(elb.describe_target_group_attributes(TargetGroupArn=arn), declared),
        "Tags": _tags(elb, arn),
    }


def _listener(client_of: ClientOf, region: str, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    elb = client_of("elbv2", region)
    (shown,) = elb.describe_listeners(ListenerArns=[arn])["Listeners"]
    attributes = elb.describe_listener_attributes(ListenerArn=arn)
    return {**shown, "ListenerAttributes": _those(attributes, declared), "Tags": _tags(elb, arn)}


READERS: dict[str, Reader] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _group,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
}
