"""VPC peerings as AWS has them: described by filters, one between two VPCs, tags of each region's own.

An id that is not there is an error.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

from ipaddress import IPv4Network
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.vpc_peering_connections import VPCPeeringConnection, VPCPeeringConnectionBackend
from moto.ec2.responses.vpc_peering_connections import VPCPeeringConnections

from infra.lab.control_plane.mending import Function, replace


class NoSuchPeering(EC2ClientError):
    """A peering that is not there."""

    def __init__(self, peering_id: str) -> None:
        """Say so by the code that AWS documents.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        """
        super().__init__(
            "InvalidVpcPeeringConnectionID.NotFound",
            f"The vpcPeeringConnection ID '{peering_id}' does not exist",
        )


class PeeringAlreadyExists(EC2ClientError):
    """Two VPCs are joined, or about to be, already."""

    def __init__(self, peering_id: str) -> None:
        """Say so by the code that AWS documents.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        """
        super().__init__(
            "VpcPeeringConnectionAlreadyExists",
            f"A VPC peering connection between the VPCs already exists: {peering_id}",
        )


_OVER = frozenset({"deleted", "expired", "failed", "rejected"})


def install() -> None:
    """Mend moto's peerings."""
    replace(VPCPeeringConnectionBackend, "create_vpc_peering_connection", _one_at_once)
    replace(VPCPeeringConnectionBackend, "describe_vpc_peering_connections", _only_known)
    replace(VPCPeeringConnectionBackend, "get_vpc_peering_connection", _known)
    replace(VPCPeeringConnections, "describe_vpc_peering_connections", _filtered)
    replace(TaggedEC2Resource, "get_filter_value", _filter_value)


def _one_at_once(original: Function) -> Function:
    """Refuse a second peering between two VPCs; one whose ranges overlap fails at once."""

    def create(
        backend: EC2Backend, vpc: Any, peer_vpc: Any, tags: dict[str, str] | None = None
    ) -> VPCPeeringConnection:
        for other in list(backend.vpc_pcxs.values()):
            ends = {other.vpc.id, other.peer_vpc.id}
            if ends == {vpc.id, peer_vpc.id} and other._status.code not in _OVER:
                raise PeeringAlreadyExists(other.id)
        made: VPCPeeringConnection = original(backend, vpc, peer_vpc, tags)
        if IPv4Network(vpc.cidr_block).overlaps(IPv4Network(peer_vpc.cidr_block)):
            made._status.code, made._status.message = "failed", "Failed due to overlapping CIDR range"
        return made

    return create


class _Seen:
    """A peering as one of its regions shows it: with the tags that it has there."""

    def __init__(self, peering: VPCPeeringConnection, backend: EC2Backend) -> None:
        self._peering, self._backend = peering, backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peering, name)

    @property
    def tag_set(self) -> Any:
        return self._backend.describe_tags(filters={"resource-id": [self._peering.id]})

    tag_list = tags = tag_set


def _only_known(original: Function) -> Function:
    def describe(backend: EC2Backend, vpc_peering_ids: list[str] | None = None) -> list[VPCPeeringConnection]:
        for peering_id in vpc_peering_ids or ():
            backend.get_vpc_peering_connection(peering_id)
        found: list[VPCPeeringConnection] = original(backend, vpc_peering_ids)
        return found

    return describe


def _known(_original: Function) -> Function:
    def get(backend: EC2Backend, vpc_pcx_id: str) -> VPCPeeringConnection:
        found: VPCPeeringConnection | None = backend.vpc_pcxs.get(vpc_pcx_id)
        if found is None:
            raise NoSuchPeering(vpc_pcx_id)
        return found

    return get


def _filtered(_original: Function) -> Function:
    def describe(response: VPCPeeringConnections) -> ActionResult:
        asked = response._get_param("VpcPeeringConnectionIds", [])
        found = response.ec2_backend.describe_vpc_peering_connections(vpc_peering_ids=asked)
        chosen = utils.generic_filter(response._filters_from_querystring(), found)
        shown = [_Seen(one, response.ec2_backend) for one in chosen]
        return ActionResult({"VpcPeeringConnections": shown})

    return describe


def _filter_value(original: Function) -> Function:
    def value(resource: TaggedEC2Resource, filter_name: str, method_name: str | None = None) -> Any:
        known = _known_filters(resource) if isinstance(resource, VPCPeeringConnection) else {}
        return known[filter_name] if filter_name in known else original(resource, filter_name, method_name)

    return value


def _known_filters(peering: VPCPeeringConnection) -> dict[str, str]:
    """Return what the filters look at, but for those of tags."""
    values: dict[str, str] = {
        "vpc-peering-connection-id": peering.id,
        "status-code": peering.status["Code"],
        "status-message": peering.status["Message"],
    }
    sides = {"requester": peering.requester_vpc_info, "accepter": peering.accepter_vpc_info}
    for side, vpc in sides.items():
        for name, key in (("vpc-id", "VpcId"), ("owner-id", "OwnerId"), ("cidr-block", "CidrBlock")):
            values[f"{side}-vpc-info.{name}"] = vpc[key]
    return values
