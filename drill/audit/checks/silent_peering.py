"""DX08: a peering that is active though its canary does not get through."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, net
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class SilentPeering(Check):
    """Compares the peering's state with what the canary says."""

    id: ClassVar = "DX08"
    title: ClassVar = "The peering is active and carries nothing"
    why: ClassVar = (
        "The state of a peering is that of an agreement, not of the traffic: a missing route, a security "
        "group or a disturbance of the region leaves it active."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = (
        "Follow the way: routes on both sides, security groups, network ACLs, and the canary's own log "
        "(/aws/lambda/NAME-canary)"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",)
    calls: ClassVar = (*alarms.CALLS, "ec2:DescribeVpcPeeringConnections")
    caused_by: ClassVar = ("DR01", "DR02", "DR17")
    explains: ClassVar = ("recovery_time", "client_outage", "pending_share", "store_recovery")
    drill: ClassVar = "drill run region-outage"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each region with a canary."""
        for region in system.regions:
            if "reachability" in region.alarms:
                yield Part(f"reachability from {region.name}", partial(_look, system, region))


def _look(system: System, region: Region) -> Iterator[Found]:
    alarm = alarms.named(system, region, region.alarms["reachability"])
    if alarm is None or alarm["StateValue"] != "ALARM":
        return
    found = net.peering(system)
    if found is not None and found["Status"]["Code"] == "active":
        yield Found(
            f"peering {system.target.peering_id}, from {region.name}",
            f"it is active, but alarm {alarm['AlarmName']} says that nothing gets through",
        )
