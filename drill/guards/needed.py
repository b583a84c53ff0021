"""The AWS calls that guards and stop conditions make, for the least-privilege policy. Pure."""

from collections.abc import Iterator

from drill.faults.contract import Call, Resource
from drill.model import GuardSpec
from drill.plan import Plan
from drill.probes.health_check import reads
from drill.probes.queue import queue_arn
from drill.probes.table import on_table

# How each service tells a resource's tags, as drill.guards.tags asks it, and the ARN of one that is not
# called by its ARN; "*" where IAM knows no resource for the call.
_TAG_READS = {
    "application-autoscaling": ("ListTagsForResource", "%s"),
    "backup": ("ListTags", "%s"),
    "dynamodb": ("ListTagsOfResource", "%s"),
    "ec2": ("DescribeTags", "*"),
    "elbv2": ("DescribeTags", "*"),
    "kms": ("ListResourceTags", "arn:{partition}:kms:{region}:{account}:key/%s"),
    "lambda": ("ListTags", "%s"),
    "rds": ("ListTagsForResource", "%s"),
    "route53": ("ListTagsForResource", "arn:{partition}:route53:::healthcheck/%s"),
    "secretsmanager": ("DescribeSecret", "arn:{partition}:secretsmanager:{region}:{account}:secret:%s-*"),
    "sns": ("ListTagsForResource", "%s"),
    "sqs": ("ListQueueTags", "arn:{partition}:sqs:{region}:{account}:%s"),
}
SERVICES = tuple(_TAG_READS)
"""The services whose tags the policy lets a drill read."""


def calls(plan: Plan) -> Iterator[Call]:
    """Yield every call that the guards and the stop conditions of a plan may make."""
    yield Call("capture", "ec2", "DescribeVpcs")
    for step in plan.every_step:
        for resource in step.touches:
            yield from _tags(resource)
    if plan.target.stop.alarms:
        yield Call("capture", "cloudwatch", "DescribeAlarms")
    for spec in plan.guards:
        yield from _declared(spec, plan)


def _declared(spec: GuardSpec, plan: Plan) -> Iterator[Call]:
    """Yield the calls of a guard that the scenario asks for."""
    if spec.kind == "alerts-are-readable":
        yield from _queue(plan, str(spec.options["region"]))
    if spec.kind == "check-is-healthy":
        yield from reads()
    if spec.kind == "peering-is-active":
        yield Call("capture", "ec2", "DescribeVpcPeeringConnections")
    if spec.kind == "database-can-fail-over":
        yield from _database(plan, worldwide=bool(spec.options.get("global")))
    if spec.kind in {"table-can-be-throttled", "table-is-global"}:
        yield from _table(plan, scaled=bool(spec.options.get("scaled")))


def _database(plan: Plan, *, worldwide: bool) -> Iterator[Call]:
    region, name = plan.target.primary, plan.target.database.global_cluster_id
    where = f"arn:{{partition}}:rds:{region.name}:{{account}}"
    if worldwide and name:
        whole = f"arn:{{partition}}:rds::{{account}}:global-cluster:{name}"
        yield Call("capture", "rds", "DescribeGlobalClusters", (whole,))
    elif region.cluster_id:
        yield Call("capture", "rds", "DescribeDBClusters", (f"{where}:cluster:{region.cluster_id}",))
        yield Call("capture", "rds", "DescribeDBInstances", (f"{where}:db:*",))


def _table(plan: Plan, *, scaled: bool) -> Iterator[Call]:
    yield on_table("DescribeTable", plan.target.primary.name, plan.target.table.name)
    if scaled:
        yield Call("capture", "application-autoscaling", "DescribeScalableTargets")


def _queue(plan: Plan, named: str) -> Iterator[Call]:
    for region in (plan.target.primary, plan.target.standby):
        if region.name == named and region.drill_queue_url:
            arn = queue_arn(region.drill_queue_url, region.name)
            yield Call("capture", "sqs", "GetQueueAttributes", (arn,))


def _tags(resource: Resource) -> Iterator[Call]:
    known = _TAG_READS.get(resource.service)
    if known is None:
        return
    action, form = known
    if resource.kind == "hosted zone":
        form = form.replace("healthcheck/%s", "hostedzone/%s")
    if resource.id.startswith("arn:") and form != "*":
        form = "%s"
    name = resource.id
    if resource.service == "sqs":  # called by its URL
        name = name.rpartition("/")[2]
    if resource.service == "lambda":  # a function has tags, its aliases and versions have none
        name = ":".join(name.split(":")[:7])
    arn = form.replace("{region}", resource.region).replace("%s", name)
    yield Call("capture", resource.service, action, (arn,))
