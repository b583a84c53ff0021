"""DR16: capacity that follows the load, and an alarm for when it does not."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from drill.audit import alarms, tables
from drill.audit.contract import Check, Found, Part
from drill.audit.reads import Document
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

_KINDS = ("ReadCapacityUnits", "WriteCapacityUnits")


_SHORT = ("recovery_time", "failed_share", "time_to_clear", "client_outage", "availability")
_UNTOLD = ("time_to_alert",)


class Capacity(Check):
    """Reads targets and policies of auto scaling for table and indexes, and the alarms on throttling."""

    id: ClassVar = "DR16"
    title: ClassVar = "The table throttles when load grows"
    why: ClassVar = (
        "At a failover one region takes the load of two. A table of fixed capacity turns orders away, in all "
        "regions at once, since replicas share its write capacity."
    )
    severity: ClassVar = Severity.WARNING
    mend: ClassVar = (
        "Auto scaling of table and indexes, or on-demand (table.yaml: WriteCapacityAutoScalingSettings, "
        "ReadCapacityAutoScalingSettings; table_billing), and alarms (observability.yaml: WriteThrottles, "
        "ReadThrottles): drill infra deploy"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-CoreConcepts.html",
    )
    calls: ClassVar = (
        *alarms.CALLS,
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "dynamodb:DescribeTable",
    )
    seed: ClassVar = (16,)
    explains: ClassVar = (*_SHORT, *_UNTOLD)
    drill: ClassVar = "drill run dynamodb-throttling --let-autoscaling-work"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield scaling and alarms of each region, then what both provide."""
        for region in system.regions:
            yield Part(f"scaling in {region.name}", partial(_scaling, system, region))
            yield Part(f"throttle alarms in {region.name}", partial(_alarms, system, region))
        yield Part("capacity of both regions", partial(_alike, system))


def _scaling(system: System, region: Region) -> Iterator[Found]:
    table = tables.described(system, region)
    if tables.billing(table) == tables.ON_DEMAND:
        return
    targets = {
        (one["ResourceId"], one["ScalableDimension"]): one
        for one in system.reads.many(
            "application-autoscaling",
            region.name,
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace="dynamodb",
        )
    }
    policies = {
        (one["ResourceId"], one["ScalableDimension"])
        for one in system.reads.many(
            "application-autoscaling",
            region.name,
            "describe_scaling_policies",
            "ScalingPolicies",
            ServiceNamespace="dynamodb",
        )
    }
    for resource, dimension in _scaled(table):
        wrong = _wrong(targets.get((resource, dimension)), has_policy=(resource, dimension) in policies)
        if wrong:
            what = f"{dimension.rpartition(':')[2]}: {wrong}"
            yield Found(f"{resource} in {region.name}", what, explains=_SHORT)


def _scaled(table: Document) -> Iterator[tuple[str, str]]:
    name = table["TableName"]
    for kind in _KINDS:
        yield f"table/{name}", f"dynamodb:table:{kind}"
        for index in table.get("GlobalSecondaryIndexes", []):
            yield f"table/{name}/index/{index['IndexName']}", f"dynamodb:index:{kind}"


def _wrong(target: Document | None, *, has_policy: bool) -> str:
    if target is None:
        return "nothing scales it, its capacity is fixed"
    if not has_policy:
        return "it may be scaled, but no policy does it"
    if target["MinCapacity"] == target["MaxCapacity"]:
        return f"it scales from {target['MinCapacity']} to the same"
    suspended = target.get("SuspendedState", {})
    return "its scaling out is suspended" if suspended.get("DynamicScalingOutSuspended") else ""


def _alarms(system: System, region: Region) -> Iterator[Found]:
    name = system.target.table.name
    for metrics in ({"WriteThrottleEvents"}, {"ReadThrottleEvents"}):
        wrong = alarms.watched(system, region, "AWS/DynamoDB", metrics, {"TableName": name})
        if wrong:
            yield Found(f"{', '.join(metrics)} of {name} in {region.name}", wrong, explains=_UNTOLD)


def _alike(system: System) -> Iterator[Found]:
    primary, standby = (tables.described(system, region) for region in system.regions)
    units = [one.get("ProvisionedThroughput", {}).get("WriteCapacityUnits") for one in (primary, standby)]
    if tables.billing(primary) != tables.billing(standby):
        what = "it is paid in two ways, one in each region"
        yield Found(f"table {primary['TableName']}", what, explains=_SHORT)
    elif tables.billing(primary) != tables.ON_DEMAND and units[0] != units[1]:
        yield Found(
            f"table {primary['TableName']}",
            f"its write capacity differs: {units[0]} in the primary, {units[1]} in the standby",
            explains=_SHORT,
        )
