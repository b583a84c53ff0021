"""``AWS::SNS::*``: the topic that alarms write to, and those who hear of it."""

import json
from collections.abc import Mapping
from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, truth

_TOPIC_ATTRIBUTES = (
    "DisplayName",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
    "FifoTopic",
    "FifoThroughputScope",
    "ContentBasedDeduplication",
    "ArchivePolicy",
    "DataProtectionPolicy",
)
_TOPIC_FIXED = {"TopicName", "FifoTopic"}
_SUBSCRIPTION_ATTRIBUTES = (
    "RawMessageDelivery",
    "FilterPolicyScope",
    "FilterPolicy",
    "DeliveryPolicy",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)


def text_of(value: Any) -> str:
    """Return a value as an attribute of a topic or a queue is given: documents as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def attributes_of(wanted: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return those of the named properties that are there, as attributes."""
    return {name: text_of(wanted[name]) for name in names if name in wanted}


def _topic(request: Request) -> Made:
    sns, wanted = request.client("sns"), request.properties
    fifo = truth(wanted.get("FifoTopic", False))
    name = wanted.get("TopicName") or request.name(251) + (".fifo" if fifo else "")
    arn = sns.create_topic(
        Name=name, Attributes=attributes_of(wanted, _TOPIC_ATTRIBUTES), Tags=request.tag_list()
    )["TopicArn"]
    for one in wanted.get("Subscription", ()):
        sns.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
    return Made(arn, {"TopicArn": arn, "TopicName": name})


def _update_topic(request: Request, made: Made) -> Made | None:
    changed, wanted = request.changed(), request.properties
    if changed & _TOPIC_FIXED:
        return None
    sns, arn = request.client("sns"), made.physical_resource_id
    given = attributes_of(wanted, _TOPIC_ATTRIBUTES)
    for name in changed & set(_TOPIC_ATTRIBUTES):
        sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=given.get(name, ""))
    if "Subscription" in changed:
        _subscribe_again(request, arn)
    if request.tags_gone():
        sns.untag_resource(ResourceArn=arn, TagKeys=request.tags_gone())
    if request.tag_list():
        sns.tag_resource(ResourceArn=arn, Tags=request.tag_list())
    return made


def _subscribe_again(request: Request, arn: str) -> None:
    sns = request.client("sns")
    wanted = {(one["Protocol"], one["Endpoint"]) for one in request.properties.get("Subscription", ())}
    before = {(one["Protocol"], one["Endpoint"]) for one in request.before.get("Subscription", ())}
    for one in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
        known = (one["Protocol"], one["Endpoint"])
        if known in before - wanted and one["SubscriptionArn"].startswith("arn:"):
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    for protocol, endpoint in sorted(wanted - before):
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)


def _delete_topic(request: Request, made: Made) -> None:
    request.client("sns").delete_topic(TopicArn=made.physical_resource_id)


def _sns_of(request: Request) -> Any:
    return request.client("sns", request.properties.get("Region") or request.region)


def _subscription(request: Request) -> Made:
    wanted = request.properties
    arn = _sns_of(request).subscribe(
        TopicArn=wanted["TopicArn"],
        Protocol=wanted["Protocol"],
        Endpoint=wanted.get("Endpoint", ""),
        Attributes=attributes_of(wanted, _SUBSCRIPTION_ATTRIBUTES),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Made(arn, {"Arn": arn})


def _update_subscription(request: Request, made: Made) -> Made | None:
    changed = request.changed() - {"Tags"}
    if changed - set(_SUBSCRIPTION_ATTRIBUTES):
        return None
    given = attributes_of(request.properties, _SUBSCRIPTION_ATTRIBUTES)
    for name in (name for name in _SUBSCRIPTION_ATTRIBUTES if name in changed):
        fallback = "false" if name == "RawMessageDelivery" else ""
        _sns_of(request).set_subscription_attributes(
            SubscriptionArn=made.physical_resource_id,
            AttributeName=name,
            AttributeValue=given.get(name, fallback),
        )
    return made


def _delete_subscription(request: Request, made: Made) -> None:
    _sns_of(request).unsubscribe(SubscriptionArn=made.physical_resource_id)


def _topic_policy(request: Request) -> Made:
    name = request.name(100)
    _put_topic_policies(request)
    return Made(name, {"Id": name})


def _put_topic_policies(request: Request) -> None:
    for arn in request.properties["Topics"]:
        request.client("sns").set_topic_attributes(
            TopicArn=arn,
            AttributeName="Policy",
            AttributeValue=text_of(request.properties["PolicyDocument"]),
        )


def _update_topic_policy(request: Request, made: Made) -> Made:
    gone = set(request.before["Topics"]) - set(request.properties["Topics"])
    _open_again(request, sorted(gone))
    _put_topic_policies(request)
    return made


def _delete_topic_policy(request: Request, _made: Made) -> None:
    _open_again(request, request.properties["Topics"])


def _open_again(request: Request, arns: Any) -> None:
    """Give topics the policy that they were born with: the account may do everything."""
    for arn in arns:
        policy = {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish"],
                    "Resource": arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": request.account}},
                }
            ],
        }
        request.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )


TYPES = (
    ResourceType(
        "AWS::SNS::Topic",
        _topic,
        _delete_topic,
        _update_topic,
        frozenset({"TopicArn", "TopicName"}),
        frozenset({"TopicName", "Subscription", "KmsMasterKeyId", "SignatureVersion", "FifoTopic"}),
    ),
    ResourceType(
        "AWS::SNS::Subscription",
        _subscription,
        _delete_subscription,
        _update_subscription,
        frozenset({"Arn"}),
        frozenset({"TopicArn", "Protocol", "Endpoint", "Region", *_SUBSCRIPTION_ATTRIBUTES})
        - {"SubscriptionRoleArn"},
    ),
    ResourceType(
        "AWS::SNS::TopicPolicy",
        _topic_policy,
        _delete_topic_policy,
        _update_topic_policy,
        frozenset({"Id"}),
        frozenset({"Topics", "PolicyDocument"}),
    ),
)
