"""DR02: address ranges of the two VPCs."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import net
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity


class Cidrs(Check):
    """Compares all CIDRs of both VPCs, secondary ones too."""

    id: ClassVar = "DR02"
    title: ClassVar = "The two VPCs use the same addresses"
    why: ClassVar = (
        "A packet to an address that both VPCs have never leaves its own. A peering between them can't be "
        "made, or carries nothing."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "Another range for one of them (primary_cidr and standby_cidr of the system file; VpcCidr of "
        "network.yaml). A VPC's first CIDR can't be changed: the standby is deployed anew."
    )
    source: ClassVar = ("https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",)
    calls: ClassVar = ("ec2:DescribeVpcs",)
    seed: ClassVar = (2,)
    explains: ClassVar = ("recovery_time", "client_outage", "pending_share", "store_recovery")
    drill: ClassVar = "drill run peering-deletion"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the one comparison."""
        yield Part("CIDRs of both VPCs", partial(_look, system))


def _look(system: System) -> Iterator[Found]:
    primary, standby = system.regions
    theirs = net.cidrs(system, standby)
    for one in net.cidrs(system, primary):
        for other in theirs:
            if net.overlaps(one, other):
                yield Found(
                    f"{primary.vpc_id} in {primary.name} and {standby.vpc_id} in {standby.name}",
                    f"{one} and {other} overlap",
                )
