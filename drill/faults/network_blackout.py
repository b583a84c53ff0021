"""Takes subnets off the network: entries that deny everything go before all others of their ACLs.

Packets vanish in both directions, as in a region that really goes dark; nothing is refused.
Network ACLs are stateless, so connections that are open die too.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html

The ACLs must be a run's own, made by ``own-network-acl`` in a step before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from drill.faults.network_acls import DENIALS, Acl, denial, is_denial, is_error, see
from drill.faults.reads import all_agree, shown
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class NetworkBlackout(Fault):
    """Denies everything in the network ACLs of some subnets of one VPC.

    Attributes:
        region: Where the VPC is.
        vpc_id: The VPC.
        subnet_ids: The subnets that go dark: all that have these ACLs.
        wait_s: How long AWS's API may take to show what was changed.
        poll_s: How often it is looked at meanwhile.

    """

    region: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "network-blackout"
    plain_undo = True

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all network ACLs, and writes of those that drills make."""
        acls = (f"arn:{{partition}}:ec2:{self.region}:{{account}}:network-acl/*",)
        return (
            Call("capture", "ec2", "DescribeNetworkAcls"),
            Call("inject", "ec2", "CreateNetworkAclEntry", acls, MADE_BY_A_DRILL),
            Call("inject", "ec2", "DescribeNetworkAcls"),
            Call("undo", "ec2", "DescribeNetworkAcls"),
            Call("undo", "ec2", "DeleteNetworkAclEntry", acls, MADE_BY_A_DRILL),
            Call("undone", "ec2", "DescribeNetworkAcls"),
        )

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        return f"the entries that deny everything in {self.vpc_id} are deleted, each by a call of its own"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return one call for each entry; one that is gone already is no harm."""
        calls = (
            ApiCall(
                "ec2",
                self.region,
                "DeleteNetworkAclEntry",
                {"NetworkAclId": acl_id, "RuleNumber": number, "Egress": egress},
            )
            for acl_id, number, egress in _entries(before, run_id)
        )
        return DeadMan(tuple(calls), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"the network ACLs of subnets {', '.join(self.subnet_ids)} of {self.vpc_id} in {self.region} "
            "deny everything: packets to and from them vanish"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the subnets."""
        return tuple(Resource("subnet", "ec2", self.region, subnet_id) for subnet_id in self.subnet_ids)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return which run made the subnets' network ACLs, and the numbers of the entries for each.

        Raises:
            DrillError: A subnet is not in this VPC, an ACL is not a drill's own, other subnets have
                it too, or one of the numbers is taken.

        """
        acls = self._read(aws)
        held = network_acls.of_subnets(acls, self.subnet_ids, f"{self.vpc_id} in {self.region}")
        mine = [acls[acl_id] for acl_id in sorted(set(held.values()))]
        for acl in mine:
            self._check(acl)
        runs = sorted({acl.tags[RUN_TAG] for acl in mine})
        if len(runs) > 1:
            msg = f"network ACLs of {self.vpc_id} are of several runs; put back: drill recover {runs[0]}"
            raise DrillError(msg)
        # Without any entry for IPv6 an ACL lets none of it pass.
        numbers = {acl.id: sorted(DENIALS) if acl.ipv6 else [1] for acl in mine}
        return {"run": runs[0], "acls": numbers}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Put in the entries, and return when AWS's API shows them.

        Raises:
            DrillError: The ACLs are another run's, or somebody else took one of the numbers.

        """
        if before["run"] != intent.run_id:
            other = before["run"]
            msg = f"the subnets' network ACLs are run {other}'s; put that back: drill recover {other}"
            raise DrillError(msg)
        client = aws.client("ec2", self.region)
        wanted = list(_entries(before, intent.run_id))
        for acl_id, number, egress in wanted:
            try:
                client.create_network_acl_entry(NetworkAclId=acl_id, **denial(number, egress=egress))
            except ClientError as problem:
                # A call whose answer was lost may have been sent again.
                if not is_error(problem, "NetworkAclEntryAlreadyExists"):
                    raise
        if not shown(lambda: len(self._there(aws, before)) == len(wanted), self.wait_s, self.poll_s):
            msg = (
                f"after {self.wait_s:g} s not all entries that deny everything are in the subnets' network "
                f"ACLs; see: {see(self.region, *sorted({acl_id for acl_id, _, _ in wanted}))}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete the entries, and leave those that somebody else put in under the same numbers.

        An entry that is not shown is deleted too: AWS's answer to that knows of the last change, while
        a list may not.
        """
        client = aws.client("ec2", self.region)
        acls = self._read(aws)
        drift = []
        for acl_id, number, egress in _entries(before, run_id):
            present = _entry(acls.get(acl_id), number, egress)
            if present is not None and not is_denial(present):
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

    def _read(self, aws: "Aws") -> dict[str, Acl]:
        return network_acls.read(aws, self.region, self.vpc_id)

    def _there(self, aws: "Aws", before: Mapping[str, Json]) -> list[Mapping[str, Json]]:
        """Return the entries that are there and are a blackout's."""
        acls = self._read(aws)
        present = (
            _entry(acls.get(acl_id), number, egress)
            for acl_id, number, egress in _entries(before, str(before["run"]))
        )
        return [entry for entry in present if entry is not None and is_denial(entry)]

    def _check(self, acl: Acl) -> None:
        """Refuse an ACL in which a denial would hit others, or could not be taken out again."""
        if RUN_TAG not in acl.tags:
            msg = (
                f"network ACL {acl.id} was not made by a drill, and others may use it: a step with the fault "
                "own-network-acl must come before; see: drill plan --help"
            )
            raise DrillError(msg)
        others = sorted(set(acl.ties) - set(self.subnet_ids))
        if others:
            msg = (
                f"network ACL {acl.id} is also that of {', '.join(others)}, which would go dark too; "
                f"see: {see(self.region, acl.id)}"
            )
            raise DrillError(msg)
        taken = [entry["RuleNumber"] for entry in acl.entries if entry["RuleNumber"] in DENIALS]
        if taken:
            msg = (
                f"network ACL {acl.id} has an entry with the number {taken[0]} already; put back what is "
                f"left: drill recover {acl.tags[RUN_TAG]}"
            )
            raise DrillError(msg)


def _entries(before: Mapping[str, Json], run_id: str) -> Iterator[tuple[str, int, bool]]:
    """Yield ACL, number and direction of each entry; none where the ACLs are not this run's."""
    captured: Any = before
    if captured["run"] != run_id:
        return
    for acl_id, numbers in captured["acls"].items():
        for number in numbers:
            yield from ((acl_id, number, egress) for egress in (False, True))


def _entry(acl: Acl | None, number: int, egress: bool) -> Mapping[str, Json] | None:
    """Return the entry of a number and a direction, if it is there."""
    entries = () if acl is None else acl.entries
    found = (one for one in entries if (one["RuleNumber"], one["Egress"]) == (number, egress))
    return next(found, None)
