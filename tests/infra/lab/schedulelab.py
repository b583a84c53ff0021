"""A control plane with the physics of schedules and backups, for the tests of both."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.lab import truth
from infra.lab.profile import FAST, Profile
from infra.lab.schedule_calls import Caller
from infra.lab.schedules import Schedules
from infra.lab.virtual_time import VirtualClock
from tests.infra.lab.planelab import EAST, Lab, Physics, control_plane

# A minute lasts 0.2 s, so that what is scheduled comes soon; and an hour's is not to be waited for.
QUICK = replace(FAST, clock_scale=1 / 300)
MINUTE_S = 60 * QUICK.clock_scale
OFF = {"Mode": "OFF"}
ROLE = "arn:aws:iam::123456789012:role/scheduler"


class Following(threading.Thread):
    """Runs physics in a loop of its own, and shows them each change of a control plane."""

    def __init__(self, lab: Lab, physics: Sequence[Any]) -> None:
        """Take whom to follow, and what follows."""
        super().__init__(name="physics")
        self._plane, self._physics = lab.plane, physics
        self._over = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Follow until the end."""
        try:
            asyncio.run(self._follow())
        except BaseException as problem:  # noqa: BLE001 (told by close)
            self.failure = problem

    async def _follow(self) -> None:
        for one in self._physics:
            await one.start()
        while not self._over.is_set():
            snapshot = self._plane.snapshot()
            for one in self._physics:
                one.reconcile(snapshot)
            await asyncio.sleep(0.01)
        for one in reversed(self._physics):
            await one.close()

    def close(self) -> None:
        """Stop; fails if the physics did."""
        self._over.set()
        self.join()
        if self.failure is not None:
            raise self.failure


class Scheduled:
    """A lab whose schedules really fire."""

    def __init__(self, lab: Lab, physics: Physics, log: Path) -> None:
        """Take the control plane, what answers for functions, and where the truth is."""
        self.lab, self.physics, self._log = lab, physics, log

    def client(self, service: str, region: str = EAST) -> Any:
        """Return a boto3 client."""
        return self.lab.client(service, region)

    def events(self, kind: str) -> list[dict[str, object]]:
        """Return what the truth log holds of a kind."""
        return [event for event in truth.read(self._log) if event["kind"] == kind]

    def schedule(self, expression: str, target: dict[str, Any], name: str = "s", **more: Any) -> str:
        """Make a schedule; returns its ARN."""
        call = {"FlexibleTimeWindow": OFF, **more}
        made = self.client("scheduler").create_schedule(
            Name=name, ScheduleExpression=expression, Target={"RoleArn": ROLE, **target}, **call
        )
        return str(made["ScheduleArn"])

    def once(self, target: dict[str, Any], **more: Any) -> tuple[str, datetime]:
        """Make a schedule that is due once, soon; returns its ARN and when it is due.

        Nothing comes of one whose instant has passed when the API takes it, as on a busy machine: it is
        made anew then, for later.
        """
        after_s = 1.0
        while True:
            due = (datetime.now(UTC) + timedelta(seconds=after_s + 1)).replace(microsecond=0)
            arn = self.schedule(f"at({due:%Y-%m-%dT%H:%M:%S})", target, **more)
            if datetime.now(UTC) < due:
                return arn, due
            with contextlib.suppress(self.client("scheduler").exceptions.ResourceNotFoundException):
                self.client("scheduler").delete_schedule(Name="s")
            after_s *= 2

    def queue(self, name: str = "q") -> str:
        """Make a queue; returns its ARN."""
        url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        shown = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(shown["Attributes"]["QueueArn"])

    def take(self, name: str = "q") -> list[dict[str, Any]]:
        """Take what a queue holds."""
        url = self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
        found = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        for message in messages:
            self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages


@contextlib.contextmanager
def scheduled(tmp_path: Path, profile: Profile = QUICK) -> Iterator[Scheduled]:
    """Yield a lab whose schedules fire."""
    log = tmp_path / "truth.jsonl"
    with control_plane() as lab, contextlib.closing(truth.TruthLog(log)) as written:
        make_role(lab)
        physics = lab.connect()
        clock = VirtualClock(profile.clock_scale)
        caller = Caller(lab.plane.endpoint_url, lab.plane.role_permits)
        following = Following(lab, [Schedules(caller, profile, written, clock)])
        following.start()
        try:
            yield Scheduled(lab, physics, log)
        finally:
            following.close()


def make_role(lab: Lab, name: str = "scheduler", service: str = "scheduler", may: str = "*") -> str:
    """Make a role that a service may assume and that permits an action; returns its ARN."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = lab.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement})
    )
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": may, "Resource": "*"}}
    lab.client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return str(made["Role"]["Arn"])


def until(holds: Callable[[], Any], what: str, limit_s: float = 30.0) -> Any:
    """Wait until something is there, and return it."""
    over = time.monotonic() + limit_s
    while not (found := holds()):
        if time.monotonic() > over:
            pytest.fail(f"still waiting for {what}")
        time.sleep(0.01)
    return found
