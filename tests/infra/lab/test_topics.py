"""Messages from a topic to those who subscribed: queues, functions, the web, and nobody else."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.infra.lab.alarmlab import AlarmLab, alarm_lab, eventually, may_write
from tests.infra.lab.planelab import EAST

ACCOUNT = "123456789012"
SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[AlarmLab]:
    """Give a control plane whose alarms are judged."""
    with alarm_lab(tmp_path) as made:
        yield made


def publish(lab: AlarmLab, topic: str, message: str = "hello", **more: Any) -> str:
    """Publish a message and return its id."""
    return str(lab.client("sns").publish(TopicArn=topic, Message=message, **more)["MessageId"])


def attributes(lab: AlarmLab, topic: str) -> dict[str, str]:
    """Return a topic's attributes."""
    return dict(lab.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"])


def key(lab: AlarmLab, *services: str) -> str:
    """Make a key that these services may use, besides the account; returns its ARN."""
    owner = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    uses = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    }
    statements = [{**one, "Resource": "*"} for one in ([owner, uses] if services else [owner])]
    made = lab.client("kms").create_key(Policy=json.dumps({"Statement": statements}))
    return str(made["KeyMetadata"]["Arn"])


def test_a_queue_gets_a_signed_document(lab: AlarmLab) -> None:
    """The document around a message says all that SNS says, and its signature is true."""
    topic, url = lab.topic()
    sent = publish(
        lab, topic, Subject="s", MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}}
    )
    (document,) = lab.messages(url, 10)
    assert (document["Type"], document["MessageId"], document["TopicArn"]) == ("Notification", sent, topic)
    assert (document["Subject"], document["Message"]) == ("s", "hello")
    assert document["MessageAttributes"] == {"kind": {"Type": "String", "Value": "x"}}
    text = "".join(f"{name}\n{document[name]}\n" for name in SIGNED)
    pem = urllib.request.urlopen(document["SigningCertURL"]).read()  # noqa: S310 (the lab's own)
    public = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    signature = base64.b64decode(document["Signature"])
    assert document["SignatureVersion"] == "1"
    public.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 (as AWS signs)


def test_raw_delivery(lab: AlarmLab) -> None:
    """Raw, a queue gets the text alone and the attributes as its own; turned off again, the document."""
    topic, url = lab.topic()
    sns = lab.client("sns")
    (one,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    call = {"SubscriptionArn": one["SubscriptionArn"], "AttributeName": "RawMessageDelivery"}
    sns.set_subscription_attributes(**call, AttributeValue="true")
    publish(lab, topic, "plain", MessageAttributes={"n": {"DataType": "Number", "StringValue": "7"}})
    got = lab.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])
    (message,) = got["Messages"]
    assert message["Body"] == "plain"
    assert message["MessageAttributes"]["n"]["StringValue"] == "7"
    sns.set_subscription_attributes(**call, AttributeValue="false")
    publish(lab, topic, "whole")
    assert [document["Message"] for document in lab.messages(url, 5)] == ["whole"]


def test_a_filter_lets_some_pass(lab: AlarmLab) -> None:
    """A subscription with a filter policy gets what it asked for."""
    topic, url = lab.topic()
    sns = lab.client("sns")
    (one,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=one["SubscriptionArn"],
        AttributeName="FilterPolicy",
        AttributeValue='{"kind": ["page"]}',
    )
    for kind in ("mail", "page"):
        publish(lab, topic, kind, MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}})
    assert [document["Message"] for document in lab.messages(url, 5)] == ["page"]


def test_a_queue_that_does_not_let_the_topic_write(lab: AlarmLab) -> None:
    """Without a policy, or with one for another topic, nothing arrives; the dead-letter queue has it."""
    topic, _ = lab.topic()
    sns, sqs = lab.client("sns"), lab.client("sqs")
    closed = f"arn:aws:sqs:{EAST}:{ACCOUNT}:closed"
    dead = f"arn:aws:sqs:{EAST}:{ACCOUNT}:dead"
    other = may_write(closed, topic + "2")
    closed_url = sqs.create_queue(QueueName="closed", Attributes={"Policy": other})["QueueUrl"]
    dead_url = sqs.create_queue(QueueName="dead", Attributes={"Policy": may_write(dead, topic)})["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": dead})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed, Attributes={"RedrivePolicy": redrive})
    publish(lab, topic)
    assert [document["Message"] for document in lab.messages(dead_url, 5)] == ["hello"]
    assert lab.messages(closed_url) == []
    sqs.set_queue_attributes(QueueUrl=closed_url, Attributes={"Policy": may_write(closed, topic)})
    publish(lab, topic, "again")
    assert [document["Message"] for document in lab.messages(closed_url, 5)] == ["again"]


def test_an_encrypted_queue(lab: AlarmLab) -> None:
    """SNS writes to a queue under a key of one's own only if the key's policy lets it."""
    topic, url = lab.topic()
    sqs = lab.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key(lab)})
    publish(lab, topic, "lost")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key(lab, "sns.amazonaws.com")})
    publish(lab, topic, "found")
    assert [document["Message"] for document in lab.messages(url, 5)] == ["found"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["SqsManagedSseEnabled"], "Policy" in shown) == ("false", True)


def test_an_alarm_and_an_encrypted_topic(lab: AlarmLab) -> None:
    """An alarm can't write under a key that does not know CloudWatch; its history says why."""
    topic, url = lab.topic()
    sns, alarms = lab.client("sns"), lab.client("cloudwatch")
    call = {"TopicArn": topic, "AttributeName": "KmsMasterKeyId"}
    lab.alarm(AlarmActions=[topic], TreatMissingData="notBreaching")

    def fire() -> str:
        assert lab.comes_to("OK")
        before = len(alarms.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"])
        alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="fire")

        def done() -> bool:
            items = alarms.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
            return len(items) > before

        assert eventually(done)
        return str(
            alarms.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"][0]["HistorySummary"]
        )

    sns.set_topic_attributes(**call, AttributeValue=key(lab))
    assert "no access to the key" in fire()
    assert lab.messages(url) == []
    sns.set_topic_attributes(**call, AttributeValue=key(lab, "cloudwatch.amazonaws.com"))
    assert fire().startswith("Successfully executed")
    assert len(lab.messages(url, 5)) == 1


def test_an_alarm_and_the_topics_policy(lab: AlarmLab) -> None:
    """A topic's own policy must let CloudWatch write; the one that it is born with does."""
    topic, url = lab.topic()
    alarms = lab.client("cloudwatch")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "budgets.amazonaws.com"},
        "Action": "sns:Publish",
    }
    policy = json.dumps({"Statement": [{**statement, "Resource": topic}]})
    lab.alarm(AlarmActions=[topic], TreatMissingData="notBreaching")
    assert lab.comes_to("OK")
    lab.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="fire")

    def refused() -> bool:
        items = alarms.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
        return any("not authorized" in item["HistorySummary"] for item in items)

    assert eventually(refused)
    assert lab.messages(url) == []


def test_a_disabled_key_stops_the_topic(lab: AlarmLab) -> None:
    """Nobody publishes to a topic whose key is disabled."""
    topic, _ = lab.topic()
    arn = key(lab)
    lab.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=arn)
    publish(lab, topic)
    lab.client("kms").disable_key(KeyId=arn)
    with pytest.raises(ClientError) as problem:
        publish(lab, topic)
    assert problem.value.response["Error"]["Code"] == "KMSDisabled"


def counted(lab: AlarmLab) -> dict[str, set[str]]:
    """Return which topics have published which of their own metrics."""
    listed = lab.client("cloudwatch").list_metrics(Namespace="AWS/SNS")["Metrics"]
    found: dict[str, set[str]] = {}
    for metric in listed:
        found.setdefault(metric["MetricName"], set()).update(one["Value"] for one in metric["Dimensions"])
    return found


def test_a_function_is_run(lab: AlarmLab) -> None:
    """A function that lets SNS invoke it gets the message as an event; one that does not hears nothing."""
    lab.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")
    functions, sns = lab.client("lambda"), lab.client("sns")
    arn = functions.create_function(
        FunctionName="page",
        Runtime="python3.11",
        Role=f"arn:aws:iam::{ACCOUNT}:role/lambda",
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )["FunctionArn"]
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    publish(lab, topic, "unheard")
    assert eventually(lambda: "NumberOfNotificationsFailed" in counted(lab))
    functions.add_permission(
        FunctionName="page",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    publish(lab, topic, "heard", Subject="s")
    assert eventually(lambda: bool(lab.physics.invoked))
    (call,) = lab.physics.invoked
    (record,) = json.loads(call[3])["Records"]
    assert call[:3] == (EAST, "page", "$LATEST")
    assert (record["EventSource"], record["Sns"]["Message"], record["Sns"]["Subject"]) == (
        "aws:sns",
        "heard",
        "s",
    )


def test_what_a_topic_shows(lab: AlarmLab) -> None:
    """Every attribute that was set is shown; one that is none is refused."""
    sns = lab.client("sns")
    topic = sns.create_topic(
        Name="alerts",
        Attributes={"DisplayName": "Alerts", "SignatureVersion": "2", "TracingConfig": "Active"},
    )["TopicArn"]
    arn = key(lab)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=arn)
    shown = attributes(lab, topic)
    assert (shown["DisplayName"], shown["SignatureVersion"], shown["TracingConfig"]) == (
        "Alerts",
        "2",
        "Active",
    )
    assert shown["KmsMasterKeyId"] == arn
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
    assert "KmsMasterKeyId" not in attributes(lab, topic)
    for name, value in (("Colour", "red"), ("Policy", "{"), ("Policy", "{}")):
        with pytest.raises(ClientError) as problem:
            sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
        assert problem.value.response["Error"]["Code"] == "InvalidParameter"


def test_a_change_of_a_queue_keeps_its_policy(lab: AlarmLab) -> None:
    """Setting one attribute leaves the others; an empty policy takes it away."""
    _, url = lab.topic()
    sqs = lab.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["VisibilityTimeout"], "Policy" in shown) == ("5", True)
    allowed = json.dumps({"redrivePermission": "denyAll"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "", "RedriveAllowPolicy": allowed})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["RedriveAllowPolicy"], "Policy" in shown) == (allowed, False)


def test_deliveries_are_counted(lab: AlarmLab) -> None:
    """A topic publishes how many messages it took, delivered and could not deliver."""
    topic, url = lab.topic()
    publish(lab, topic, "one")
    lab.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    publish(lab, topic, "two")
    assert counted(lab) == {
        "NumberOfMessagesPublished": {"alerts"},
        "NumberOfNotificationsDelivered": {"alerts"},
        "NumberOfNotificationsFailed": {"alerts"},
    }
