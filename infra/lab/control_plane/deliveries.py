"""Brings a topic's messages to those who subscribed, as far as policies and keys let it.

Queues get them at once, in the order in which they were published; functions and web endpoints
from threads, with retries. What can't be delivered goes to the subscription's dead-letter
queue, if it has one. The lab reaches this machine only: mails, text messages and endpoints
elsewhere are written to the truth log instead.
https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

import base64
import http.client
import ipaddress
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from moto.sns.models import Subscription
from moto.sqs.models import Queue, sqs_backends

from infra.lab import world
from infra.lab.control_plane import metrics
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.resource_policies import allows
from infra.lab.control_plane.service_access import Caller, function_parts, function_refuses, key_refuses
from infra.lab.control_plane.topic_messages import Notification, confirmation, envelope, stamp
from infra.lab.control_plane.wiring import WIRING

PRINCIPAL = "sns.amazonaws.com"
_THREADS = 8
_TIMEOUT_S = 15
# https://docs.aws.amazon.com/sns/latest/dg/creating-delivery-policy.html
_RETRIES, _DELAY_S = 3, 20.0


@dataclass
class _Setting:
    endpoint_url: str = ""
    clock_scale: float = 1.0
    threads: ThreadPoolExecutor | None = None
    ended: threading.Event = field(default_factory=threading.Event)


_SETTING = _Setting()


def install(endpoint_url: str, clock_scale: float) -> None:
    """Begin to deliver.

    Args:
        endpoint_url: The lab's own API, at which subscriptions are confirmed.
        clock_scale: Pauses between attempts are multiplied by it.

    """
    close()
    _SETTING.endpoint_url, _SETTING.clock_scale = endpoint_url, clock_scale
    _SETTING.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sns")
    _SETTING.ended = threading.Event()


def close() -> None:
    """Deliver nothing more."""
    _SETTING.ended.set()
    if _SETTING.threads is not None:
        _SETTING.threads.shutdown(wait=False, cancel_futures=True)
        _SETTING.threads = None


def deliver(note: Notification, subscription: Subscription, text: str) -> None:
    """Bring one message to one subscription; returns before it is there, but for queues."""
    if subscription.protocol == "sqs":
        _settle(note, subscription, text, _to_queue(note, subscription, text))
    elif subscription.protocol == "lambda" or is_near(subscription.endpoint):
        if _SETTING.threads is not None:
            _SETTING.threads.submit(_keep_trying, note, subscription, text)
    elif WIRING.alarms is not None:
        WIRING.alarms.message_left(subscription.endpoint, note.subject, text)


def ask_to_confirm(subscription: Subscription, token: str) -> None:
    """Send an endpoint the message with which it confirms its subscription."""
    document = confirmation(subscription.topic.arn, token, _SETTING.endpoint_url)
    if not is_near(subscription.endpoint):
        if WIRING.alarms is not None:
            WIRING.alarms.message_left(
                subscription.endpoint, "AWS Notification - Subscription Confirmation", json.dumps(document)
            )
    elif _SETTING.threads is not None:
        _SETTING.threads.submit(_post, subscription, document)


def is_near(endpoint: str) -> bool:
    """Say whether a web endpoint is on this machine."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"}:
        return False
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _keep_trying(note: Notification, subscription: Subscription, text: str) -> None:
    attempts, pause_s = _patience(subscription)
    problem, final = "", False
    for attempt in range(attempts + 1):
        if attempt and _SETTING.ended.wait(pause_s * _SETTING.clock_scale):
            return
        if subscription.protocol == "lambda":
            problem, final = _to_function(note, subscription, text)
        else:
            problem, final = _to_web(note, subscription, text)
        if not problem or final:
            break
    _settle(note, subscription, text, problem)


def _patience(subscription: Subscription) -> tuple[int, float]:
    """Return how many retries a subscription has, and the seconds between them."""
    given = subscription.attributes.get("DeliveryPolicy") or "{}"
    policy = json.loads(given).get("healthyRetryPolicy") or {}
    return int(policy.get("numRetries", _RETRIES)), float(policy.get("minDelayTarget", _DELAY_S))


def _settle(note: Notification, subscription: Subscription, text: str, problem: str) -> None:
    name = "NumberOfNotificationsFailed" if problem else "NumberOfNotificationsDelivered"
    count(note.topic_arn, name)
    redrive = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    if problem and redrive:
        _send(note, redrive["deadLetterTargetArn"], *_form(note, subscription, text))


def count(topic_arn: str, name: str) -> None:
    """Publish one of a topic's own metrics."""
    region, topic = topic_arn.split(":")[3], topic_arn.rpartition(":")[2]
    metrics.publish([world.Metric(region, "AWS/SNS", name, (("TopicName", topic),), 1)])


def _to_queue(note: Notification, subscription: Subscription, text: str) -> str:
    return _send(note, subscription.endpoint, *_form(note, subscription, text))


def _form(note: Notification, subscription: Subscription, text: str) -> tuple[str, dict[str, Any]]:
    """Return the body and the attributes of a message in a queue."""
    if subscription.attributes.get("RawMessageDelivery"):
        return text, {name: _attribute(value) for name, value in note.attributes.items()}
    return json.dumps(envelope(note, text, _SETTING.endpoint_url, subscription.arn), indent=2), {}


def _attribute(given: Mapping[str, Any]) -> dict[str, Any]:
    if given["Type"].startswith("Binary"):
        return {"DataType": given["Type"], "BinaryValue": base64.b64decode(given["Value"])}
    return {"DataType": given["Type"], "StringValue": str(given["Value"])}


def _send(note: Notification, queue_arn: str, body: str, attributes: dict[str, Any]) -> str:
    """Write to a queue; returns why it may not, else nothing."""
    region, name = queue_arn.split(":")[3], queue_arn.rpartition(":")[2]
    backend = sqs_backends[ACCOUNT][region]
    queue = backend.queues.get(name)
    problem = f"there is no queue {queue_arn}" if queue is None else _refused(note, queue, region)
    if problem:
        return problem
    backend.send_message(
        name,
        body,
        message_attributes=attributes,
        deduplication_id=note.deduplication_id,
        group_id=note.group_id,
        validate_group_id=False,
    )
    if WIRING.alarms is not None:
        WIRING.alarms.message_arrived(region, name, note.topic_arn, note.message_id)
    return ""


def _refused(note: Notification, queue: Queue, region: str) -> str:
    caller = Caller(PRINCIPAL, note.topic_arn)
    if not allows(queue.policy, caller.wants("sqs:SendMessage", queue.queue_arn)):
        return f"the policy of {queue.queue_arn} does not let {PRINCIPAL} write for {note.topic_arn}"
    if queue.kms_master_key_id:
        return key_refuses(region, queue.kms_master_key_id, caller, {"aws:sqs:arn": queue.queue_arn})
    return ""


def _to_function(note: Notification, subscription: Subscription, text: str) -> tuple[str, bool]:
    """Run a function; returns the problem and whether trying again is of no use."""
    arn = subscription.endpoint
    refused = function_refuses(arn, Caller(PRINCIPAL, note.topic_arn))
    if refused or WIRING.invoker is None:
        return refused or "no functions run in this lab yet", True
    answer = WIRING.invoker.invoke(
        *function_parts(arn), json.dumps(_event(note, subscription, text)).encode()
    )
    # The invocation is asynchronous on AWS: what the function itself answers is not SNS's concern.
    return (f"answered {answer.status}", False) if answer.status >= 400 else ("", False)


def _event(note: Notification, subscription: Subscription, text: str) -> dict[str, Any]:
    """Return the event of https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html ."""
    document = envelope(note, text, _SETTING.endpoint_url, subscription.arn)
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    sns = {renamed.get(name, name): value for name, value in document.items()}
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription.arn,
                "Sns": {"Subject": None, "MessageAttributes": {}, **sns, "Timestamp": stamp(note.at)},
            }
        ]
    }


def _to_web(note: Notification, subscription: Subscription, text: str) -> tuple[str, bool]:
    if subscription.attributes.get("RawMessageDelivery"):
        status = _request(subscription, text, "Notification", note.message_id, raw=True)
    else:
        status = _post(subscription, envelope(note, text, _SETTING.endpoint_url, subscription.arn))
    lost = not 200 <= status < 300
    return f"answered {status}" if lost else "", 400 <= status < 500 and status != 429


def _post(subscription: Subscription, document: dict[str, Any]) -> int:
    return _request(subscription, json.dumps(document), document["Type"], document["MessageId"])


def _request(subscription: Subscription, body: str, kind: str, message_id: str, *, raw: bool = False) -> int:
    """Send one POST; returns the status, 599 when there was no answer."""
    parts = urlsplit(subscription.endpoint)
    secure = parts.scheme == "https"
    make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port or (443 if secure else 80), timeout=_TIMEOUT_S)
    headers = {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": subscription.topic.arn,
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    if kind == "Notification":
        headers["x-amz-sns-subscription-arn"] = subscription.arn
    if raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body.encode(), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 599
    finally:
        connection.close()
