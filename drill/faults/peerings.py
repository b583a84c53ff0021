"""Reads VPC peerings: which one joins two VPCs now, its tags and its options.

Each side is described in its own region, where its tags are. A deleted peering is terminal: one that
is made in its place has another id, and there is never more than one that is not terminal between two
VPCs: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drill.aws import Aws

ACTIVE = "active"
# From the request to the one that carries.
COMING = ("initiating-request", "pending-acceptance", "provisioning")
DELETING = "deleting"
_RESERVED = "aws:"


@dataclass(frozen=True, slots=True)
class Side:
    """One VPC of a peering.

    Attributes:
        region: Where it is.
        vpc_id: The VPC.
        owner: The account that it belongs to.
        options: What is allowed over the peering; empty where it is not told.

    """

    region: str
    vpc_id: str
    owner: str
    options: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Peering:
    """A peering as one region shows it.

    Attributes:
        id: Its id.
        state: For example ``active``.
        requester: Who asked for it.
        accepter: Who was asked.
        tags: Its tags in that region, without those that AWS alone may give.

    """

    id: str
    state: str
    requester: Side
    accepter: Side
    tags: Mapping[str, str]

    def joins(self, *vpc_ids: str) -> bool:
        """Say whether it is between these two VPCs, whoever asked."""
        return {self.requester.vpc_id, self.accepter.vpc_id} == set(vpc_ids)


def read(aws: "Aws", region: str, vpc_id: str) -> tuple[Peering, ...]:
    """Return all peerings of a VPC, also those that are shown for a while after they ended."""
    client = aws.client("ec2", region)
    listed: list[Mapping[str, Any]] = []
    for side in ("requester", "accepter"):
        asked = [{"Name": f"{side}-vpc-info.vpc-id", "Values": [vpc_id]}]
        pages = client.get_paginator("describe_vpc_peering_connections").paginate(Filters=asked)
        listed += [one for page in pages for one in page["VpcPeeringConnections"]]
    return tuple(_peering(one) for one in listed)


def see(region: str, peering_id: str) -> str:
    """Return the command that shows a peering."""
    return (
        f"aws ec2 describe-vpc-peering-connections --region {region} "
        f"--vpc-peering-connection-ids {peering_id}"
    )


def _peering(shown: Mapping[str, Any]) -> Peering:
    return Peering(
        id=shown["VpcPeeringConnectionId"],
        state=shown["Status"]["Code"],
        requester=_side(shown["RequesterVpcInfo"]),
        accepter=_side(shown["AccepterVpcInfo"]),
        tags={
            tag["Key"]: tag["Value"]
            for tag in shown.get("Tags", ())
            if not tag["Key"].lower().startswith(_RESERVED)
        },
    )


def _side(shown: Mapping[str, Any]) -> Side:
    return Side(
        region=shown.get("Region", ""),
        vpc_id=shown["VpcId"],
        owner=shown["OwnerId"],
        options={key: bool(value) for key, value in shown.get("PeeringOptions", {}).items()},
    )
