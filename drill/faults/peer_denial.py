"""Drops the packets between some subnets and another VPC: entries that deny its address ranges.

They go before all others of the subnets' network ACLs, and concern nothing but the other VPC: clients,
AWS's services and the Internet are reached as before. Network ACLs are stateless, so that connections
that are open die too, also when only one direction is denied.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html

The ACLs must be a run's own, made by ``own-network-acl`` in a step before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import network_acls
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    RUN_TAG,
    ApiCall,
    Call,
    DeadMan,
    Fault,
    Intent,
    Resource,
)
from drill.faults.network_acls import LAST_DENIAL, Acl, Entry, is_error, see
from drill.faults.reads import all_agree, shown
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

_WAYS: Mapping[str, tuple[bool, ...]] = {"both": (False, True), "out": (True,), "in": (False,)}


@dataclass(frozen=True, slots=True)
class PeerDenial(Fault):
    """Denies a VPC's address ranges in the network ACLs of some subnets of another one.

    Attributes:
        region: Where the subnets are.
        vpc_id: Their VPC.
        subnet_ids: The subnets: all that have these ACLs.
        peer_region: Where the other VPC is.
        peer_vpc_id: The other VPC.
        direction: ``out`` (what the subnets send), ``in`` (what comes to them) or ``both``.
        wait_s: How long AWS's API may take to show what was changed.
        poll_s: How often it is looked at meanwhile.

    """

    region: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    peer_region: str
    peer_vpc_id: str
    direction: Literal["both", "out", "in"] = "both"
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "peer-denial"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all network ACLs and VPCs, and writes of the ACLs that drills make."""
        acls = (f"arn:{{partition}}:ec2:{self.region}:{{account}}:network-acl/*",)
        return (
            Call("capture", "ec2", "DescribeNetworkAcls"),
            Call("capture", "ec2", "DescribeVpcs"),
            Call("inject", "ec2", "CreateNetworkAclEntry", acls, MADE_BY_A_DRILL),
            Call("inject", "ec2", "DescribeNetworkAcls"),
            Call("undo", "ec2", "DescribeNetworkAcls"),
            Call("undo", "ec2", "DeleteNetworkAclEntry", acls, MADE_BY_A_DRILL),
            Call("undone", "ec2", "DescribeNetworkAcls"),
        )

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        what = f"the entries that deny {self.peer_vpc_id} in {self.vpc_id}"
        return f"{what} are deleted, each by a call of its own"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return one call for each entry; one that is gone already is no harm."""
        calls = (
            ApiCall(
                "ec2",
                self.region,
                "DeleteNetworkAclEntry",
                {"NetworkAclId": acl_id, "RuleNumber": entry["RuleNumber"], "Egress": entry["Egress"]},
            )
            for acl_id, entry in _denials(before, run_id)
        )
        return DeadMan(tuple(calls), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        way = {"both": "to and from", "out": "to", "in": "from"}[self.direction]
        return (
            f"the network ACLs of subnets {', '.join(self.subnet_ids)} in {self.region} deny all packets "
            f"{way} {self.peer_vpc_id} in {self.peer_region}, and no others"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the subnets."""
        return tuple(Resource("subnet", "ec2", self.region, subnet_id) for subnet_id in self.subnet_ids)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return which run made the subnets' network ACLs, and the entries that each gets.

        Raises:
            DrillError: The ACLs are not a drill's own, other subnets have them too, there is no room
                before their entries, or the other VPC has no address range.

        """
        acls = network_acls.read(aws, self.region, self.vpc_id)
        held = network_acls.of_subnets(acls, self.subnet_ids, f"{self.vpc_id} in {self.region}")
        mine = [acls[acl_id] for acl_id in sorted(set(held.values()))]
        ranges = self._ranges(aws)
        for acl in mine:
            self._check(acl, len(ranges))
        runs = sorted({acl.tags[RUN_TAG] for acl in mine})
        if len(runs) > 1:
            msg = f"network ACLs of {self.vpc_id} are of several runs; put back: drill recover {runs[0]}"
            raise DrillError(msg)
        denials: list[Json] = [
            {"RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", **one}
            for number, one in enumerate(ranges, 1)
            for egress in _WAYS[self.direction]
        ]
        return {"run": runs[0], "acls": [acl.id for acl in mine], "denials": denials}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Put in the entries, and return when AWS's API shows them.

        Raises:
            DrillError: The ACLs are another run's, or AWS does not show the entries.

        """
        if before["run"] != intent.run_id:
            other = before["run"]
            msg = f"the subnets' network ACLs are run {other}'s; put that back: drill recover {other}"
            raise DrillError(msg)
        client = aws.client("ec2", self.region)
        wanted = list(_denials(before, intent.run_id))
        for acl_id, entry in wanted:
            try:
                client.create_network_acl_entry(NetworkAclId=acl_id, **entry)
            except ClientError as problem:
                # A call whose answer was lost may have been sent again.
                if not is_error(problem, "NetworkAclEntryAlreadyExists"):
                    raise
        if not shown(lambda: len(self._there(aws, before)) == len(wanted), self.wait_s, self.poll_s):
            acl_ids = sorted({acl_id for acl_id, _ in wanted})
            msg = (
                f"after {self.wait_s:g} s not all entries that deny {self.peer_vpc_id} are in the subnets' "
                f"network ACLs; see: {see(self.region, *acl_ids)}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete the entries, and leave those that somebody else put in under the same numbers.

        An entry that is not shown is deleted too: AWS's answer to that knows of the last change, while
        a list may not.
        """
        client = aws.client("ec2", self.region)
        acls = network_acls.read(aws, self.region, self.vpc_id)
        drift = []
        for acl_id, entry in _denials(before, run_id):
            number, egress = entry["RuleNumber"], entry["Egress"]
            present = _at(acls.get(acl_id), entry)
            if present is not None and present != entry:
                way = "egress" if egress else "ingress"
                drift.append(
                    f"{way} entry {number} of network ACL {acl_id} is not this drill's any more; "
                    f"see: {see(self.region, acl_id)}"
                )
                continue
            try:
                client.delete_network_acl_entry(NetworkAclId=acl_id, RuleNumber=number, Egress=egress)
            except ClientError as problem:
                if not is_error(problem, "InvalidNetworkAclEntry.NotFound", "InvalidNetworkAclID.NotFound"):
                    raise
        return tuple(drift)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether none of the entries is there any more."""
        return before["run"] != run_id or all_agree(lambda: not self._there(aws, before))

    def _there(self, aws: "Aws", before: Mapping[str, Json]) -> list[Entry]:
        acls = network_acls.read(aws, self.region, self.vpc_id)
        found = _denials(before, str(before["run"]))
        return [entry for acl_id, entry in found if _at(acls.get(acl_id), entry) == entry]

    def _ranges(self, aws: "Aws") -> list[dict[str, str]]:
        """Return the other VPC's address ranges that are associated now, also of IPv6, as entries name them.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
        """
        found = aws.client("ec2", self.peer_region).describe_vpcs(VpcIds=[self.peer_vpc_id])["Vpcs"]
        four = [one for vpc in found for one in vpc.get("CidrBlockAssociationSet", ())]
        six = [one for vpc in found for one in vpc.get("Ipv6CidrBlockAssociationSet", ())]
        ranges = [
            *({"CidrBlock": one["CidrBlock"]} for one in four if _associated(one, "CidrBlockState")),
            *(
                {"Ipv6CidrBlock": one["Ipv6CidrBlock"]}
                for one in six
                if _associated(one, "Ipv6CidrBlockState")
            ),
        ]
        if not ranges:
            msg = f"{self.peer_vpc_id} in {self.peer_region} has no address range; see: drill plan --help"
            raise DrillError(msg)
        return ranges

    def _check(self, acl: Acl, wanted: int) -> None:
        """Refuse an ACL in which a denial would hit others, or would not come before the rest."""
        if RUN_TAG not in acl.tags:
            msg = (
                f"network ACL {acl.id} was not made by a drill, and others may use it: a step with the fault "
                "own-network-acl must come before; see: drill plan --help"
            )
            raise DrillError(msg)
        others = sorted(set(acl.ties) - set(self.subnet_ids))
        if others:
            msg = (
                f"network ACL {acl.id} is also that of {', '.join(others)}, which would lose the other VPC "
                f"too; see: {see(self.region, acl.id)}"
            )
            raise DrillError(msg)
        first = min((int(str(entry["RuleNumber"])) for entry in acl.entries), default=LAST_DENIAL + 1)
        if first <= wanted or wanted > LAST_DENIAL:
            msg = (
                f"network ACL {acl.id} begins with number {first}, and {wanted} entries have to come before "
                f"it; renumber its original, see: {see(self.region, acl.id)}"
            )
            raise DrillError(msg)


def _associated(one: Mapping[str, Any], state: str) -> bool:
    return bool(one.get(state, {}).get("State", "associated") == "associated")


def _denials(before: Mapping[str, Json], run_id: str) -> Iterator[tuple[str, Entry]]:
    """Yield ACL and entry of each denial; none where the ACLs are not this run's."""
    captured: Any = before
    if captured["run"] != run_id:
        return
    for acl_id in captured["acls"]:
        yield from ((acl_id, dict(entry)) for entry in captured["denials"])


def _at(acl: Acl | None, wanted: Entry) -> Entry | None:
    """Return the entry of the same number and direction, if it is there."""
    entries = () if acl is None else acl.entries
    place = (wanted["RuleNumber"], wanted["Egress"])
    return next((one for one in entries if (one["RuleNumber"], one["Egress"]) == place), None)
