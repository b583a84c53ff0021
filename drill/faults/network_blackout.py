"""Takes subnets off the network: their network ACL is swapped for one that denies everything.

Packets vanish in both directions, as in a region that really goes dark; nothing is refused.
Network ACLs are stateless, so connections that are open die too.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.contract import (
    MADE_BY_A_DRILL,
    OPTED_IN,
    RUN_TAG,
    TAGGED_AS_MADE,
    Call,
    DeadMan,
    Fault,
    Intent,
    Resource,
)
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class _Association:
    """Which network ACL a subnet has now, and the id of that tie (a new one after each change)."""

    id: str
    acl_id: str


@dataclass(frozen=True, slots=True)
class NetworkBlackout(Fault):
    """Gives some subnets of one VPC a network ACL without entries, which denies all.

    Attributes:
        region: Where the VPC is.
        vpc_id: The VPC.
        subnet_ids: The subnets that go dark.

    """

    region: str
    vpc_id: str
    subnet_ids: tuple[str, ...]

    kind = "network-blackout"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of all network ACLs, and writes of this VPC's."""
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
        return "none: the ids that the undo needs are made by the injection; use: drill recover"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return no calls."""
        return DeadMan((), self.dead_man_note)

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"subnets {', '.join(self.subnet_ids)} of {self.vpc_id} in {self.region} get a network ACL "
            "that denies everything: packets to and from them vanish"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the subnets."""
        return tuple(Resource("subnet", "ec2", self.region, subnet_id) for subnet_id in self.subnet_ids)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the network ACL of each subnet, by subnet id.

        Raises:
            DrillError: A subnet is not in this VPC.

        """
        associations = self._associations(aws)
        missing = sorted(set(self.subnet_ids) - set(associations))
        if missing:
            msg = (
                f"{self.vpc_id} in {self.region} has no subnet {', '.join(missing)}: "
                "the target file is out of date; see: drill plan --help"
            )
            raise DrillError(msg)
        return {subnet_id: associations[subnet_id].acl_id for subnet_id in self.subnet_ids}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Make the denying network ACL, if it is not there yet, and give it to each subnet.

        Raises:
            DrillError: Somebody else gave a subnet another network ACL since it was captured.

        """
        made = self._made(aws, intent.run_id)
        acl_id = made[0] if made else self._make(aws, intent.run_id)
        for subnet_id, captured in before.items():
            now = self._associations(aws)[subnet_id]
            if now.acl_id == acl_id:
                continue
            if now.acl_id != captured:
                msg = (
                    f"subnet {subnet_id} has network ACL {now.acl_id} and no longer {captured}: somebody "
                    f"else changed it; put this drill's part back with: drill recover {intent.run_id}"
                )
                raise DrillError(msg)
            self._give(aws, now, acl_id)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Give each subnet the network ACL that it had, and delete the denying ones of this run.

        Every subnet is tried, whatever goes wrong with another.

        Raises:
            DrillError: A subnet has a network ACL that neither was captured nor is this run's;
                it is left as it is.

        """
        made = self._made(aws, run_id)
        drifted: list[str] = []
        failures: list[ClientError] = []
        for subnet_id, captured in before.items():
            now = self._associations(aws).get(subnet_id)
            if now is not None and now.acl_id in made:
                failures += self._give_back(aws, now, str(captured))
            elif now is None or now.acl_id != captured:
                drifted.append(f"{subnet_id} has {now.acl_id if now else 'none'}, not {captured}")
        for acl_id in made:
            failures += self._delete(aws, acl_id)
        if failures:
            raise failures[0]
        return tuple(drifted)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether no network ACL of this run is left; then no subnet can have one."""
        return not self._made(aws, run_id)

    def _name(self) -> str:
        """Return the name of what this fault makes; two blackouts of one run keep apart by it."""
        digest = hashlib.sha256(",".join(sorted(self.subnet_ids)).encode()).hexdigest()
        return f"drill-blackout-{digest[:12]}"

    def _made(self, aws: "Aws", run_id: str) -> list[str]:
        found = self._acls(
            aws,
            {"Name": "vpc-id", "Values": [self.vpc_id]},
            {"Name": f"tag:{RUN_TAG}", "Values": [run_id]},
            {"Name": "tag:Name", "Values": [self._name()]},
        )
        return sorted(acl["NetworkAclId"] for acl in found)

    def _make(self, aws: "Aws", run_id: str) -> str:
        tags = [{"Key": RUN_TAG, "Value": run_id}, {"Key": "Name", "Value": self._name()}]
        made = aws.client("ec2", self.region).create_network_acl(
            VpcId=self.vpc_id, TagSpecifications=[{"ResourceType": "network-acl", "Tags": tags}]
        )
        return str(made["NetworkAcl"]["NetworkAclId"])

    def _associations(self, aws: "Aws") -> dict[str, _Association]:
        return {
            one["SubnetId"]: _Association(one["NetworkAclAssociationId"], acl["NetworkAclId"])
            for acl in self._acls(aws, {"Name": "vpc-id", "Values": [self.vpc_id]})
            for one in acl["Associations"]
            if one["SubnetId"] in self.subnet_ids
        }

    def _acls(self, aws: "Aws", *filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        pages = aws.client("ec2", self.region).get_paginator("describe_network_acls")
        return [acl for page in pages.paginate(Filters=list(filters)) for acl in page["NetworkAcls"]]

    def _give(self, aws: "Aws", now: _Association, acl_id: str) -> None:
        client = aws.client("ec2", self.region)
        client.replace_network_acl_association(AssociationId=now.id, NetworkAclId=acl_id)

    def _give_back(self, aws: "Aws", now: _Association, acl_id: str) -> list[ClientError]:
        try:
            self._give(aws, now, acl_id)
        except ClientError as problem:
            return [problem]
        return []

    def _delete(self, aws: "Aws", acl_id: str) -> list[ClientError]:
        try:
            aws.client("ec2", self.region).delete_network_acl(NetworkAclId=acl_id)
        except ClientError as problem:
            return [problem]
        return []
