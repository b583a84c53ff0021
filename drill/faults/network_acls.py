"""What the faults of a VPC's network read and change: its network ACLs and their entries.

An ACL is a list of numbered entries for each direction; the lowest number that matches a packet
decides. Every subnet has exactly one ACL, by a tie whose id is a new one after each change.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

Entry: TypeAlias = dict[str, Json]
"""One entry, as the API shows it and takes it."""

# From here on are the entries that deny the rest, which every ACL has and nobody can change,
# https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html
_FIRST_FIXED = 32767
_SHOWN_AND_TAKEN = (
    "RuleNumber",
    "Egress",
    "Protocol",
    "RuleAction",
    "CidrBlock",
    "Ipv6CidrBlock",
    "IcmpTypeCode",
    "PortRange",
)

DENIALS: Mapping[int, Mapping[str, str]] = {1: {"CidrBlock": "0.0.0.0/0"}, 2: {"Ipv6CidrBlock": "::/0"}}
"""The numbers under which a blackout denies all of IPv4, and all of IPv6."""

LAST_DENIAL = 20
"""Under the numbers up to this one drills deny something in ACLs of their own; a VPC has fewer ranges."""


@dataclass(frozen=True, slots=True)
class Acl:
    """A network ACL.

    Attributes:
        id: Its id.
        tags: Its tags.
        ties: By subnet that has it, the id of their tie.
        entries: Its entries in order, without those that nobody can change.
        ipv6: Whether it says anything of IPv6; if not, no packet of IPv6 passes it.

    """

    id: str
    tags: Mapping[str, str]
    ties: Mapping[str, str]
    entries: tuple[Entry, ...]
    ipv6: bool


def read(aws: "Aws", region: str, vpc_id: str) -> dict[str, Acl]:
    """Return all network ACLs of a VPC by id."""
    pages = aws.client("ec2", region).get_paginator("describe_network_acls")
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    found = [acl for page in pages.paginate(Filters=of_vpc) for acl in page["NetworkAcls"]]
    return {acl["NetworkAclId"]: _acl(acl) for acl in found}


def _acl(shown: Mapping[str, Any]) -> Acl:
    entries = [
        {key: entry[key] for key in _SHOWN_AND_TAKEN if entry.get(key) is not None}
        for entry in shown["Entries"]
    ]
    return Acl(
        id=shown["NetworkAclId"],
        tags={tag["Key"]: tag["Value"] for tag in shown.get("Tags", ())},
        ties={tie["SubnetId"]: tie["NetworkAclAssociationId"] for tie in shown["Associations"]},
        entries=in_order(entry for entry in entries if entry["RuleNumber"] < _FIRST_FIXED),
        ipv6=any("Ipv6CidrBlock" in entry for entry in entries),
    )


def in_order(entries: Any) -> tuple[Entry, ...]:  # noqa: ANN401 (JSON)
    """Return entries in the order in which they are compared."""
    return tuple(sorted(entries, key=lambda entry: (entry["Egress"], entry["RuleNumber"])))


def of_subnets(acls: Mapping[str, Acl], subnet_ids: Collection[str], where: str) -> dict[str, str]:
    """Return the id of each subnet's network ACL, by subnet.

    Raises:
        DrillError: A subnet is not in this VPC.

    """
    held = {subnet_id: acl.id for acl in acls.values() for subnet_id in acl.ties}
    missing = sorted(set(subnet_ids) - set(held))
    if missing:
        msg = (
            f"{where} has no subnet {', '.join(missing)}: the target file is out of date; "
            "see: drill plan --help"
        )
        raise DrillError(msg)
    return {subnet_id: held[subnet_id] for subnet_id in subnet_ids}


def denial(number: int, *, egress: bool) -> Entry:
    """Return the entry by which a blackout denies everything one way."""
    return {
        "RuleNumber": number,
        "Egress": egress,
        "Protocol": "-1",
        "RuleAction": "deny",
        **DENIALS[number],
    }


def is_denial(entry: Mapping[str, Json]) -> bool:
    """Say whether an entry is one of a blackout, and nobody else's."""
    number = entry["RuleNumber"]
    return number in DENIALS and entry == denial(int(str(number)), egress=bool(entry["Egress"]))


def beside_a_drills(entries: Iterable[Entry], original: Collection[Entry]) -> tuple[Entry, ...]:
    """Return the entries of a drill's copy of an ACL without those by which a drill denies something."""
    return tuple(one for one in entries if one in original or not _is_drills(one))


def _is_drills(entry: Mapping[str, Json]) -> bool:
    plain = entry["RuleAction"] == "deny" and entry["Protocol"] == "-1"
    return plain and int(str(entry["RuleNumber"])) <= LAST_DENIAL


def is_error(problem: ClientError, *codes: str) -> bool:
    """Say whether AWS's answer was one of these errors.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    return problem.response["Error"]["Code"] in codes


def see(region: str, *acl_ids: str) -> str:
    """Return the command that shows network ACLs."""
    return f"aws ec2 describe-network-acls --region {region} --network-acl-ids {' '.join(acl_ids)}"
