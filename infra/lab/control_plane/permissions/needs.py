"""Which permissions a call takes, on which resources, with which condition keys."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.permissions import there
from infra.lab.control_plane.permissions.calls import Call
from infra.lab.control_plane.permissions.evaluation import Asked
from infra.lab.control_plane.permissions.resources import ANY, RESOURCES

# They take no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# Item calls open the table's key for whoever calls, see
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_ITEM_CALLS = frozenset(
    {
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
    }
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a call takes.

    Attributes:
        known: The lab knows which resources the call is about.
        permissions: Each must be permitted.

    """

    permissions: tuple[Asked, ...] = field(default=())
    known: bool = True


def of(call: Call) -> Needs:
    """Return what a call takes."""
    if call.action in _FREE:
        return Needs()
    special = _SPECIAL.get(call.action)
    if special is not None:
        return Needs(tuple(_with_keys(special(call))))
    templates = RESOURCES.get(call.action)
    if templates is None:
        return Needs((Asked(call.action, ANY),), known=False)
    return Needs(tuple(_with_keys(_asked(call, call.action, *templates))))


def _asked(call: Call, action: str, *templates: str, **context: tuple[str, ...]) -> Iterator[Asked]:
    for template in templates:
        for arn in _arns(template, call):
            yield Asked(action, arn, {**_tags_given(call.parameters), **context})


def _arns(template: str, call: Call) -> Iterator[str]:
    """Yield the resources that a template makes of a call's parameters."""
    before, opened, rest = template.partition("{")
    if not opened:
        yield template
        return
    name, _, after = rest.partition("}")
    if name in {"region", "account"}:
        yield from _arns(before + (call.region if name == "region" else ACCOUNT) + after, call)
        return
    given = call.parameters.get(name)
    for value in given if isinstance(given, list) and given else [given]:
        text = ANY if value is None or value == [] else str(value)
        if text.startswith("arn:"):
            yield text
        else:
            yield from _arns(before + text.rpartition("/")[2] + after, call)


def _with_keys(permissions: Iterable[Asked]) -> Iterator[Asked]:
    """Yield permissions, and for what is in an encrypted table or queue that of its key too."""
    for one in permissions:
        yield one
        key = _key(one)
        if key:
            service, region = one.action.partition(":")[0], key.split(":")[3]
            yield Asked("kms:Decrypt", key, {"kms:viaservice": (f"{service}.{region}.amazonaws.com",)})


def _key(one: Asked) -> str:
    if one.action in _ITEM_CALLS:
        return there.key_of_table(one.resource)
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    return there.key_of_queue(one.resource) if one.action == "sqs:ReceiveMessage" else ""


def _tags_given(parameters: Mapping[str, Any], kind: str = "") -> dict[str, tuple[str, ...]]:
    """Return the condition keys of the tags that a call gives."""
    tags = parameters.get("Tags") or parameters.get("tags") or []
    for one in parameters.get("TagSpecifications") or []:
        if not kind or one.get("ResourceType") == kind:
            tags = one.get("Tags", [])
    pairs = (
        tags.items() if isinstance(tags, Mapping) else [(one["Key"], one.get("Value", "")) for one in tags]
    )
    found = {f"aws:requesttag/{key.lower()}": (str(value),) for key, value in pairs}
    return {**found, "aws:tagkeys": tuple(key for key, _ in pairs)} if found else {}


def _passed(role_arn: str | None, service: str) -> Iterator[Asked]:
    """Yield the permission to hand a service a role."""
    if role_arn:
        yield Asked("iam:PassRole", role_arn, {"iam:passedtoservice": (f"{service}.amazonaws.com",)})


def _ec2_new(call: Call, kind: str, **context: tuple[str, ...]) -> Iterator[Asked]:
    """Yield what it takes to make something in EC2, and to tag it."""
    arn = f"arn:aws:ec2:{call.region}:{ACCOUNT}:{kind}/*"
    tags = _tags_given(call.parameters, kind)
    yield Asked(call.action, arn, {**tags, **context})
    if tags:
        yield Asked("ec2:CreateTags", arn, {**tags, "ec2:createaction": (call.operation,), **context})


def _create_network_acl(call: Call) -> Iterator[Asked]:
    vpc = f"arn:aws:ec2:{call.region}:{ACCOUNT}:vpc/{call.parameters['VpcId']}"
    yield from _ec2_new(call, "network-acl", **{"ec2:vpc": (vpc,)})
    yield Asked(call.action, vpc)


def _create_peering(call: Call) -> Iterator[Asked]:
    yield from _ec2_new(call, "vpc-peering-connection")
    yield Asked(call.action, f"arn:aws:ec2:{call.region}:{ACCOUNT}:vpc/{call.parameters['VpcId']}")


def _accept_peering(call: Call) -> Iterator[Asked]:
    base, peering_id = f"arn:aws:ec2:{call.region}:{ACCOUNT}", str(call.parameters["VpcPeeringConnectionId"])
    yield Asked(call.action, f"{base}:vpc-peering-connection/{peering_id}")
    yield Asked(call.action, f"{base}:vpc/{there.accepter_of(call.region, peering_id) or ANY}")


def _replace_association(call: Call) -> Iterator[Asked]:
    base = f"arn:aws:ec2:{call.region}:{ACCOUNT}"
    yield Asked(call.action, f"{base}:network-acl/{call.parameters['NetworkAclId']}")
    subnet = there.subnet_of_association(call.region, str(call.parameters["AssociationId"]))
    yield Asked(call.action, f"{base}:subnet/{subnet or ANY}")


def _tag_ec2(call: Call) -> Iterator[Asked]:
    for resource_id in call.parameters.get("Resources", []):
        kind = there.EC2_KINDS.get(str(resource_id).rpartition("-")[0], ANY)
        arn = f"arn:aws:ec2:{call.region}:{ACCOUNT}:{kind}/{resource_id}"
        yield Asked(call.action, arn, _tags_given(call.parameters))


def _create_template(call: Call) -> Iterator[Asked]:
    base = f"arn:aws:fis:{call.region}:{ACCOUNT}"
    tags = _tags_given(call.parameters)
    yield Asked(call.action, f"{base}:experiment-template/*", tags)
    for action in (call.parameters.get("actions") or {}).values():
        yield Asked(call.action, f"{base}:action/{action['actionId']}", tags)
    if tags:
        yield Asked("fis:TagResource", f"{base}:experiment-template/*", tags)
    yield from _passed(call.parameters.get("roleArn"), "fis")


def _start_experiment(call: Call) -> Iterator[Asked]:
    base = f"arn:aws:fis:{call.region}:{ACCOUNT}"
    tags = _tags_given(call.parameters)
    yield Asked(call.action, f"{base}:experiment-template/{call.parameters['experimentTemplateId']}", tags)
    yield Asked(call.action, f"{base}:experiment/*", tags)
    if tags:
        yield Asked("fis:TagResource", f"{base}:experiment/*", tags)


def _put_schedule(call: Call) -> Iterator[Asked]:
    group, name = call.parameters.get("GroupName") or "default", call.parameters["Name"]
    arn = f"arn:aws:scheduler:{call.region}:{ACCOUNT}:schedule/{group}/{name}"
    yield Asked(call.action, arn)
    yield from _passed((call.parameters.get("Target") or {}).get("RoleArn"), "scheduler")


def _batch(call: Call) -> Iterator[Asked]:
    for table in call.parameters.get("RequestItems", {}):
        yield from _asked(replace(call, parameters={"TableName": table}), call.action, *_TABLE)


def _transaction(call: Call) -> Iterator[Asked]:
    """Yield the permission of each part: a transaction has none of its own."""
    names = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    names["ConditionCheck"] = "ConditionCheckItem"
    for item in call.parameters.get("TransactItems", []):
        for kind, part in item.items():
            yield from _asked(replace(call, parameters=part), f"dynamodb:{names[kind]}", *_TABLE)


def _query(call: Call) -> Iterator[Asked]:
    index = call.parameters.get("IndexName")
    for one in _asked(call, call.action, *_TABLE):
        yield replace(one, resource=f"{one.resource}/index/{index}") if index else one


def _queue(call: Call) -> Iterator[Asked]:
    name = str(call.parameters.get("QueueUrl", call.parameters.get("QueueName", ANY))).rpartition("/")[2]
    yield Asked(call.action, f"arn:aws:sqs:{call.region}:{ACCOUNT}:{name.rpartition(':')[2]}")


def _secret(call: Call) -> Iterator[Asked]:
    yield Asked(call.action, there.secret_arn(call.region, str(call.parameters.get("SecretId"))))


def _role(call: Call) -> Iterator[Asked]:
    yield Asked(call.action, there.role_arn(str(call.parameters.get("RoleName"))))


def _assume(call: Call) -> Iterator[Asked]:
    yield Asked(call.action, str(call.parameters.get("RoleArn")), _tags_given(call.parameters))


def _invoke(call: Call) -> Iterator[Asked]:
    name, qualifier = str(call.parameters["FunctionName"]), call.parameters.get("Qualifier")
    bare = f"arn:aws:lambda:{call.region}:{ACCOUNT}:function:{name}"
    arn = name if name.startswith("arn:") else bare
    yield Asked(call.action, f"{arn}:{qualifier}" if qualifier else arn)


def _put_events(call: Call) -> Iterator[Asked]:
    for entry in call.parameters.get("Entries", []):
        name = str(entry.get("EventBusName", "default"))
        bus = f"arn:aws:events:{call.region}:{ACCOUNT}:event-bus/{name}"
        yield Asked(call.action, name if name.startswith("arn:") else bus)


def _move_global(call: Call) -> Iterator[Asked]:
    """Yield a global database, the cluster that is to take the writes, and the one that takes them now."""
    name, target = call.parameters["GlobalClusterIdentifier"], call.parameters["TargetDbClusterIdentifier"]
    yield Asked(call.action, f"arn:aws:rds::{ACCOUNT}:global-cluster:{name}")
    for arn in sorted({str(target), *there.writers_of(str(name))}):
        yield Asked(call.action, arn)


def _register_target(call: Call) -> Iterator[Asked]:
    namespace = (str(call.parameters.get("ServiceNamespace")),)
    arn = f"arn:aws:application-autoscaling:{call.region}:{ACCOUNT}:scalable-target/*"
    yield Asked(call.action, arn, {"application-autoscaling:service-namespace": namespace})


_TABLE = RESOURCES["dynamodb:GetItem"]
_SPECIAL: Mapping[str, Callable[[Call], Iterable[Asked]]] = {
    "ec2:AcceptVpcPeeringConnection": _accept_peering,
    "application-autoscaling:RegisterScalableTarget": _register_target,
    "rds:FailoverGlobalCluster": _move_global,
    "rds:SwitchoverGlobalCluster": _move_global,
    "ec2:CreateNetworkAcl": _create_network_acl,
    "ec2:CreateVpcPeeringConnection": _create_peering,
    "ec2:ReplaceNetworkAclAssociation": _replace_association,
    "ec2:CreateTags": _tag_ec2,
    "ec2:DeleteTags": _tag_ec2,
    "fis:CreateExperimentTemplate": _create_template,
    "fis:StartExperiment": _start_experiment,
    "scheduler:CreateSchedule": _put_schedule,
    "scheduler:UpdateSchedule": _put_schedule,
    "scheduler:DeleteSchedule": _put_schedule,
    "scheduler:GetSchedule": _put_schedule,
    "dynamodb:BatchGetItem": _batch,
    "dynamodb:BatchWriteItem": _batch,
    "dynamodb:TransactGetItems": _transaction,
    "dynamodb:TransactWriteItems": _transaction,
    "dynamodb:Query": _query,
    "dynamodb:Scan": _query,
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:DescribeSecret": _secret,
    "iam:GetRole": _role,
    "iam:GetRolePolicy": _role,
    "sts:AssumeRole": _assume,
    "lambda:InvokeFunction": _invoke,
    "events:PutEvents": _put_events,
    "sqs:SendMessage": _queue,
    "sqs:ReceiveMessage": _queue,
    "sqs:DeleteMessage": _queue,
    "sqs:GetQueueAttributes": _queue,
    "sqs:GetQueueUrl": _queue,
}
