"""The AWS calls that guards and stop conditions make, for the least-privilege policy. Pure."""

from collections.abc import Iterator

from drill.faults import recovery_points
from drill.faults.contract import Call, Resource
from drill.model import GuardSpec
from drill.plan import Plan
from drill.probes.health_check import reads
from drill.probes.queue import queue_arn
from drill.probes.table import on_table

# How each service tells a resource's tags, as drill.guards.tags asks it; "" where no resource is known.
_TAG_READS = {
    "route53": ("ListTagsForResource", "arn:{partition}:route53:::healthcheck/%s"),
    "ec2": ("DescribeTags", "*"),
    "dynamodb": ("ListTagsOfResource", "%s"),
    "rds": ("ListTagsForResource", "%s"),
    "elbv2": ("DescribeTags", "*"),
    "lambda": ("ListTags", "%s"),
}


def calls(plan: Plan) -> Iterator[Call]:
    """Yield every call that the guards and the stop conditions of a plan may make."""
    yield Call("capture", "ec2", "DescribeVpcs")
    for step in plan.every_step:
        for resource in step.touches:
            yield from _tags(resource)
    if plan.target.stop.alarms:
        yield Call("capture", "cloudwatch", "DescribeAlarms")
    for spec in plan.guards:
        yield from _asked(spec, plan)


def _asked(spec: GuardSpec, plan: Plan) -> Iterator[Call]:
    """Yield the calls of a guard that a scenario declares."""
    region = str(spec.options.get("region", ""))
    if spec.kind == "alerts-are-readable":
        yield from _queue(plan, region)
    if spec.kind == "check-is-healthy":
        yield from reads()
    if spec.kind == "recovery-point-is-there":
        yield from recovery_points.calls(region, region)
    if spec.kind == "table-is-global":
        yield on_table("DescribeTable", plan.target.primary.name, plan.target.table.name)


def _queue(plan: Plan, named: str) -> Iterator[Call]:
    for region in (plan.target.primary, plan.target.standby):
        if region.name == named and region.drill_queue_url:
            arn = queue_arn(region.drill_queue_url, region.name)
            yield Call("capture", "sqs", "GetQueueAttributes", (arn,))


def _tags(resource: Resource) -> Iterator[Call]:
    known = _TAG_READS.get(resource.service)
    if known is not None:
        action, form = known
        name = resource.id.partition("$")[0]
        pattern = form.replace("healthcheck/%s", "hostedzone/%s") if resource.kind == "hosted zone" else form
        yield Call("capture", resource.service, action, (pattern.replace("%s", name),))
