"""DR15: the peering itself, and whether anybody would notice that it carries nothing."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, net
from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region


class Peering(Check):
    """Reads the peering's state, and the canary and alarm on the way over it."""

    id: ClassVar = "DR15"
    title: ClassVar = "The peering fails and nobody notices"
    why: ClassVar = (
        "A peering stays active when its traffic stops, so that only a connection that is tried tells. A way "
        "that nobody watches is found missing at the failover."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "A canary each minute and an alarm on it that takes silence for failure (observability.yaml: Canary, "
        "EachMinute, Reachability): drill infra deploy"
    )
    source: ClassVar = ("https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",)
    calls: ClassVar = (*alarms.CALLS, "ec2:DescribeVpcPeeringConnections")
    seed: ClassVar = (15,)
    caused_by: ClassVar = ("DR02",)
    explains: ClassVar = ("time_to_alert", "recovery_time", "store_recovery")
    drill: ClassVar = "peering-deletion"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the peering, then the alarm of each region that calls the other one."""
        yield Part(f"peering {system.target.peering_id}", partial(_state, system))
        for region, peer in system.pairs:
            if peer.cluster_id or "reachability" in region.alarms:
                yield Part(f"reachability from {region.name}", partial(_watched, system, region))


def _state(system: System) -> Iterator[Found]:
    where = f"peering {system.target.peering_id}"
    found = net.peering(system)
    if found is None:
        yield Found(where, "there is no such peering")
    elif found["Status"]["Code"] != "active":
        yield Found(
            where, f"it is {found['Status']['Code']}: {found['Status'].get('Message', '')}".rstrip(": ")
        )
    elif set(net.peered(found)) != {one.vpc_id for one in system.regions}:
        yield Found(where, f"it joins {' and '.join(sorted(net.peered(found)))}, not the system's VPCs")


def _watched(system: System, region: Region) -> Iterator[Found]:
    where = f"way from {region.name} to the other region"
    name = region.alarms.get("reachability")
    if name is None:
        role = system.role(region)
        what = f"nothing watches it: the target names no alarm ({role}.alarms.reachability)"
        yield Found(where, what, caused_by=())
        return
    alarm = alarms.named(system, region, name)
    if alarm is None:
        yield Found(where, f"nothing watches it: there is no alarm {name}", caused_by=())
        return
    where = f"alarm {name} in {region.name}"
    if not alarms.tells(alarm):
        yield Found(where, "it tells nobody: it has no action, or they are switched off", caused_by=())
    if alarm.get("TreatMissingData", "missing") != "breaching":
        yield Found(
            where, "a canary that says nothing does not set it off: TreatMissingData is not breaching"
        )
