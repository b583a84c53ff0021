"""DR15: the peering, whether anybody would notice that it carries nothing, and what catches up then."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, net
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_CUT = ("recovery_time", "pending_share", "store_recovery")
_UNTOLD = ("time_to_alert",)
_UNRECONCILED = ("unreconciled_writes",)


class Peering(Check):
    """Reads the peering's state, the canary and alarm on the way over it, and what reconciles orders later.

    That the service goes on without the way, and accepts orders as pending, is in its code, which an audit
    can't read: ``drill run peering-deletion`` shows it. What brings them to the database afterwards is a
    schedule, which it can.
    """

    id: ClassVar = "DR15"
    title: ClassVar = "The peering fails and nobody notices"
    why: ClassVar = (
        "A peering stays active when its traffic stops, so that only a connection that is tried tells. A way "
        "that nobody watches is found missing at the failover."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "A canary each minute and an alarm on it that takes silence for failure (observability.yaml: Canary, "
        "EachMinute, Reachability), and a schedule that reconciles what was accepted without it (app.yaml: "
        "Reconciling): drill infra deploy"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",
        "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html",
    )
    calls: ClassVar = (
        *alarms.CALLS,
        "ec2:DescribeVpcPeeringConnections",
        "scheduler:GetSchedule",
        "scheduler:ListSchedules",
    )
    seed: ClassVar = (15,)
    caused_by: ClassVar = ("DR02",)
    explains: ClassVar = (*_UNTOLD, *_CUT, *_UNRECONCILED)
    drill: ClassVar = "drill run peering-deletion"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the peering, then each region's alarm on the way to the other one, and its schedules."""
        yield Part(f"peering {system.target.peering_id}", partial(_state, system))
        for region, peer in system.pairs:
            if peer.cluster_id or "reachability" in region.alarms:
                yield Part(f"reachability from {region.name}", partial(_watched, system, region))
            if system.target.primary.cluster_id:
                yield Part(f"schedules in {region.name}", partial(_reconciled, system, region))


def _state(system: System) -> Iterator[Found]:
    where = f"peering {system.target.peering_id}"
    found = net.peering(system)
    if found is None:
        yield Found(where, "there is no such peering", explains=_CUT)
    elif found["Status"]["Code"] != "active":
        what = f"it is {found['Status']['Code']}: {found['Status'].get('Message', '')}".rstrip(": ")
        yield Found(where, what, explains=_CUT)
    elif set(net.peered(found)) != {one.vpc_id for one in system.regions}:
        what = f"it joins {' and '.join(sorted(net.peered(found)))}, not the system's VPCs"
        yield Found(where, what, explains=_CUT)


def _watched(system: System, region: Region) -> Iterator[Found]:
    where = f"way from {region.name} to the other region"
    name = region.alarms.get("reachability")
    if name is None:
        role = system.role(region)
        what = f"nothing watches it: the target names no alarm ({role}.alarms.reachability)"
        yield Found(where, what, caused_by=(), explains=_UNTOLD)
        return
    alarm = alarms.named(system, region, name)
    if alarm is None:
        yield Found(where, f"nothing watches it: there is no alarm {name}", caused_by=(), explains=_UNTOLD)
        return
    where = f"alarm {name} in {region.name}"
    if not alarms.tells(alarm):
        yield Found(
            where,
            "it tells nobody: it has no action, or they are switched off",
            caused_by=(),
            explains=_UNTOLD,
        )
    if alarm.get("TreatMissingData", "missing") != "breaching":
        what = "a canary that says nothing does not set it off: TreatMissingData is not breaching"
        yield Found(where, what, explains=_UNTOLD)


def _reconciled(system: System, region: Region) -> Iterator[Found]:
    """Look for a schedule that has the region's function bring pending orders to the database."""
    path = f"{system.target.service.orders_path.rstrip('/')}/reconcile"
    asks = [one for one in _schedules(system, region) if path in one["Target"].get("Input", "")]
    where = f"schedules of function {region.function_name} in {region.name}"
    if not asks:
        what = f"none asks for {path}: orders that were accepted as pending may stay so"
        yield Found(where, what, caused_by=(), explains=_UNRECONCILED)
    elif all(one["State"] != "ENABLED" for one in asks):
        names = ", ".join(sorted(one["Name"] for one in asks))
        yield Found(
            where,
            f"what reconciles pending orders is disabled: {names}",
            caused_by=(),
            explains=_UNRECONCILED,
        )


def _schedules(system: System, region: Region) -> Iterator[Document]:
    """Yield the schedules that invoke the region's function, whichever of its aliases."""
    function = f":function:{region.function_name}"
    for one in system.reads.many("scheduler", region.name, "list_schedules", "Schedules"):
        arn = one["Target"]["Arn"]
        if arn.endswith(function) or f"{function}:" in arn:
            yield system.reads.one(
                "scheduler", region.name, "get_schedule", Name=one["Name"], GroupName=one["GroupName"]
            )
