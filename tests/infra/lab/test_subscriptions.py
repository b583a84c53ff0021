"""Subscriptions that somebody must confirm: endpoints on the web, and mail."""

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.alarmlab import AlarmLab, alarm_lab, eventually


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[AlarmLab]:
    """Give a control plane whose alarms are judged."""
    with alarm_lab(tmp_path) as made:
        yield made


class Webhook(http.server.ThreadingHTTPServer):
    """An endpoint on this machine that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        """Listen."""
        self.got: list[tuple[dict[str, str], str]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook?a=b"

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """Return what it got of one type."""
        return [json.loads(body) for headers, body in self.got if headers["x-amz-sns-message-type"] == kind]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        hook.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(hook.answers.pop(0) if hook.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """Give an endpoint that listens."""
    with Webhook() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def publish(lab: AlarmLab, topic: str, message: str = "hello", **more: Any) -> str:
    """Publish a message and return its id."""
    return str(lab.client("sns").publish(TopicArn=topic, Message=message, **more)["MessageId"])


def attributes(lab: AlarmLab, topic: str) -> dict[str, str]:
    """Return a topic's attributes."""
    return dict(lab.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"])


def test_the_web_confirms_first(lab: AlarmLab, hook: Webhook) -> None:
    """An endpoint hears nothing until it has followed the link that it was sent; then it hears all."""
    sns = lab.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    asked = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    assert asked["SubscriptionArn"] == "pending confirmation"
    assert eventually(lambda: bool(hook.documents("SubscriptionConfirmation")))
    publish(lab, topic, "too early")
    shown = attributes(lab, topic)
    assert (shown["SubscriptionsPending"], shown["SubscriptionsConfirmed"]) == ("1", "0")
    (listed,) = sns.list_subscriptions()["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    (asking,) = hook.documents("SubscriptionConfirmation")
    urllib.request.urlopen(asking["SubscribeURL"]).read()  # noqa: S310 (the lab's own)
    assert attributes(lab, topic)["SubscriptionsConfirmed"] == "1"
    publish(lab, topic, "now")
    assert eventually(lambda: bool(hook.documents("Notification")))
    (heard,) = hook.documents("Notification")
    assert heard["Message"] == "now"
    (headers,) = [headers for headers, body in hook.got if '"now"' in body]
    assert headers["x-amz-sns-topic-arn"] == topic
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    urllib.request.urlopen(heard["UnsubscribeURL"]).read()  # noqa: S310 (the lab's own)
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_the_web_is_tried_again(lab: AlarmLab, hook: Webhook) -> None:
    """A failing endpoint is asked again; one that refuses for good is not."""
    sns = lab.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    policy = json.dumps({"healthyRetryPolicy": {"numRetries": 3, "minDelayTarget": 0, "maxDelayTarget": 0}})
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, Attributes={"DeliveryPolicy": policy})
    assert eventually(lambda: bool(hook.documents("SubscriptionConfirmation")))
    (asking,) = hook.documents("SubscriptionConfirmation")
    sns.confirm_subscription(TopicArn=topic, Token=asking["Token"])
    hook.answers[:] = [503, 500, 200]
    publish(lab, topic, "at last")
    assert eventually(lambda: len(hook.documents("Notification")) == 3 and not hook.answers)
    hook.answers[:] = [403]
    publish(lab, topic, "never")
    assert eventually(lambda: not hook.answers)
    publish(lab, topic, "after")
    assert eventually(lambda: hook.documents("Notification")[-1]["Message"] == "after")
    told = [document["Message"] for document in hook.documents("Notification")]
    assert (told.count("at last"), told.count("never"), told.count("after")) == (3, 1, 1)


def test_a_wrong_token_confirms_nothing(lab: AlarmLab) -> None:
    """A token that was not sent is refused."""
    sns = lab.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    with pytest.raises(ClientError) as problem:
        sns.confirm_subscription(TopicArn=topic, Token="0" * 128)
    assert problem.value.response["Error"]["Code"] == "InvalidParameter"
    assert attributes(lab, topic)["SubscriptionsPending"] == "1"


def test_mail_stays_in_the_lab(lab: AlarmLab) -> None:
    """What AWS would send out, by mail or to the web, is written to the truth log and goes nowhere."""
    sns = lab.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    arn = sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    assert arn.startswith(topic)
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://hooks.example.com/x")
    asked = {event["endpoint"]: json.loads(event["text"]) for event in lab.events("message_left")}
    assert set(asked) == {"ops@example.com", "https://hooks.example.com/x"}
    sns.confirm_subscription(TopicArn=topic, Token=asked["ops@example.com"]["Token"])
    publish(lab, topic, "out", Subject="s")
    last = lab.events("message_left")[-1]
    assert (last["endpoint"], last["subject"], last["text"]) == ("ops@example.com", "s", "out")
    assert len(lab.events("message_left")) == 3
