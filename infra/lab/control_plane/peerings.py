"""VPC peerings as AWS describes them: by filters, and an id that is not there is an error.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html
"""

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


def install() -> None:
    """Mend moto's peerings."""
    replace(VPCPeeringConnectionBackend, "describe_vpc_peering_connections", _only_known)
    replace(VPCPeeringConnectionBackend, "get_vpc_peering_connection", _known)
    replace(VPCPeeringConnections, "describe_vpc_peering_connections", _filtered)
    replace(TaggedEC2Resource, "get_filter_value", _filter_value)


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
        return ActionResult({"VpcPeeringConnections": chosen})

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
