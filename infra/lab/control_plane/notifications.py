"""Publishing to a topic: by the account's own calls, and by services for their resources."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.sns.models import Topic, sns_backends

from infra.lab.control_plane import deliveries, keys
from infra.lab.control_plane.mending import ACCOUNT, replace
from infra.lab.control_plane.resource_policies import allows
from infra.lab.control_plane.service_access import Caller, key_refuses
from infra.lab.control_plane.topic_messages import Notification


class KMSDisabled(ServiceException):
    """The key of an encrypted topic is of no use."""

    code = "KMSDisabled"


def install() -> None:
    """Mend the way from a topic to its subscriptions."""
    replace(Topic, "publish", lambda _: _publish)


def publish_as(caller: Caller, topic_arn: str, message: str, subject: str) -> str:
    """Write to a topic for a service; returns why it may not, else nothing.

    Args:
        caller: The service and its resource, which the topic's policy, and the policy of the
            topic's key, must let write.
        topic_arn: The topic.
        message: The text.
        subject: Its subject; may be empty.

    """
    region = topic_arn.split(":")[3]
    topic = sns_backends[ACCOUNT][region].topics.get(topic_arn)
    if topic is None:
        return "Topic does not exist"
    if not allows(topic.policy, caller.wants("sns:Publish", topic_arn)):
        return f"{caller.principal} is not authorized to perform: SNS:Publish on resource: {topic_arn}"
    if topic.kms_master_key_id:
        context = {"aws:sns:topicarn": topic_arn}
        refused = key_refuses(region, topic.kms_master_key_id, caller, context)
        if refused:
            return f"{caller.principal} has no access to the key of the SNS topic: {refused}"
    _publish(topic, message, subject)
    return ""


def _publish(  # noqa: PLR0913 (moto's signature)
    topic: Topic,
    message: str,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    group_id: str | None = None,
    deduplication_id: str | None = None,
    message_structure: str | None = None,
) -> str:
    """Bring a message to every confirmed subscription whose filter lets it pass; returns its id."""
    if topic.kms_master_key_id:
        unusable = keys.why_unusable(topic.sns_backend.region_name, topic.kms_master_key_id)
        if unusable:
            raise KMSDisabled(unusable)
    note = Notification(
        topic_arn=topic.arn,
        message=message,
        subject=subject or "",
        attributes=message_attributes or {},
        group_id=group_id,
        deduplication_id=deduplication_id,
        signature_version=str(getattr(topic, "signature_version", "") or "1"),
    )
    deliveries.count(topic.arn, "NumberOfMessagesPublished")
    for subscription in topic.sns_backend._get_topic_subscriptions(topic):
        text = message
        if message_structure == "json":
            text = subscription._parse_message_structure(message, subscription.protocol)
        matcher = subscription._filter_policy_matcher
        passes = matcher is None or matcher.matches(message_attributes, text)
        if passes and not getattr(subscription, "token", ""):
            deliveries.deliver(note, subscription, text)
    return note.message_id
