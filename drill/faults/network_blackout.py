"""Takes subnets off the network: entries that deny everything go before all others of their ACLs.

Packets vanish in both directions, as in a region that really goes dark; nothing is refused.
Network ACLs are stateless, so connections that are open die too.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html

The ACLs must be a run's own, made by ``own-network-acl`` in a step before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drill.errors import DrillError
from drill.faults import denials
from drill.faults.contract import RUN_TAG, Call, DeadMan, Fault, Intent, Resource
from drill.faults.denials import Denials
from drill.faults.network_acls import DENIALS, Acl, denial
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
        return denials.calls(self.region)

    @property
    def dead_man_note(self) -> str:
        """Say what the calls do."""
        return f"the entries that deny everything in {self.vpc_id} are deleted, each by a call of its own"

    def dead_man(self, before: Mapping[str, Json], run_id: str) -> DeadMan:
        """Return one call for each entry; one that is gone already is no harm."""
        return DeadMan(self._denials(before, run_id).dead_man_calls(), self.dead_man_note)

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
        run, mine = denials.own_acls(aws, self.region, self.vpc_id, self.subnet_ids, "go dark")
        for acl in mine:
            self._check(acl)
        # Without any entry for IPv6 an ACL lets none of it pass.
        numbers = {acl.id: sorted(DENIALS) if acl.ipv6 else [1] for acl in mine}
        return {"run": run, "acls": numbers}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Put in the entries, and return when AWS's API shows them.

        Raises:
            DrillError: The ACLs are another run's, or somebody else took one of the numbers.

        """
        denials.refuse_foreign(before["run"], intent.run_id)
        self._denials(before, intent.run_id).put_in(aws, "everything", self.wait_s, self.poll_s)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Delete the entries, and leave those that somebody else put in under the same numbers."""
        return self._denials(before, run_id).take_out(aws)

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether none of the entries is there any more."""
        return self._denials(before, run_id).gone(aws)

    def _denials(self, before: Mapping[str, Json], run_id: str) -> Denials:
        captured: Any = before
        entries = (
            (acl_id, denial(number, egress=egress))
            for acl_id, numbers in captured["acls"].items()
            for number in numbers
            for egress in (False, True)
        )
        return Denials(self.region, self.vpc_id, tuple(entries) if captured["run"] == run_id else ())

    @staticmethod
    def _check(acl: Acl) -> None:
        """Refuse an ACL from which a denial could not be taken out again."""
        taken = [entry["RuleNumber"] for entry in acl.entries if entry["RuleNumber"] in DENIALS]
        if taken:
            msg = (
                f"network ACL {acl.id} has an entry with the number {taken[0]} already; put back what is "
                f"left: drill recover {acl.tags[RUN_TAG]}"
            )
            raise DrillError(msg)
