"""Security groups as AWS has them: rules are told apart by what they allow, and references hold groups."""

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import (
    GroupedSecurityRuleView,
    SecurityGroup,
    SecurityGroupBackend,
    SecurityGroupRule,
)

from infra.lab.control_plane.mending import Function, replace


def install() -> None:
    """Mend moto's security groups."""
    replace(SecurityGroupRule, "__init__", _rule)
    replace(SecurityGroupRule, "__eq__", lambda _: _same)
    replace(SecurityGroupRule, "description", lambda _: property(_description))
    replace(SecurityGroup, "_flattened_rules", _flattened)
    replace(SecurityGroupBackend, "_sg_update_description", lambda _: _describe)
    replace(SecurityGroupBackend, "delete_security_group", _delete)


def _rule(original: Function) -> Function:
    """Keep a prefix list's description, which moto drops."""

    def init(rule: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:
        original(rule, *args, **kwargs)
        prefixes = args[7] if len(args) > 7 else kwargs.get("prefix_list_id")
        rule.prefixes = dict(prefixes or {})

    return init


def _identity(rule: SecurityGroupRule) -> tuple[Any, ...]:
    source = rule.source_group or {}
    return (
        rule.ip_protocol,
        rule.from_port,
        rule.to_port,
        rule.ip_range.get("CidrIp"),
        rule.ip_range.get("CidrIpv6"),
        source.get("GroupId"),
        rule.prefix_list_id,
    )


def _same(rule: SecurityGroupRule, other: object) -> bool:
    return isinstance(other, SecurityGroupRule) and _identity(rule) == _identity(other)


def _peer(rule: SecurityGroupRule) -> dict[str, str]:
    """Return the part of a rule that says who, with its description."""
    found: dict[str, str] = rule.ip_range or rule.source_group or rule.prefixes
    return found


def _description(rule: SecurityGroupRule) -> str | None:
    return _peer(rule).get("Description")


def _describe(_backend: EC2Backend, wanted: SecurityGroupRule, rule: SecurityGroupRule) -> None:
    _peer(rule).pop("Description", None)
    if _description(wanted) is not None:
        _peer(rule)["Description"] = _peer(wanted)["Description"]


def _flattened(original: Function) -> Function:
    def flattened(group: SecurityGroup, rules: list[SecurityGroupRule]) -> list[GroupedSecurityRuleView]:
        views: list[GroupedSecurityRuleView] = original(group, rules)
        prefixes = {rule.prefix_list_id: rule.prefixes for rule in rules if rule.prefix_list_id}
        for view in views:
            view.prefix_list_ids = [prefixes[item["PrefixListId"]] for item in view.prefix_list_ids]
        return views

    return flattened


def _delete(original: Function) -> Function:
    def delete(backend: EC2Backend, name: str | None = None, group_id: str | None = None) -> None:
        group = backend.get_security_group_by_name_or_id(group_id or name or "")
        if group is not None and _needed(backend, group):
            msg = f"resource {group.id} has a dependent object"
            raise DependencyViolationError(msg)
        original(backend, name=name, group_id=group_id)

    return delete


def _needed(backend: EC2Backend, group: SecurityGroup) -> bool:
    others = [item for groups in list(backend.groups.values()) for item in list(groups.values())]
    referenced = any(
        (rule.source_group or {}).get("GroupId") == group.id
        for other in others
        if other is not group
        for rule in (*other.ingress_rules, *other.egress_rules)
    )
    attached = any(
        group in (getattr(interface, "group_set", None) or ()) for interface in list(backend.enis.values())
    )
    return referenced or attached
