"""EC2 networking as AWS has it: deny-all ACLs, changing association ids, black-hole routes."""

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import AmiBackend
from moto.ec2.models.network_acls import NetworkAcl, NetworkAclAssociation, NetworkAclBackend
from moto.ec2.models.route_tables import Route
from moto.ec2.utils import random_network_acl_subnet_association_id

from infra.lab.control_plane.mending import Function, replace

# The entry that can't be removed and denies what no other allows,
# https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
_LAST_RULE = 32767
_CARRYING = {"active"}


class _NoSuchAssociation(EC2ClientError):
    def __init__(self, association_id: str) -> None:
        super().__init__(
            "InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist"
        )


def install() -> None:
    """Mend moto's EC2."""
    replace(NetworkAclBackend, "create_network_acl", _create_network_acl)
    replace(NetworkAclBackend, "replace_network_acl_association", _replace_association)
    replace(NetworkAclBackend, "describe_network_acls", _describe_network_acls)
    replace(Route, "state", _route_state)
    # Hundreds of machine images, read anew for each region, which no template here names.
    replace(AmiBackend, "_load_amis", lambda _: lambda _backend: None)


def _create_network_acl(original: Function) -> Function:
    def create(
        backend: EC2Backend, vpc_id: str, tags: list[dict[str, str]] | None = None, default: bool = False
    ) -> NetworkAcl:
        acl: NetworkAcl = original(backend, vpc_id, tags, default)
        if not default:
            for egress in (True, False):
                backend.create_network_acl_entry(
                    network_acl_id=acl.id,
                    rule_number=_LAST_RULE,
                    protocol="-1",
                    rule_action="deny",
                    egress=egress,
                    cidr_block="0.0.0.0/0",
                    icmp_code=None,
                    icmp_type=None,
                    port_range_from=None,
                    port_range_to=None,
                    ipv6_cidr_block=None,
                )
        return acl

    return create


def _describe_network_acls(original: Function) -> Function:
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


def _route_state(_original: property) -> property:
    def state(route: Any) -> str:
        lost = route.vpc_pcx is not None and route.vpc_pcx._status.code not in _CARRYING
        return "blackhole" if lost else "active"

    return property(state)
