"""Network ACLs as AWS has them: what can't be removed, how many entries, ICMP, changing association ids.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.network_acls import (
    NetworkAcl,
    NetworkAclAssociation,
    NetworkAclBackend,
    NetworkAclEntry,
)
from moto.ec2.responses.network_acls import NetworkACLs
from moto.ec2.utils import random_network_acl_subnet_association_id

from infra.lab.control_plane.mending import Function, replace

# The entries that can't be removed and deny what no other allows: of IPv4, and of IPv6 where the VPC
# has it, https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html
_LAST_RULE, _LAST_IPV6_RULE = 32767, 32768
# Entries of one direction and one version of IP; the last one counts too,
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
_MOST_ENTRIES = 20


class _NoSuchAssociation(EC2ClientError):
    def __init__(self, association_id: str) -> None:
        super().__init__(
            "InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist"
        )


class _NoSuchEntry(EC2ClientError):
    def __init__(self, network_acl_id: str, rule_number: int, egress: bool) -> None:
        way = "egress" if egress else "ingress"
        super().__init__(
            "InvalidNetworkAclEntry.NotFound", f"no {way} entry with number {rule_number} in {network_acl_id}"
        )


class _Reserved(EC2ClientError):
    def __init__(self, rule_number: int) -> None:
        super().__init__(
            "InvalidParameterValue",
            f"Value ({rule_number}) for parameter ruleNumber is invalid: it is reserved",
        )


class _TooMany(EC2ClientError):
    def __init__(self, network_acl_id: str) -> None:
        super().__init__(
            "NetworkAclEntryLimitExceeded",
            f"The maximum number of network ACL entries for {network_acl_id} has been reached",
        )


def install() -> None:
    """Mend moto's network ACLs."""
    replace(NetworkAclBackend, "create_network_acl", _create)
    replace(NetworkAclBackend, "describe_network_acls", _describe)
    replace(NetworkAclBackend, "delete_network_acl_entry", _delete_entry)
    replace(NetworkAclBackend, "replace_network_acl_association", _replace_association)
    replace(NetworkACLs, "create_network_acl_entry", _create_entry_response)
    replace(NetworkACLs, "replace_network_acl_entry", _replace_entry_response)


def _create(original: Function) -> Function:
    def create(
        backend: EC2Backend, vpc_id: str, tags: list[dict[str, str]] | None = None, default: bool = False
    ) -> NetworkAcl:
        acl: NetworkAcl = original(backend, vpc_id, tags, default)
        if not default:
            _add_last(backend, acl, _LAST_RULE, cidr_block="0.0.0.0/0", ipv6_cidr_block=None)
            if backend.get_vpc(vpc_id).get_cidr_block_association_set(ipv6=True):
                _add_last(backend, acl, _LAST_IPV6_RULE, cidr_block=None, ipv6_cidr_block="::/0")
        return acl

    return create


def _add_last(backend: EC2Backend, acl: NetworkAcl, rule_number: int, **ranges: str | None) -> None:
    for egress in (True, False):
        backend.create_network_acl_entry(
            network_acl_id=acl.id,
            rule_number=rule_number,
            protocol="-1",
            rule_action="deny",
            egress=egress,
            icmp_code=None,
            icmp_type=None,
            port_range_from=None,
            port_range_to=None,
            **ranges,
        )


def _describe(original: Function) -> Function:
    def describe(
        backend: EC2Backend,
        network_acl_ids: list[str] | None = None,
        filters: Any = None,
    ) -> list[NetworkAcl]:
        for acl_id in network_acl_ids or ():
            backend.get_network_acl(acl_id)  # which says so by its right name when it is not there
        found: list[NetworkAcl] = original(backend, network_acl_ids, filters)
        return found

    return describe


def _delete_entry(original: Function) -> Function:
    """Refuse an entry that is not there, over which moto fails, and those that stay."""

    def delete(backend: EC2Backend, network_acl_id: str, rule_number: int, egress: bool) -> NetworkAclEntry:
        if rule_number >= _LAST_RULE:
            raise _Reserved(rule_number)
        entries = list(backend.get_network_acl(network_acl_id).network_acl_entries)
        if not any((one.egress, one.rule_number) == (egress, rule_number) for one in entries):
            raise _NoSuchEntry(network_acl_id, rule_number, egress)
        deleted: NetworkAclEntry = original(backend, network_acl_id, rule_number, egress)
        return deleted

    return delete


def _create_entry_response(_original: Function) -> Function:
    def create(response: NetworkACLs) -> ActionResult:
        asked = _asked(response)
        present = response.ec2_backend.get_network_acl(asked["network_acl_id"]).network_acl_entries
        alike = [
            one
            for one in list(present)
            if one.egress == asked["egress"] and bool(one.ipv6_cidr_block) == bool(asked["ipv6_cidr_block"])
        ]
        if len(alike) >= _MOST_ENTRIES and asked["rule_number"] not in {one.rule_number for one in alike}:
            raise _TooMany(asked["network_acl_id"])
        response.ec2_backend.create_network_acl_entry(**asked)
        return EmptyResult()

    return create


def _replace_entry_response(_original: Function) -> Function:
    def swap(response: NetworkACLs) -> ActionResult:
        response.ec2_backend.replace_network_acl_entry(**_asked(response))
        return EmptyResult()

    return swap


def _asked(response: NetworkACLs) -> Mapping[str, Any]:
    """Return an entry as a request gives it; moto looks for the ICMP type under another name.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
    """
    rule_number = response._get_param("RuleNumber")
    if not 1 <= rule_number < _LAST_RULE:
        raise _Reserved(rule_number)
    return {
        "network_acl_id": response._get_param("NetworkAclId"),
        "rule_number": rule_number,
        "protocol": response._get_param("Protocol"),
        "rule_action": response._get_param("RuleAction"),
        "egress": response._get_param("Egress"),
        "cidr_block": response._get_param("CidrBlock"),
        "icmp_code": response._get_param("IcmpTypeCode.Code"),
        "icmp_type": response._get_param("IcmpTypeCode.Type"),
        "port_range_from": response._get_param("PortRange.From"),
        "port_range_to": response._get_param("PortRange.To"),
        "ipv6_cidr_block": response._get_param("Ipv6CidrBlock"),
    }


def _replace_association(_original: Function) -> Function:
    def swap(backend: EC2Backend, association_id: str, network_acl_id: str) -> NetworkAclAssociation:
        wanted = backend.get_network_acl(network_acl_id)
        holder = next(
            (acl for acl in list(backend.network_acls.values()) if association_id in acl._associations), None
        )
        if holder is None:
            raise _NoSuchAssociation(association_id)
        new_id = random_network_acl_subnet_association_id()
        subnet_id = holder._associations[association_id].subnet_id
        # The new one first: there is no moment in which the subnet has no ACL.
        association = NetworkAclAssociation(backend, new_id, subnet_id, network_acl_id)
        wanted._associations[new_id] = association
        holder._associations.pop(association_id, None)
        return association

    return swap
