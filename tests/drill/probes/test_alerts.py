"""The probes of alerts, against an alarm that goes off on the lab's control plane."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from drill.aws import Aws
from drill.model import Goodness, Json, ProbeSpec
from drill.probes.alarm import AlarmProbe
from drill.probes.contract import Context, Seen
from drill.probes.queue import QueueProbe, queue_arn
from tests.drill.probes.scripted import Attempts, Place, Serve

EAST = "us-east-1"


@pytest.fixture
def aws(aws_url: str) -> Aws:
    """Give clients of the control plane."""
    return Aws(aws_url, 10)


@pytest.fixture
def queue(aws: Aws) -> str:
    """Give the URL of a new queue."""
    return str(aws.client("sqs", EAST).create_queue(QueueName=f"drill-{uuid.uuid4()}")["QueueUrl"])


@pytest.fixture
def topic(aws: Aws, queue: str) -> str:
    """Give the ARN of a topic that tells the queue."""
    sns = aws.client("sns", EAST)
    arn = str(sns.create_topic(Name=f"alerts-{uuid.uuid4()}")["TopicArn"])
    sqs = aws.client("sqs", EAST)
    given = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": given}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=given)
    return arn


@pytest.fixture
def alarm(aws: Aws, topic: str) -> Iterator[str]:
    """Give the name of an alarm that tells the topic when it goes off and when it is over."""
    name = f"reachable-{uuid.uuid4()}"
    aws.client("cloudwatch", EAST).put_metric_alarm(
        AlarmName=name,
        Namespace="n",
        MetricName="Reachable",
        Statistic="Minimum",
        Period=60,
        EvaluationPeriods=2,
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
        AlarmActions=[topic],
        OKActions=[topic],
    )
    yield name
    aws.client("cloudwatch", EAST).delete_alarms(AlarmNames=[name])


def reading(place: Callable[..., Context], url: str | None, queue: str, *alarms: str) -> QueueProbe:
    """Return a probe of a queue."""
    options: dict[str, Json] = {"queue_url": queue, "region": EAST, "alarms": list(alarms)}
    return QueueProbe(ProbeSpec("pager", "queue", 1, 5, options), place(endpoint_url=url))


def turn(aws: Aws, alarm: str, state: str) -> None:
    """Set an alarm's state, as CloudWatch would."""
    aws.client("cloudwatch", EAST).set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="test")


class TestQueue:
    def told(self, seen: Seen, key: str = "alerts") -> list[tuple[object, object]]:
        """Return alarm and state of what an attempt was told."""
        listed = seen.detail.get(key, [])
        assert isinstance(listed, list)
        return [(one["alarm"], one["state"]) for one in listed]

    def test_an_alert_is_bad_and_its_end_is_good(
        self, aws: Aws, aws_url: str, queue: str, alarm: str, place: Place, attempts: Attempts
    ) -> None:
        """What those on call are told comes once: that it went off, then that it is over."""
        probe = reading(place, aws_url, queue, alarm)
        (quiet,) = attempts(probe, 1)
        turn(aws, alarm, "ALARM")
        (off,) = attempts(probe, 1)
        turn(aws, alarm, "OK")
        (over,) = attempts(probe, 1)
        (after,) = attempts(probe, 1)

        assert [Goodness.GOOD, Goodness.BAD, Goodness.GOOD, Goodness.GOOD] == [
            each.goodness for each in (quiet, off, over, after)
        ]
        assert [[], [(alarm, "ALARM")], [(alarm, "OK")], []] == [
            self.told(each) for each in (quiet, off, over, after)
        ]

    def test_another_alarm_does_not_count(
        self, aws: Aws, aws_url: str, queue: str, alarm: str, place: Place, attempts: Attempts
    ) -> None:
        """An alarm that the drill does not wait for is told of, and is no bad news."""
        turn(aws, alarm, "ALARM")

        (seen,) = attempts(reading(place, aws_url, queue, "another"), 1)

        assert Goodness.GOOD is seen.goodness
        assert ([], [(alarm, "ALARM")]) == (self.told(seen), self.told(seen, "others"))

    def test_what_was_told_before_counts_for_nothing(
        self, serve: Serve, place: Place, attempts: Attempts
    ) -> None:
        """An alert of an earlier drill that is still in the queue is none of this one's."""
        said = json.dumps({"Message": json.dumps({"AlarmName": "a", "NewStateValue": "ALARM"})})
        message = {"MessageId": "1", "Body": said, "Attributes": {"SentTimestamp": "1700000000000"}}
        service = serve(lambda *_: (200, {"Messages": [message]}))

        url = f"http://127.0.0.1:{service.port}"
        (seen,) = attempts(reading(place, url, f"{url}/123456789012/q"), 1)

        assert (Goodness.GOOD, {}) == (seen.goodness, seen.detail)

    @pytest.mark.parametrize("body", ["hello", "[]", "{}", '{"Message": "the budget is used up"}'])
    def test_other_messages_are_passed_over(
        self, aws: Aws, aws_url: str, queue: str, place: Place, attempts: Attempts, body: str
    ) -> None:
        """A topic carries more than alarms, and anybody may write to it."""
        aws.client("sqs", EAST).send_message(QueueUrl=queue, MessageBody=body)

        (seen,) = attempts(reading(place, aws_url, queue), 1)

        assert (Goodness.GOOD, {}) == (seen.goodness, seen.detail)

    def test_a_queue_that_is_gone_is_unknown(
        self, aws_url: str, queue: str, place: Place, attempts: Attempts
    ) -> None:
        """Silence that nobody could have broken is no good news."""
        (seen,) = attempts(reading(place, aws_url, f"{queue}-gone"), 1)

        assert Goodness.UNKNOWN is seen.goodness
        assert "NonExistentQueue" in str(seen.detail["error"])

    def test_its_arn_is_in_its_address(self) -> None:
        """The permission is for the one queue."""
        url = "https://sqs.us-east-1.amazonaws.com/123456789012/drill"
        assert "arn:{partition}:sqs:us-east-1:123456789012:drill" == queue_arn(url, EAST)


class TestAlarm:
    def test_its_state(self, aws: Aws, aws_url: str, alarm: str, place: Place, attempts: Attempts) -> None:
        """OK is good, ALARM is bad, and one without data says nothing."""
        spec = ProbeSpec("alarm", "alarm", 1, 5, {"alarm": alarm, "region": EAST})
        probe = AlarmProbe(spec, place(endpoint_url=aws_url))
        seen = []
        for state in ("OK", "ALARM", "INSUFFICIENT_DATA"):
            turn(aws, alarm, state)
            seen += attempts(probe, 1)

        assert [Goodness.GOOD, Goodness.BAD, Goodness.UNKNOWN] == [each.goodness for each in seen]
        assert ["OK", "ALARM", "INSUFFICIENT_DATA"] == [each.detail["state"] for each in seen]
        assert [60, 60, 60] == [each.detail["period_s"] for each in seen]

    def test_none_of_that_name(self, aws_url: str, place: Place, attempts: Attempts) -> None:
        """An alarm that is not there is unknown, neither calm nor on."""
        spec = ProbeSpec("alarm", "alarm", 1, 5, {"alarm": "nosuch", "region": EAST})

        (seen,) = attempts(AlarmProbe(spec, place(endpoint_url=aws_url)), 1)

        assert (Goodness.UNKNOWN, {"error": "no_such_alarm"}) == (seen.goodness, seen.detail)
