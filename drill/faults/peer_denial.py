"""Drops the packets between some subnets and another VPC: entries that deny its address ranges.

They go before all others of the subnets' network ACLs, and concern nothing but the other VPC: clients,
AWS's services and the Internet are reached as before. Network ACLs are stateless, so that connections
that are open die too, also when only one direction is denied.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html

The ACLs must be a run's own, made by ``own-network-acl`` in a step before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from drill.errors import DrillError
from drill.faults import denials
from drill.faults.contract import Call, DeadMan, Fault, Intent, Resource
from drill.faults.denials import Denials
from drill.faults.network_acls import LAST_DENIAL, Acl, see
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
        return (Call("capture", "ec2", "DescribeVpcs"), *denials.calls(self.region))

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        what = f"the entries that deny {self.peer_vpc_id} in {self.vpc_id}"
        return f"{what} are deleted, each by a call of its own"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return one call for each entry; one that is gone already is no harm."""
        return DeadMan(self._denials(before, run_id).dead_man_calls(), self.dead_man_note)

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
        loss = "lose the other VPC"
        run, mine = denials.own_acls(aws, self.region, self.vpc_id, self.subnet_ids, loss)
        ranges = self._ranges(aws)
        for acl in mine:
            self._check(acl, len(ranges))
        entries: list[Json] = [
            {"RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", **one}
            for number, one in enumerate(ranges, 1)
            for egress in _WAYS[self.direction]
        ]
        return {"run": run, "acls": [acl.id for acl in mine], "denials": entries}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Put in the entries, and return when AWS's API shows them.

        Raises:
            DrillError: The ACLs are another run's, or AWS does not show the entries.

        """
        denials.refuse_foreign(before["run"], intent.run_id)
        self._denials(before, intent.run_id).put_in(aws, self.peer_vpc_id, self.wait_s, self.poll_s)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete the entries, and leave those that somebody else put in under the same numbers."""
        return self._denials(before, run_id).take_out(aws)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether none of the entries is there any more."""
        return self._denials(before, run_id).gone(aws)

    def _denials(self, before: Mapping[str, Json], run_id: str) -> Denials:
        captured: Any = before
        entries = ((acl_id, dict(entry)) for acl_id in captured["acls"] for entry in captured["denials"])
        return Denials(self.region, self.vpc_id, tuple(entries) if captured["run"] == run_id else ())

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
        """Refuse an ACL in which a denial would not come before the rest."""
        first = min((int(str(entry["RuleNumber"])) for entry in acl.entries), default=LAST_DENIAL + 1)
        if first <= wanted or wanted > LAST_DENIAL:
            msg = (
                f"network ACL {acl.id} begins with number {first}, and {wanted} entries have to come before "
                f"it; renumber its original, see: {see(self.region, acl.id)}"
            )
            raise DrillError(msg)


def _associated(one: Mapping[str, Any], state: str) -> bool:
    return bool(one.get(state, {}).get("State", "associated") == "associated")
