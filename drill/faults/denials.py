"""Entries that deny, before all others of network ACLs that a run made for itself: put in, seen, taken out.

Network ACLs are stateless, so that connections that are open die too.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import network_acls
from drill.faults.contract import MADE_BY_A_DRILL, RUN_TAG, ApiCall, Call
from drill.faults.network_acls import Acl, Entry, is_error, see
from drill.faults.reads import all_agree, shown

if TYPE_CHECKING:
    from drill.aws import Aws


def calls(region: str) -> tuple[Call, ...]:
    """Return the reads of all network ACLs of a region, and the writes of those that drills make."""
    acls = (f"arn:{{partition}}:ec2:{region}:{{account}}:network-acl/*",)
    return (
        Call("capture", "ec2", "DescribeNetworkAcls"),
        Call("inject", "ec2", "CreateNetworkAclEntry", acls, MADE_BY_A_DRILL),
        Call("inject", "ec2", "DescribeNetworkAcls"),
        Call("undo", "ec2", "DescribeNetworkAcls"),
        Call("undo", "ec2", "DeleteNetworkAclEntry", acls, MADE_BY_A_DRILL),
        Call("undone", "ec2", "DescribeNetworkAcls"),
    )


def own_acls(
    aws: "Aws", region: str, vpc_id: str, subnet_ids: Collection[str], loss: str
) -> tuple[str, list[Acl]]:
    """Return which run made the network ACLs of some subnets, and these ACLs.

    Args:
        aws: With what.
        region: Where the subnets are.
        vpc_id: Their VPC.
        subnet_ids: The subnets.
        loss: What would become of other subnets that have the same ACLs.

    Raises:
        DrillError: A subnet is not in this VPC, an ACL is not a drill's own, several runs made them, or
            other subnets have them too.

    """
    acls = network_acls.read(aws, region, vpc_id)
    held = network_acls.of_subnets(acls, subnet_ids, f"{vpc_id} in {region}")
    mine = [acls[acl_id] for acl_id in sorted(set(held.values()))]
    for acl in mine:
        if RUN_TAG not in acl.tags:
            msg = (
                f"network ACL {acl.id} was not made by a drill, and others may use it: a step with the fault "
                "own-network-acl must come before; see: drill plan --help"
            )
            raise DrillError(msg)
        others = sorted(set(acl.ties) - set(subnet_ids))
        if others:
            msg = (
                f"network ACL {acl.id} is also that of {', '.join(others)}, which would {loss} too; "
                f"see: {see(region, acl.id)}"
            )
            raise DrillError(msg)
    runs = sorted({acl.tags[RUN_TAG] for acl in mine})
    if len(runs) > 1:
        msg = f"network ACLs of {vpc_id} are of several runs; put back: drill recover {runs[0]}"
        raise DrillError(msg)
    return runs[0], mine


def refuse_foreign(run: object, run_id: str) -> None:
    """Refuse to change ACLs that another run made.

    Raises:
        DrillError: They are another run's.

    """
    if run != run_id:
        msg = f"the subnets' network ACLs are run {run}'s; put that back: drill recover {run}"
        raise DrillError(msg)


@dataclass(frozen=True, slots=True)
class Denials:
    """What one fault denies.

    Attributes:
        region: Where the ACLs are.
        vpc_id: Their VPC.
        entries: Each entry with the ACL that it goes into; none where the ACLs are another run's.

    """

    region: str
    vpc_id: str
    entries: tuple[tuple[str, Entry], ...]

    def dead_man_calls(self) -> tuple[ApiCall, ...]:
        """Return one call for each entry; one that is gone already is no harm."""
        return tuple(
            ApiCall("ec2", self.region, "DeleteNetworkAclEntry", {"NetworkAclId": acl_id, **_place(entry)})
            for acl_id, entry in self.entries
        )

    def put_in(self, aws: "Aws", what: str, wait_s: float, poll_s: float) -> None:
        """Put in the entries, and return when AWS's API shows them.

        Args:
            aws: With what.
            what: What they deny, for the message.
            wait_s: How long AWS's API may take to show them.
            poll_s: How often it is looked at meanwhile.

        Raises:
            DrillError: It does not show them in that time, or somebody else took one of the numbers.

        """
        client = aws.client("ec2", self.region)
        for acl_id, entry in self.entries:
            try:
                client.create_network_acl_entry(NetworkAclId=acl_id, **entry)
            except ClientError as problem:
                # A call whose answer was lost may have been sent again.
                if not is_error(problem, "NetworkAclEntryAlreadyExists"):
                    raise
        if not shown(lambda: self._count(aws) == len(self.entries), wait_s, poll_s):
            acl_ids = sorted({acl_id for acl_id, _ in self.entries})
            msg = (
                f"after {wait_s:g} s not all entries that deny {what} are in the subnets' network ACLs; "
                f"see: {see(self.region, *acl_ids)}"
            )
            raise DrillError(msg)

    def take_out(self, aws: "Aws") -> tuple[str, ...]:
        """Delete the entries; return those that somebody else put in under the same numbers, which stay.

        An entry that is not shown is deleted too: AWS's answer to that knows of the last change, while
        a list may not.
        """
        client = aws.client("ec2", self.region)
        acls = network_acls.read(aws, self.region, self.vpc_id)
        drift = []
        for acl_id, entry in self.entries:
            present = _at(acls.get(acl_id), entry)
            if present is not None and present != entry:
                way = "egress" if entry["Egress"] else "ingress"
                drift.append(
                    f"{way} entry {entry['RuleNumber']} of network ACL {acl_id} is not this drill's any "
                    f"more; see: {see(self.region, acl_id)}"
                )
                continue
            try:
                client.delete_network_acl_entry(NetworkAclId=acl_id, **_place(entry))
            except ClientError as problem:
                if not is_error(problem, "InvalidNetworkAclEntry.NotFound", "InvalidNetworkAclID.NotFound"):
                    raise
        return tuple(drift)

    def gone(self, aws: "Aws") -> bool:
        """Say whether none of the entries is there any more."""
        return all_agree(lambda: not self._count(aws))

    def _count(self, aws: "Aws") -> int:
        """Return how many of the entries are there."""
        acls = network_acls.read(aws, self.region, self.vpc_id)
        return sum(1 for acl_id, entry in self.entries if _at(acls.get(acl_id), entry) == entry)


def _place(entry: Entry) -> Entry:
    """Return by what an entry is told from the others of its ACL."""
    return {"RuleNumber": entry["RuleNumber"], "Egress": entry["Egress"]}


def _at(acl: Acl | None, wanted: Entry) -> Entry | None:
    """Return the entry of the same number and direction, if it is there."""
    entries = () if acl is None else acl.entries
    return next((one for one in entries if _place(one) == _place(wanted)), None)
