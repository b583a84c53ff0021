"""``AWS::ElasticLoadBalancingV2::*``: application load balancers in front of functions."""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number

_BALANCER = ("Subnets", "SecurityGroups", "Scheme", "Type", "IpAddressType")
_GROUP = ("TargetType", "Protocol", "VpcId", "HealthCheckPath", "HealthCheckProtocol", "Matcher")
_BALANCER_ATTRIBUTES = frozenset(
    {"LoadBalancerArn", "DNSName", "CanonicalHostedZoneID", "LoadBalancerName", "LoadBalancerFullName"}
)


def _balancer(request: Request) -> Made:
    elb, wanted = request.client("elbv2"), request.properties
    made = elb.create_load_balancer(
        Name=wanted.get("Name") or request.name(32), **chosen(wanted, *_BALANCER), Tags=request.tag_list()
    )["LoadBalancers"][0]
    if wanted.get("LoadBalancerAttributes"):
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=made["LoadBalancerArn"],
            Attributes=[
                {"Key": item["Key"], "Value": str(item["Value"])} for item in wanted["LoadBalancerAttributes"]
            ],
        )
    attributes = {
        "LoadBalancerArn": made["LoadBalancerArn"],
        "DNSName": made["DNSName"],
        "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
        "LoadBalancerName": made["LoadBalancerName"],
        "LoadBalancerFullName": made["LoadBalancerArn"].partition(":loadbalancer/")[2],
    }
    return Made(made["LoadBalancerArn"], attributes)


def _delete_balancer(request: Request, made: Made) -> None:
    request.client("elbv2").delete_load_balancer(LoadBalancerArn=made.physical_resource_id)


def _group(request: Request) -> Made:
    elb, wanted = request.client("elbv2"), request.properties
    call: dict[str, Any] = chosen(wanted, *_GROUP)
    if "Port" in wanted:
        call["Port"] = number(wanted["Port"])
    made = elb.create_target_group(
        Name=wanted.get("Name") or request.name(32), **call, Tags=request.tag_list()
    )["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    _register(request, arn)
    return Made(arn, {"TargetGroupArn": arn, "TargetGroupName": made["TargetGroupName"]})


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
    if request.changed() - {"Targets", "Tags"}:
        return None
    _register(request, made.physical_resource_id)
    return made


def _delete_group(request: Request, made: Made) -> None:
    request.client("elbv2").delete_target_group(TargetGroupArn=made.physical_resource_id)


def _listener_call(request: Request) -> dict[str, Any]:
    wanted = request.properties
    return {
        "Port": number(wanted["Port"]),
        "Protocol": wanted["Protocol"],
        "DefaultActions": wanted["DefaultActions"],
        **chosen(wanted, "Certificates", "SslPolicy"),
    }


def _listener(request: Request) -> Made:
    made = request.client("elbv2").create_listener(
        LoadBalancerArn=request.properties["LoadBalancerArn"], **_listener_call(request)
    )
    arn = made["Listeners"][0]["ListenerArn"]
    return Made(arn, {"ListenerArn": arn})


def _update_listener(request: Request, made: Made) -> Made | None:
    if "LoadBalancerArn" in request.changed():
        return None
    request.client("elbv2").modify_listener(ListenerArn=made.physical_resource_id, **_listener_call(request))
    return made


def _delete_listener(request: Request, made: Made) -> None:
    request.client("elbv2").delete_listener(ListenerArn=made.physical_resource_id)


_N = "AWS::ElasticLoadBalancingV2::"
TYPES = (
    ResourceType(f"{_N}LoadBalancer", _balancer, _delete_balancer, attributes=_BALANCER_ATTRIBUTES),
    ResourceType(
        f"{_N}TargetGroup",
        _group,
        _delete_group,
        _update_group,
        frozenset({"TargetGroupArn", "TargetGroupName"}),
    ),
    ResourceType(f"{_N}Listener", _listener, _delete_listener, _update_listener, frozenset({"ListenerArn"})),
)
