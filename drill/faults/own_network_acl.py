"""Gives subnets copies of their network ACLs, so that a blackout changes nothing of anybody else's.

A copy lets the same packets pass: by itself this breaks nothing. What it is for: its id is known
before ``network-blackout`` denies all in it, so that the undo of that is plain calls of the API.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import network_acls
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    OPTED_IN,
    RUN_TAG,
    TAGGED_AS_MADE,
    Call,
    Fault,
    Intent,
    Resource,
)
from drill.faults.network_acls import DENIALS, Acl, Entry, is_error, see
from drill.faults.own_network_acl_undo import GivingBack
from drill.faults.reads import all_agree, shown
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class OwnNetworkAcl(Fault):
    """Makes one copy of each network ACL that some subnets of a VPC have, and gives it to them.

    Attributes:
        region: Where the VPC is.
        vpc_id: The VPC.
        subnet_ids: The subnets.
        wait_s: How long AWS's API may take to show what was changed.
        poll_s: How often it is looked at meanwhile.
        most_entries: The account's quota of entries of an ACL, each way and for each version of IP,
            https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-nacls

    """

    region: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    wait_s: float = 120.0
    poll_s: float = 0.5
    most_entries: int = 20

    kind = "own-network-acl"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all network ACLs, and writes of this VPC's and of those that drills make."""
        ec2 = f"arn:{{partition}}:ec2:{self.region}:{{account}}"
        acls, vpc = (f"{ec2}:network-acl/*",), f"{ec2}:vpc/{self.vpc_id}"
        subnets = tuple(f"{ec2}:subnet/{subnet_id}" for subnet_id in self.subnet_ids)
        of_vpc = {"ArnEquals": {"ec2:Vpc": vpc}}
        create, replace = "CreateNetworkAcl", "ReplaceNetworkAclAssociation"
        while_making = {"StringEquals": {"ec2:CreateAction": create}}
        return (
            Call("capture", "ec2", "DescribeNetworkAcls"),
            Call("inject", "ec2", "DescribeNetworkAcls"),
            Call("inject", "ec2", create, (vpc,)),
            Call("inject", "ec2", create, acls, TAGGED_AS_MADE),
            Call("inject", "ec2", create, acls, while_making, ("ec2:CreateTags",)),
            Call("inject", "ec2", "CreateNetworkAclEntry", acls, MADE_BY_A_DRILL),
            Call("inject", "ec2", replace, acls, of_vpc),
            Call("inject", "ec2", replace, subnets, OPTED_IN),
            Call("undo", "ec2", "DescribeNetworkAcls"),
            Call("undo", "ec2", replace, acls, of_vpc),
            Call("undo", "ec2", replace, subnets, OPTED_IN),
            Call("undo", "ec2", "DeleteNetworkAcl", acls, MADE_BY_A_DRILL),
            Call("undone", "ec2", "DescribeNetworkAcls"),
        )

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none is needed: the copies let the same packets pass; at worst they are left over, "
            "and drill recover removes them"
        )

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"subnets {', '.join(self.subnet_ids)} of {self.vpc_id} in {self.region} get copies of their "
            "network ACLs with the same entries: nothing changes for packets"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the subnets."""
        return tuple(Resource("subnet", "ec2", self.region, subnet_id) for subnet_id in self.subnet_ids)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the network ACL of each subnet, by subnet id, and the entries of each, by ACL id.

        Raises:
            DrillError: A subnet is not in this VPC, or the copy of an ACL would have no room for the
                entries of a blackout before all others.

        """
        acls = self._read(aws)
        subnets = network_acls.of_subnets(acls, self.subnet_ids, f"{self.vpc_id} in {self.region}")
        held = sorted(set(subnets.values()))
        for acl_id in held:
            self._check(acls[acl_id])
        return {"subnets": subnets, "acls": {acl_id: list(acls[acl_id].entries) for acl_id in held}}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Make the copies that are not there yet, compare them, and give them to the subnets.

        Raises:
            DrillError: A copy is not like what it was made of, or somebody else gave a subnet another
                network ACL since it was captured.

        """
        captured: Any = before
        copies = {
            original: self._copy(aws, original, entries, intent.run_id)
            for original, entries in captured["acls"].items()
        }
        for subnet_id, original in captured["subnets"].items():
            self._give(aws, subnet_id, original, copies[original], intent.run_id)

        def given() -> bool:
            acls = self._read(aws)
            return all(
                copies[original] in acls and subnet_id in acls[copies[original]].ties
                for subnet_id, original in captured["subnets"].items()
            )

        if not shown(given, self.wait_s, self.poll_s):
            msg = (
                f"after {self.wait_s:g} s the subnets of {self.vpc_id} do not show their copies of network "
                "ACLs; "
                f"see: {see(self.region, *copies.values())}"
            )
            raise DrillError(msg)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Give each subnet the network ACL that it had, and delete the copies that nobody uses.

        Raises:
            DrillError: Subnets stay on a copy: somebody changed its entries, or deleted the ACL that
                it was made of.

        """
        captured: Any = before
        names = {self._name(original): original for original in captured["acls"]}
        return GivingBack(aws, self.region, self.vpc_id, captured, run_id, names).done()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether no subnet has a copy of this run, and no copy is left that nobody uses."""
        captured: Any = before
        names = {self._name(original) for original in captured["acls"]}

        def nothing_left() -> bool:
            return not any(
                _made_by(run_id, acl) in names and (not acl.ties or set(acl.ties) & set(self.subnet_ids))
                for acl in self._read(aws).values()
            )

        return all_agree(nothing_left)

    def _read(self, aws: "Aws") -> dict[str, Acl]:
        return network_acls.read(aws, self.region, self.vpc_id)

    def _name(self, original: str) -> str:
        """Return the name of a copy; two steps of one run that copy the same ACL keep apart by it."""
        digest = hashlib.sha256(",".join(sorted(self.subnet_ids)).encode()).hexdigest()
        return f"drill-copy-{digest[:8]}-of-{original}"

    def _check(self, acl: Acl) -> None:
        """Refuse an ACL whose copy could not be made to deny all."""
        if RUN_TAG in acl.tags:
            run_id = acl.tags[RUN_TAG]
            msg = f"network ACL {acl.id} is left from run {run_id}; put that back: drill recover {run_id}"
            raise DrillError(msg)
        taken = sorted({int(str(entry["RuleNumber"])) for entry in acl.entries} & DENIALS.keys())
        if taken:
            msg = (
                f"network ACL {acl.id} has an entry with the number {taken[0]}, and a blackout needs the "
                f"numbers {', '.join(map(str, DENIALS))} before all others; renumber it, see: "
                f"{see(self.region, acl.id)}"
            )
            raise DrillError(msg)
        most = max(
            sum(one["Egress"] is egress and family in one for one in acl.entries)
            for egress in (False, True)
            for family in ("CidrBlock", "Ipv6CidrBlock")
        )
        # Besides them one that denies all, and the last one, which counts too.
        if most + 2 > self.most_entries:
            msg = (
                f"network ACL {acl.id} has {most} entries one way, so that a copy has no room for one more "
                f"(the quota is {self.most_entries}, with the last one); have fewer, or have AWS raise it "
                f"to {most + 2}: aws service-quotas request-service-quota-increase --service-code vpc "
                f"--quota-code L-2AEEBF1A --region {self.region} --desired-value {most + 2}"
            )
            raise DrillError(msg)

    def _copy(self, aws: "Aws", original: str, entries: list[Entry], run_id: str) -> str:
        """Return the id of a run's copy with these entries; make what of it is not there yet."""
        client = aws.client("ec2", self.region)
        name = self._name(original)
        found = (acl.id for acl in self._read(aws).values() if _made_by(run_id, acl) == name)
        copy_id = next(found, "") or self._make(aws, name, run_id)
        for entry in entries:
            try:
                client.create_network_acl_entry(NetworkAclId=copy_id, **entry)
            except ClientError as problem:
                if not is_error(problem, "NetworkAclEntryAlreadyExists"):
                    raise

        def alike() -> bool:
            acl = self._read(aws).get(copy_id)
            present = () if acl is None else acl.entries
            wanted = network_acls.in_order(entries)
            return network_acls.beside_a_drills(present, wanted) == wanted

        if not shown(alike, self.wait_s, self.poll_s):
            msg = (
                f"network ACL {copy_id} did not become a copy of {original} in {self.wait_s:g} s; "
                f"see: {see(self.region, original, copy_id)}"
            )
            raise DrillError(msg)
        return copy_id

    def _make(self, aws: "Aws", name: str, run_id: str) -> str:
        tags = [{"Key": RUN_TAG, "Value": run_id}, {"Key": "Name", "Value": name}]
        made = aws.client("ec2", self.region).create_network_acl(
            VpcId=self.vpc_id, TagSpecifications=[{"ResourceType": "network-acl", "Tags": tags}]
        )
        copy_id = str(made["NetworkAcl"]["NetworkAclId"])
        # Entries are refused for an ACL that not all of AWS has heard of.
        shown(lambda: copy_id in self._read(aws), self.wait_s, self.poll_s)
        return copy_id

    def _give(self, aws: "Aws", subnet_id: str, original: str, copy_id: str, run_id: str) -> None:
        """Give a subnet the copy, if it still has what the copy was made of."""
        holder = next((acl for acl in self._read(aws).values() if subnet_id in acl.ties), None)
        if holder is not None and holder.id == copy_id:
            return
        if holder is None or holder.id != original:
            now = holder.id if holder else "none"
            msg = (
                f"subnet {subnet_id} has network ACL {now} and no longer {original}: somebody else changed "
                f"it; put this drill's part back with: drill recover {run_id}"
            )
            raise DrillError(msg)
        client = aws.client("ec2", self.region)
        client.replace_network_acl_association(AssociationId=holder.ties[subnet_id], NetworkAclId=copy_id)


def _made_by(run_id: str, acl: Acl) -> str | None:
    """Return the name of an ACL that a run made, and none for any other."""
    return acl.tags.get("Name") if acl.tags.get(RUN_TAG) == run_id else None
