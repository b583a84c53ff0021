"""``AWS::EC2::SecurityGroup`` and rules on their own: who may talk to whom.

Rules are told apart by everything but their description,
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number
from infra.lab.stacks.tagging import retag, tagged

# By property of the template, the list of an IpPermission that it goes to, and the name there.
_INGRESS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}
_EGRESS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}
_SIDES = {"SecurityGroupIngress": _INGRESS, "SecurityGroupEgress": _EGRESS}
# What the lab's network obeys of a rule; it has no IPv6.
_RULE = ("CidrIp", "FromPort", "GroupId", "IpProtocol", "ToPort")
_SETTLED = {"InvalidPermission.Duplicate", "InvalidPermission.NotFound"}
# What a group has before it has rules of its own.
_EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _permission(rule: Mapping[str, Any], side: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return a rule as EC2 takes it."""
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    permission |= {name: number(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    for name, (listed, key) in side.items():
        if name in rule:
            permission[listed] = [{key: rule[name], **chosen(rule, "Description")}]
    return permission


def _permissions(wanted: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [_permission(rule, _SIDES[name]) for rule in wanted.get(name) or ()]


def _identity(permission: Mapping[str, Any]) -> str:
    bare = {
        key: [{name: item[name] for name in item if name != "Description"} for item in value]
        if isinstance(value, list)
        else value
        for key, value in permission.items()
    }
    return json.dumps(bare, sort_keys=True)


def _group(request: Request) -> Made:
    ec2, wanted = request.client("ec2"), request.properties
    group_id = ec2.create_security_group(
        GroupName=wanted.get("GroupName") or request.name(255),
        Description=wanted["GroupDescription"],
        VpcId=wanted["VpcId"],
        **tagged(request, "security-group"),
    )["GroupId"]
    _follow(request, group_id, "SecurityGroupIngress", before=())
    _follow(request, group_id, "SecurityGroupEgress", before=(_EVERYTHING,))
    return Made(group_id, {"GroupId": group_id, "Id": group_id, "VpcId": wanted["VpcId"]})


def _follow(request: Request, group_id: str, name: str, before: Iterable[dict[str, Any]]) -> None:
    """Change the rules of one side; those that stay are never away."""
    wanted = _permissions(request.properties, name)
    if name == "SecurityGroupEgress" and not wanted:
        wanted = [_EVERYTHING]
    former = {_identity(one): one for one in before}
    needed = {_identity(one): one for one in wanted}
    ec2, side = request.client("ec2"), name.removeprefix("SecurityGroup").lower()
    for key, one in needed.items():
        if key not in former:
            _settled(getattr(ec2, f"authorize_security_group_{side}"), group_id, one)
        elif former[key] != one:
            _settled(getattr(ec2, f"update_security_group_rule_descriptions_{side}"), group_id, one)
    for key, one in former.items():
        if key not in needed:
            _settled(getattr(ec2, f"revoke_security_group_{side}"), group_id, one)


def _settled(call: Callable[..., Any], group_id: str, rule: Mapping[str, Any]) -> None:
    """Give or take a rule; one that is there, or gone, already is as it should be."""
    try:
        call(GroupId=group_id, IpPermissions=[rule])
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in _SETTLED:
            raise


def _update_group(request: Request, made: Made) -> Made | None:
    if request.changed() - {"Tags", *_SIDES}:
        return None
    group_id = made.physical_resource_id
    for name in _SIDES:
        before = _permissions(request.before, name)
        if name == "SecurityGroupEgress" and not before:
            before = [_EVERYTHING]
        _follow(request, group_id, name, before)
    retag(request, group_id)
    return made


def _delete_group(request: Request, made: Made) -> None:
    request.client("ec2").delete_security_group(GroupId=made.physical_resource_id)


def _ingress(request: Request) -> Made:
    return _rule(request, "SecurityGroupIngress")


def _egress(request: Request) -> Made:
    return _rule(request, "SecurityGroupEgress")


def _rule(request: Request, name: str) -> Made:
    wanted, side = request.properties, name.removeprefix("SecurityGroup").lower()
    made = getattr(request.client("ec2"), f"authorize_security_group_{side}")(
        GroupId=wanted["GroupId"], IpPermissions=[_permission(wanted, _SIDES[name])]
    )
    rule_id = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return Made(rule_id, {"Id": rule_id})


def _update_rule(request: Request, made: Made) -> Made | None:
    """Change the description; a rule with another meaning is another rule."""
    if request.changed() - {"Description"}:
        return None
    ingress = made.cf_resource_type.endswith("Ingress")
    side, name = ("ingress", "SecurityGroupIngress") if ingress else ("egress", "SecurityGroupEgress")
    getattr(request.client("ec2"), f"update_security_group_rule_descriptions_{side}")(
        GroupId=request.properties["GroupId"], IpPermissions=[_permission(request.properties, _SIDES[name])]
    )
    return made


def _delete_ingress(request: Request, made: Made) -> None:
    request.client("ec2").revoke_security_group_ingress(
        GroupId=request.properties["GroupId"], SecurityGroupRuleIds=[made.physical_resource_id]
    )


def _delete_egress(request: Request, made: Made) -> None:
    request.client("ec2").revoke_security_group_egress(
        GroupId=request.properties["GroupId"], SecurityGroupRuleIds=[made.physical_resource_id]
    )


TYPES = (
    ResourceType(
        "AWS::EC2::SecurityGroup",
        _group,
        _delete_group,
        _update_group,
        frozenset({"GroupId", "Id", "VpcId"}),
        frozenset({"VpcId", *_SIDES}),
    ),
    ResourceType(
        "AWS::EC2::SecurityGroupIngress",
        _ingress,
        _delete_ingress,
        _update_rule,
        frozenset({"Id"}),
        frozenset({*_RULE, "SourceSecurityGroupId", "SourcePrefixListId"}),
    ),
    ResourceType(
        "AWS::EC2::SecurityGroupEgress",
        _egress,
        _delete_egress,
        _update_rule,
        frozenset({"Id"}),
        frozenset({*_RULE, "DestinationSecurityGroupId", "DestinationPrefixListId"}),
    ),
)
