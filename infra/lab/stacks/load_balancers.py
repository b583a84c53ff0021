"""``AWS::ElasticLoadBalancingV2::*``: application load balancers in front of functions."""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth

_BALANCER = ("Subnets", "SubnetMappings", "SecurityGroups", "Scheme", "Type", "IpAddressType")
_BALANCER_CHANGES = {"Subnets", "SecurityGroups", "IpAddressType", "LoadBalancerAttributes", "Tags"}
_BALANCER_ATTRIBUTES = frozenset(
    {
        "LoadBalancerArn",
        "DNSName",
        "CanonicalHostedZoneID",
        "LoadBalancerName",
        "LoadBalancerFullName",
        "SecurityGroups",
    }
)
_GROUP = ("TargetType", "Protocol", "ProtocolVersion", "VpcId", "IpAddressType")
_HEALTH = ("HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol", "Matcher")
_HEALTH_NUMBERS = (
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)
_GROUP_CHANGES = {
    *_HEALTH,
    *_HEALTH_NUMBERS,
    "HealthCheckEnabled",
    "Targets",
    "TargetGroupAttributes",
    "Tags",
}


def _attributes(wanted: Any) -> list[dict[str, str]]:
    """Return attributes as the API takes them; a truth value is written in small letters."""
    return [{"Key": item["Key"], "Value": _text(item["Value"])} for item in wanted or ()]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retag(request: Request, arn: str) -> None:
    elb, gone = request.client("elbv2"), request.tags_gone()
    if gone:
        elb.remove_tags(ResourceArns=[arn], TagKeys=gone)
    if request.tag_list():
        elb.add_tags(ResourceArns=[arn], Tags=request.tag_list())


def _balancer(request: Request) -> Made:
    elb, wanted = request.client("elbv2"), request.properties
    tags = {"Tags": request.tag_list()} if request.tag_list() else {}
    made = elb.create_load_balancer(
        Name=wanted.get("Name") or request.name(32), **chosen(wanted, *_BALANCER), **tags
    )["LoadBalancers"][0]
    _set_balancer_attributes(request, made["LoadBalancerArn"])
    attributes = {
        "LoadBalancerArn": made["LoadBalancerArn"],
        "DNSName": made["DNSName"],
        "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
        "LoadBalancerName": made["LoadBalancerName"],
        "LoadBalancerFullName": made["LoadBalancerArn"].partition(":loadbalancer/")[2],
        "SecurityGroups": made.get("SecurityGroups", []),
    }
    return Made(made["LoadBalancerArn"], attributes)


def _set_balancer_attributes(request: Request, arn: str) -> None:
    wanted = _attributes(request.properties.get("LoadBalancerAttributes"))
    if wanted:
        request.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)


def _update_balancer(request: Request, made: Made) -> Made | None:
    changed, wanted, arn = request.changed(), request.properties, made.physical_resource_id
    if changed - _BALANCER_CHANGES:
        return None
    elb = request.client("elbv2")
    if "Subnets" in changed:
        elb.set_subnets(LoadBalancerArn=arn, Subnets=wanted["Subnets"])
    if "SecurityGroups" in changed:
        elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=wanted["SecurityGroups"])
    if "IpAddressType" in changed:
        elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=wanted.get("IpAddressType", "ipv4"))
    _set_balancer_attributes(request, arn)
    _retag(request, arn)
    return made


def _delete_balancer(request: Request, made: Made) -> None:
    request.client("elbv2").delete_load_balancer(LoadBalancerArn=made.physical_resource_id)


def _health(request: Request) -> dict[str, Any]:
    wanted = request.properties
    call: dict[str, Any] = chosen(wanted, *_HEALTH)
    call |= {name: number(wanted[name]) for name in _HEALTH_NUMBERS if name in wanted}
    if "HealthCheckEnabled" in wanted:
        call["HealthCheckEnabled"] = truth(wanted["HealthCheckEnabled"])
    return call


def _group(request: Request) -> Made:
    elb, wanted = request.client("elbv2"), request.properties
    call: dict[str, Any] = chosen(wanted, *_GROUP)
    if "Port" in wanted:
        call["Port"] = number(wanted["Port"])
    if request.tag_list():
        call["Tags"] = request.tag_list()
    made = elb.create_target_group(Name=wanted.get("Name") or request.name(32), **call, **_health(request))[
        "TargetGroups"
    ][0]
    arn = made["TargetGroupArn"]
    _set_group_attributes(request, arn)
    _register(request, arn)
    attributes = {
        "TargetGroupArn": arn,
        "TargetGroupName": made["TargetGroupName"],
        "TargetGroupFullName": arn.rpartition(":")[2],
    }
    return Made(arn, attributes)


def _set_group_attributes(request: Request, arn: str) -> None:
    wanted = _attributes(request.properties.get("TargetGroupAttributes"))
    if wanted:
        request.client("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)


def _register(request: Request, arn: str) -> None:
    elb = request.client("elbv2")
    wanted = [chosen(target, "Id") for target in request.properties.get("Targets", ())]
    former = [chosen(target, "Id") for target in request.before.get("Targets", ())]
    gone = [target for target in former if target not in wanted]
    if gone:
        elb.deregister_targets(TargetGroupArn=arn, Targets=gone)
    if wanted:
        elb.register_targets(TargetGroupArn=arn, Targets=wanted)


def _update_group(request: Request, made: Made) -> Made | None:
    changed, arn = request.changed(), made.physical_resource_id
    if changed - _GROUP_CHANGES:
        return None
    if changed & {*_HEALTH, *_HEALTH_NUMBERS, "HealthCheckEnabled"}:
        request.client("elbv2").modify_target_group(TargetGroupArn=arn, **_health(request))
    _set_group_attributes(request, arn)
    _register(request, arn)
    _retag(request, arn)
    return made


def _delete_group(request: Request, made: Made) -> None:
    request.client("elbv2").delete_target_group(TargetGroupArn=made.physical_resource_id)


def _listener_call(request: Request) -> dict[str, Any]:
    wanted = request.properties
    return {
        "Port": number(wanted["Port"]),
        "Protocol": wanted["Protocol"],
        "DefaultActions": wanted["DefaultActions"],
        **chosen(wanted, "Certificates", "SslPolicy", "AlpnPolicy"),
    }


def _listener(request: Request) -> Made:
    tags = {"Tags": request.tag_list()} if request.tag_list() else {}
    made = request.client("elbv2").create_listener(
        LoadBalancerArn=request.properties["LoadBalancerArn"], **_listener_call(request), **tags
    )
    arn = made["Listeners"][0]["ListenerArn"]
    _set_listener_attributes(request, arn)
    return Made(arn, {"ListenerArn": arn})


def _set_listener_attributes(request: Request, arn: str) -> None:
    wanted = _attributes(request.properties.get("ListenerAttributes"))
    if wanted:
        request.client("elbv2").modify_listener_attributes(ListenerArn=arn, Attributes=wanted)


def _update_listener(request: Request, made: Made) -> Made | None:
    if "LoadBalancerArn" in request.changed():
        return None
    request.client("elbv2").modify_listener(ListenerArn=made.physical_resource_id, **_listener_call(request))
    _set_listener_attributes(request, made.physical_resource_id)
    _retag(request, made.physical_resource_id)
    return made


def _delete_listener(request: Request, made: Made) -> None:
    request.client("elbv2").delete_listener(ListenerArn=made.physical_resource_id)


_N = "AWS::ElasticLoadBalancingV2::"
TYPES = (
    ResourceType(
        f"{_N}LoadBalancer",
        _balancer,
        _delete_balancer,
        _update_balancer,
        _BALANCER_ATTRIBUTES,
        frozenset({"Subnets", "SecurityGroups"}),
    ),
    ResourceType(
        f"{_N}TargetGroup",
        _group,
        _delete_group,
        _update_group,
        frozenset({"TargetGroupArn", "TargetGroupName", "TargetGroupFullName"}),
        frozenset({"TargetType", "Targets"}),
    ),
    ResourceType(
        f"{_N}Listener",
        _listener,
        _delete_listener,
        _update_listener,
        frozenset({"ListenerArn"}),
        frozenset({"LoadBalancerArn", "Port", "DefaultActions"}),
    ),
)
