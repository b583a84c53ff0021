"""SNS's topics and subscriptions as AWS has them: who has not confirmed hears nothing.

https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

import json
import secrets
from typing import Any

from moto.core.responses import TYPE_RESPONSE, ActionResult, EmptyResult
from moto.sns import urls
from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError
from moto.sns.models import SNSBackend, Subscription, Topic
from moto.sns.responses import SNSResponse

from infra.lab.control_plane import deliveries, notifications
from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.topic_messages import certificate

# Queues and functions of the same account need no confirmation.
_TO_BE_CONFIRMED = frozenset({"http", "https", "email", "email-json"})
_PENDING = "PendingConfirmation"
# https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
_SETTABLE = frozenset(
    {
        "ArchivePolicy",
        "ContentBasedDeduplication",
        "DataProtectionPolicy",
        "DeliveryPolicy",
        "DisplayName",
        "FifoThroughputScope",
        "KmsMasterKeyId",
        "Policy",
        "SignatureVersion",
        "TracingConfig",
    }
)
_SHOWN_WHEN_SET = {
    "KmsMasterKeyId": "kms_master_key_id",
    "SignatureVersion": "signature_version",
    "TracingConfig": "tracing_config",
    "DeliveryPolicy": "delivery_policy",
    "ArchivePolicy": "archive_policy",
    "FifoThroughputScope": "fifo_throughput_scope",
    "DataProtectionPolicy": "data_protection_policy",
}
_PEM_PATH = r"{0}/SimpleNotificationService-(?P<pem_id>[^/]+).pem"


def install() -> None:
    """Mend moto's topics and subscriptions."""
    notifications.install()
    replace(SNSResponse, "subscribe", _subscribe)
    replace(SNSResponse, "confirm_subscription", lambda _: _confirm)
    replace(SNSResponse, "list_subscriptions", lambda _: _list_subscriptions)
    replace(SNSResponse, "list_subscriptions_by_topic", lambda _: _list_subscriptions_by_topic)
    replace(SNSResponse, "get_topic_attributes", lambda _: _get_topic_attributes)
    replace(SNSResponse, "set_topic_attributes", _set_topic_attributes)
    replace(SNSBackend, "set_subscription_attributes", _set_subscription_attributes)
    urls.url_paths[_PEM_PATH] = _serve_certificate


def is_pending(subscription: Subscription) -> bool:
    """Say whether an endpoint has yet to confirm its subscription."""
    return bool(getattr(subscription, "token", ""))


def _subscribe(original: Function) -> Function:
    def subscribe(response: SNSResponse) -> ActionResult:
        topic, endpoint = response._get_param("TopicArn"), response._get_param("Endpoint")
        protocol = response._get_param("Protocol")
        known = response.backend._find_subscription(topic, endpoint, protocol)
        answer: ActionResult = original(response)
        subscription = response.backend._find_subscription(topic, endpoint, protocol)
        if known is None and protocol in _TO_BE_CONFIRMED:
            subscription.token = secrets.token_hex(64)
            subscription.attributes |= {_PENDING: True, "ConfirmationWasAuthenticated": False}
        if not is_pending(subscription):
            return answer
        deliveries.ask_to_confirm(subscription, subscription.token)
        if response._get_param("ReturnSubscriptionArn"):
            return answer
        return ActionResult({"SubscriptionArn": "pending confirmation"})

    return subscribe


def _confirm(response: SNSResponse) -> ActionResult:
    topic_arn, token = response._get_param("TopicArn"), response._get_param("Token")
    if topic_arn not in response.backend.topics:
        msg = "Topic does not exist"
        raise SNSNotFoundError(msg)
    for subscription in response.backend.subscriptions.values():
        confirmed = getattr(subscription, "confirmed_with", "")
        if subscription.topic.arn == topic_arn and token in {getattr(subscription, "token", ""), confirmed}:
            authenticated = response._get_param("AuthenticateOnUnsubscribe") == "true"
            subscription.attributes |= {_PENDING: False, "ConfirmationWasAuthenticated": authenticated}
            subscription.token, subscription.confirmed_with = "", token
            return ActionResult({"SubscriptionArn": subscription.arn})
    msg = "Invalid parameter: Token"
    raise SNSInvalidParameter(msg)


def _list_subscriptions(response: SNSResponse) -> ActionResult:
    found, token = response.backend.list_subscriptions(next_token=response._get_param("NextToken"))
    return _listed(found, token)


def _list_subscriptions_by_topic(response: SNSResponse) -> ActionResult:
    found, token = response.backend.list_subscriptions_by_topic(
        response._get_param("TopicArn"), next_token=response._get_param("NextToken")
    )
    return _listed(found, token)


def _listed(found: list[Subscription], token: Any) -> ActionResult:
    shown = [
        {
            "SubscriptionArn": _PENDING if is_pending(one) else one.arn,
            "Owner": one.owner,
            "Protocol": one.protocol,
            "Endpoint": one.endpoint,
            "TopicArn": one.topic.arn,
        }
        for one in found
    ]
    return ActionResult({"Subscriptions": shown, "NextToken": token})


def _get_topic_attributes(response: SNSResponse) -> ActionResult:
    topic: Topic = response.backend.get_topic(response._get_param("TopicArn"))
    subscriptions = response.backend._get_topic_subscriptions(topic)
    pending = sum(map(is_pending, subscriptions))
    shown = {
        "Owner": topic.account_id,
        "Policy": topic.policy,
        "TopicArn": topic.arn,
        "DisplayName": topic.display_name,
        "SubscriptionsPending": str(pending),
        "SubscriptionsConfirmed": str(len(subscriptions) - pending),
        "SubscriptionsDeleted": "0",
        "EffectiveDeliveryPolicy": topic.effective_delivery_policy,
    }
    for name, attribute in _SHOWN_WHEN_SET.items():
        if getattr(topic, attribute, ""):
            shown[name] = str(getattr(topic, attribute))
    if topic.fifo_topic:
        shown["FifoTopic"] = "true"
        shown["ContentBasedDeduplication"] = str(topic.content_based_deduplication).lower()
    return ActionResult({"Attributes": shown})


def _set_topic_attributes(original: Function) -> Function:
    def change(response: SNSResponse) -> EmptyResult:
        name, value = response._get_param("AttributeName"), response._get_param("AttributeValue")
        if name not in _SETTABLE:
            msg = "Invalid parameter: AttributeName"
            raise SNSInvalidParameter(msg)
        if name == "Policy":
            _require_document(value)
        answer: EmptyResult = original(response)
        return answer

    return change


def _require_document(text: str | None) -> None:
    try:
        document = json.loads(text or "")
    except ValueError as problem:
        msg = "Invalid parameter: Policy Error: null"
        raise SNSInvalidParameter(msg) from problem
    if not isinstance(document, dict) or not document.get("Statement"):
        msg = "Invalid parameter: Policy statement must contain a statement"
        raise SNSInvalidParameter(msg)


def _set_subscription_attributes(original: Function) -> Function:
    """Forget an attribute that is set to nothing, where moto would read it as JSON."""

    def change(backend: SNSBackend, arn: str, name: str, value: Any) -> None:
        original(backend, arn, name, value)
        if value == "":
            backend.subscriptions[arn].attributes.pop(name, None)

    return change


def _serve_certificate(_request: Any, _full_url: str, _headers: Any) -> TYPE_RESPONSE:
    return 200, {"Content-Type": "application/x-pem-file"}, certificate()
