"""The guards that scenarios declare, by kind."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from drill.aws import Aws
from drill.faults import peerings
from drill.guards.contract import Asked, CannotTell, Guard
from drill.guards.database import can_fail_over
from drill.guards.throttling import can_be_throttled
from drill.model import GuardSpec, Json
from drill.probes.health_check import is_healthy
from drill.target import Target

Options: TypeAlias = Mapping[str, Json]


def guard_of(spec: GuardSpec) -> Guard:
    """Return the guard that a scenario asks for; one that nobody knows can't be evaluated."""

    def asked_for(asked: Asked, aws: Aws) -> str:
        known = _KINDS.get(spec.kind)
        if known is None:
            msg = f"the scenario asks for a guard that does not exist; upgrade drill, or mend {spec.kind!r}"
            raise CannotTell(msg)
        return known(asked.plan.target, spec.options, aws)

    return asked_for


def _check_is_healthy(_target: Target, options: Options, aws: Aws) -> str:
    """Refuse unless a health check is healthy now; inverting an unhealthy one draws traffic into it."""
    check_id = str(options["health_check_id"])
    client = aws.client("route53", "global")
    config = client.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    if config.get("Inverted") or config.get("Disabled"):
        return f"health check {check_id} is already inverted or disabled; somebody else is working on it"
    if not is_healthy(aws, check_id):
        return f"health check {check_id} is unhealthy before the drill; mend the region behind it first"
    return ""


def _table_is_global(target: Target, _options: Options, aws: Aws) -> str:
    """Refuse unless the table is a global one that both regions hold."""
    client = aws.client("dynamodb", target.primary.name)
    table = client.describe_table(TableName=target.table.name)["Table"]
    regions = {replica["RegionName"] for replica in table.get("Replicas", [])} | {target.primary.name}
    if target.standby.name not in regions:
        return f"table {target.table.name} has no replica in {target.standby.name}; there is nothing to pause"
    return ""


def _alerts_are_readable(target: Target, options: Options, aws: Aws) -> str:
    """Refuse unless a region has a queue of alerts that a drill may read, which is no pager's."""
    named = str(options["region"])
    region = target.primary if named == target.primary.name else target.standby
    side = "primary" if region is target.primary else "standby"
    if not region.drill_queue_url:
        return (
            f"no queue of alerts in {region.name} is named that a drill may read, so that nobody would see "
            "when those on call are told; subscribe one of its own to the alerts' topic and name it as "
            f"{side}.drill_queue_url in the target file (the stacks make one: drill infra deploy)"
        )
    if region.drill_queue_url == region.alert_queue_url:
        return (
            f"{side}.drill_queue_url is the pager's own queue: what a drill reads from it a person would "
            "not get; subscribe another queue to the alerts' topic and name that"
        )
    url = region.drill_queue_url
    aws.client("sqs", region.name).get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return ""


def _peering_is_active(target: Target, _options: Options, aws: Aws) -> str:
    """Refuse unless the peering of the target joins its VPCs and carries."""
    region, ends = target.primary.name, (target.primary.vpc_id, target.standby.vpc_id)
    found = [one for one in peerings.read(aws, region, ends[0]) if one.joins(*ends)]
    own = next((one for one in found if one.id == target.peering_id), None)
    if own is not None and own.state == peerings.ACTIVE:
        return ""
    state = f"is {own.state}" if own else "is not there, or joins other VPCs"
    now = next((one.id for one in found if one.state == peerings.ACTIVE), None)
    what = f"{now} joins them now: put it" if now else "there is nothing to cut: make one, and put its id"
    return (
        f"peering {target.peering_id} between {' and '.join(ends)} {state}; {what} into the target file as "
        f"peering_id; see: aws ec2 describe-vpc-peering-connections --region {region}"
    )


_KINDS: Mapping[str, Callable[[Target, Options, Aws], str]] = {
    "alerts-are-readable": _alerts_are_readable,
    "check-is-healthy": _check_is_healthy,
    "peering-is-active": _peering_is_active,
    "database-can-fail-over": can_fail_over,
    "table-can-be-throttled": can_be_throttled,
    "table-is-global": _table_is_global,
}
