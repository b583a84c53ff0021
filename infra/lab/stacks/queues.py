"""``AWS::SQS::*``: queues, and who may write to them."""

from typing import Any

from infra.lab.stacks.alerts import attributes_of, text_of
from infra.lab.stacks.resource import Made, Request, ResourceType, truth

_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_QUEUE_FIXED = {"QueueName", "FifoQueue"}
# What a queue has when a template no longer says, as in SetQueueAttributes's reference:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_QUEUE_DEFAULTS = {
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


def _queue(request: Request) -> Made:
    wanted = request.properties
    fifo = truth(wanted.get("FifoQueue", False))
    name = wanted.get("QueueName") or request.name(75) + (".fifo" if fifo else "")
    url = request.client("sqs").create_queue(
        QueueName=name, Attributes=attributes_of(wanted, _QUEUE_ATTRIBUTES), tags=request.tag_map()
    )["QueueUrl"]
    arn = f"arn:aws:sqs:{request.region}:{request.account}:{name}"
    return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


def _update_queue(request: Request, made: Made) -> Made | None:
    changed, sqs, url = request.changed(), request.client("sqs"), made.physical_resource_id
    if changed & _QUEUE_FIXED:
        return None
    given = attributes_of(request.properties, _QUEUE_ATTRIBUTES)
    call = {name: given.get(name, _QUEUE_DEFAULTS.get(name, "")) for name in changed & set(_QUEUE_ATTRIBUTES)}
    if call:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=call)
    if request.tags_gone():
        sqs.untag_queue(QueueUrl=url, TagKeys=request.tags_gone())
    if request.tag_map():
        sqs.tag_queue(QueueUrl=url, Tags=request.tag_map())
    return made


def _delete_queue(request: Request, made: Made) -> None:
    request.client("sqs").delete_queue(QueueUrl=made.physical_resource_id)


def _queue_policy(request: Request) -> Made:
    name = request.name(100)
    _put_queue_policies(request, request.properties["Queues"], text_of(request.properties["PolicyDocument"]))
    return Made(name, {"Id": name})


def _put_queue_policies(request: Request, urls: Any, policy: str) -> None:
    for url in urls:
        request.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def _update_queue_policy(request: Request, made: Made) -> Made:
    gone = set(request.before["Queues"]) - set(request.properties["Queues"])
    _put_queue_policies(request, sorted(gone), "")
    _put_queue_policies(request, request.properties["Queues"], text_of(request.properties["PolicyDocument"]))
    return made


def _delete_queue_policy(request: Request, _made: Made) -> None:
    _put_queue_policies(request, request.properties["Queues"], "")


TYPES = (
    ResourceType(
        "AWS::SQS::Queue",
        _queue,
        _delete_queue,
        _update_queue,
        frozenset({"Arn", "QueueName", "QueueUrl"}),
        frozenset({"QueueName", *_QUEUE_ATTRIBUTES}) - {"KmsDataKeyReusePeriodSeconds"},
    ),
    ResourceType(
        "AWS::SQS::QueuePolicy",
        _queue_policy,
        _delete_queue_policy,
        _update_queue_policy,
        frozenset({"Id"}),
        frozenset({"Queues", "PolicyDocument"}),
    ),
)
