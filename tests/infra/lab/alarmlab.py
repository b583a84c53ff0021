"""A control plane with judged alarms whose minute is short, for the tests of both."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.lab import profile, truth
from infra.lab.addresses import Addresses
from infra.lab.alarms import Alarms
from infra.lab.health_checks import HealthChecks
from infra.lab.truth import TruthLog
from tests.infra.lab.planelab import EAST, WEST, Lab, Physics, control_plane

# A minute of CloudWatch lasts this long here.
MINUTE_S = 0.3
QUICK = replace(profile.FAST, clock_scale=MINUTE_S / 60)
TICK_S = 0.05


@dataclass
class AlarmLab:
    """A control plane, its alarms, and what the truth log says."""

    lab: Lab
    alarms: Alarms
    log: Path
    physics: Physics
    health: HealthChecks

    def client(self, service: str, region: str = EAST) -> Any:
        """Return a boto3 client."""
        return self.lab.client(service, region)

    def put(self, value: float, name: str = "errors", region: str = EAST, **more: Any) -> None:
        """Publish a value of a metric in the namespace ``n``."""
        datum = {"MetricName": name, "Value": value, **more}
        self.client("cloudwatch", region).put_metric_data(Namespace="n", MetricData=[datum])

    def alarm(self, name: str = "errors", **settings: Any) -> None:
        """Make an alarm: the sum of a minute's ``errors`` is 5 or more."""
        call = {
            "AlarmName": name,
            "Namespace": "n",
            "MetricName": "errors",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            **settings,
        }
        given = {key: value for key, value in call.items() if value is not None}
        self.client("cloudwatch").put_metric_alarm(**given)

    def shown(self, name: str = "errors") -> dict[str, Any]:
        """Return an alarm as it is described."""
        found = self.client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (one,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return dict(one)

    def state(self, name: str = "errors") -> str:
        """Return the state that an alarm shows."""
        return str(self.shown(name)["StateValue"])

    def comes_to(self, state: str, name: str = "errors") -> bool:
        """Say whether an alarm shows a state before long."""
        return eventually(lambda: self.state(name) == state)

    def check(self, alarm: str = "errors", **config: Any) -> str:
        """Make a health check on an alarm; returns its id."""
        call = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Name": alarm, "Region": EAST}, **config}
        made = self.client("route53").create_health_check(
            CallerReference=uuid.uuid4().hex, HealthCheckConfig=call
        )
        return str(made["HealthCheck"]["Id"])

    def is_healthy(self, check_id: str, *, healthy: bool = True) -> bool:
        """Say whether a health check comes to a state before long."""
        return eventually(lambda: self.health.healthy(check_id) is healthy)

    def next_minute(self, more: int = 1) -> None:
        """Wait until so many minutes of data have been judged since now."""
        time.sleep((more + 1) * MINUTE_S - time.time() % MINUTE_S + 3 * TICK_S)

    def topic(self, name: str = "alerts") -> tuple[str, str]:
        """Make a topic with a queue that reads it; returns the topic's ARN and the queue's URL."""
        sns, sqs = self.client("sns"), self.client("sqs")
        topic: str = sns.create_topic(Name=name)["TopicArn"]
        queue = f"arn:aws:sqs:{EAST}:123456789012:{name}"
        url: str = sqs.create_queue(QueueName=name, Attributes={"Policy": may_write(queue, topic)})[
            "QueueUrl"
        ]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        return topic, url

    def messages(self, url: str, wait_s: int = 0) -> list[dict[str, Any]]:
        """Take the messages that a queue has; each is the document that SNS wrote."""
        taken = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s, VisibilityTimeout=600
        )
        return [json.loads(message["Body"]) for message in taken.get("Messages", ())]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the truth log's events of a kind."""
        return [event for event in truth.read(self.log) if event["kind"] == kind]


def may_write(queue: str, topic: str) -> str:
    """Return the policy that lets a topic write to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Statement": [statement]})


def eventually(holds: Callable[[], bool], limit_s: float = 20) -> bool:
    """Say whether something holds before a generous while is over."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.03)
    return False


@contextmanager
def alarm_lab(folder: Path) -> Iterator[AlarmLab]:
    """Yield a control plane whose alarms are judged in a loop of their own."""
    log = folder / "truth.jsonl"
    writer = TruthLog(log)
    with control_plane() as lab:
        alarms = Alarms(lab.plane, QUICK, writer)
        health = HealthChecks(Addresses(1, (EAST, WEST)), QUICK, writer, lambda _: (), streams=alarms)
        physics = Physics()
        lab.plane.serve_with(invoker=physics, health=physics, writes=physics, alarms=alarms)
        ended = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(_follow(lab, (alarms, health), ended)))
        thread.start()
        try:
            yield AlarmLab(lab, alarms, log, physics, health)
        finally:
            ended.set()
            thread.join()
            writer.close()


async def _follow(lab: Lab, physics: tuple[Alarms, HealthChecks], ended: threading.Event) -> None:
    for one in physics:
        await one.start()
    while not ended.is_set():
        snapshot = lab.now
        for one in physics:
            one.reconcile(snapshot)
        await asyncio.sleep(TICK_S)
    for one in physics:
        await one.close()
