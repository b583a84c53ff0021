"""The way back of :class:`drill.faults.own_network_acl.OwnNetworkAcl`: compare, give back, delete.

No subnet is left without a network ACL that lets something pass, and nobody's entries are lost: a
copy that somebody changed, or whose original is gone, stays with its subnets until a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import network_acls
from drill.faults.contract import RUN_TAG
from drill.faults.network_acls import Acl, is_error, see
from drill.faults.reads import READS

if TYPE_CHECKING:
    from drill.aws import Aws

# More rounds than reads that must agree: old answers make some of them useless.
_ROUNDS = 12


@dataclass
class GivingBack:
    """One undo.

    Attributes:
        aws: With what.
        region: Where the VPC is.
        vpc_id: The VPC.
        captured: What was captured.
        run_id: The run whose copies go.
        names: By the name of a copy, the id of the ACL that it was made of.

    """

    aws: "Aws"
    region: str
    vpc_id: str
    captured: Mapping[str, Any]
    run_id: str
    names: Mapping[str, str]
    _stuck: dict[str, str] = field(default_factory=dict)
    _failures: list[ClientError] = field(default_factory=list)

    def done(self) -> tuple[str, ...]:
        """Go round until several rounds in a row find nothing to do; return what others changed.

        Raises:
            DrillError: Subnets stay on a copy.
            ClientError: AWS refused something else.

        """
        idle = 0
        acls: Mapping[str, Acl] = {}
        for _ in range(_ROUNDS):
            acls = network_acls.read(self.aws, self.region, self.vpc_id)
            self._failures.clear()
            self._stuck.clear()
            idle = 0 if self._round(acls) else idle + 1
            if self._failures or idle == READS:
                break
        if self._failures:
            raise self._failures[0]
        drift = tuple(self._drift(acls))
        blocked = [*self._stuck.values(), *self._changed(acls)]
        if blocked:
            raise DrillError("; ".join((*blocked, *drift)))
        return drift

    def _round(self, acls: Mapping[str, Acl]) -> bool:
        """Do what can be done as things are; say whether there was anything."""
        did = False
        for copy, original in self._copies(acls):
            mine = [subnet_id for subnet_id in copy.ties if subnet_id in self.captured["subnets"]]
            for subnet_id in () if self._is_changed(copy, original) else mine:
                did |= self._give_back(copy, subnet_id, self.captured["subnets"][subnet_id])
            if not copy.ties:
                self._delete(copy.id)
                did = True
        return did

    def _copies(self, acls: Mapping[str, Acl]) -> list[tuple[Acl, str]]:
        """Return this step's copies that are there, each with what it was made of."""
        made = (acl for acl in acls.values() if acl.tags.get(RUN_TAG) == self.run_id)
        return [(acl, self.names[name]) for acl in made if (name := acl.tags.get("Name", "")) in self.names]

    def _is_changed(self, copy: Acl, original: str) -> bool:
        """Say whether somebody else changed a copy; what a drill denies in it doesn't count."""
        wanted = network_acls.in_order(self.captured["acls"][original])
        return network_acls.beside_a_drills(copy.entries, wanted) != wanted

    def _give_back(self, copy: Acl, subnet_id: str, original: str) -> bool:
        """Give a subnet its ACL again; say whether that is to be looked at once more."""
        client = self.aws.client("ec2", self.region)
        try:
            client.replace_network_acl_association(AssociationId=copy.ties[subnet_id], NetworkAclId=original)
        except ClientError as problem:
            if is_error(problem, "InvalidNetworkAclID.NotFound"):
                self._stuck[subnet_id] = (
                    f"subnet {subnet_id} stays on {copy.id}, a copy of network ACL {original}, which was "
                    "deleted by somebody else; give it another: aws ec2 replace-network-acl-association "
                    f"--region {self.region} --association-id {copy.ties[subnet_id]} --network-acl-id ACL, "
                    f"then: drill recover {self.run_id}"
                )
                return False
            # An association that is gone was read from an old answer.
            if not is_error(problem, "InvalidAssociationID.NotFound"):
                self._failures.append(problem)
        return True

    def _delete(self, copy_id: str) -> None:
        try:
            self.aws.client("ec2", self.region).delete_network_acl(NetworkAclId=copy_id)
        except ClientError as problem:
            # It is gone already, or in use, and an old answer said otherwise.
            if not is_error(problem, "InvalidNetworkAclID.NotFound", "DependencyViolation"):
                self._failures.append(problem)

    def _changed(self, acls: Mapping[str, Acl]) -> list[str]:
        """Return a line for each copy that somebody changed and that keeps subnets of the drill."""
        return [
            f"network ACL {copy.id}, a copy of {original}, was changed by somebody else and stays with "
            f"{', '.join(sorted(kept))}; compare them: {see(self.region, copy.id, original)}, give the "
            f"subnets the one that you want, then: drill recover {self.run_id}"
            for copy, original in self._copies(acls)
            if (kept := copy.ties.keys() & self.captured["subnets"].keys())
            and self._is_changed(copy, original)
        ]

    def _drift(self, acls: Mapping[str, Acl]) -> list[str]:
        """Return a line for each thing that somebody else changed and that is left as it is."""
        lines = []
        copies = {copy.id: copy for copy, _ in self._copies(acls)}
        held = {subnet_id: acl.id for acl in acls.values() for subnet_id in acl.ties}
        for subnet_id, original in self.captured["subnets"].items():
            now = held.get(subnet_id, "none")
            if now != original and now not in copies:
                lines.append(
                    f"subnet {subnet_id} has network ACL {now}, not {original}; see: aws ec2 "
                    f"describe-network-acls --region {self.region} "
                    f"--filters Name=association.subnet-id,Values={subnet_id}"
                )
        for original, entries in self.captured["acls"].items():
            if original in acls and acls[original].entries != network_acls.in_order(entries):
                lines.append(
                    f"the entries of network ACL {original} are others now; see: {see(self.region, original)}"
                )
        given_on = (
            f"network ACL {copy.id} of this drill was given to {', '.join(sorted(copy.ties))} and is left "
            f"there; see: {see(self.region, copy.id)}"
            for copy in copies.values()
            if copy.ties and not copy.ties.keys() & self.captured["subnets"].keys()
        )
        return [*lines, *given_on]
