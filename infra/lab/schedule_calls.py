"""The calls that schedules make: their targets, their dead-letter queues, and their own deletion."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from drill.aws import Aws
from infra.lab.schedule_targets import TargetCall, call_of
from infra.lab.world import Schedule

log = structlog.get_logger()

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target did not take a call."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a schedule, with all its tries.

    Attributes:
        schedule: What is due.
        due_s: When it was, in seconds since 1970.
        id: Names it in what is sent.

    """

    schedule: Schedule
    due_s: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def due(self) -> str:
        """When it was due, as AWS writes it."""
        return datetime.fromtimestamp(self.due_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def payload(self, attempt: int) -> str:
        """Return what is sent: the schedule's input with its keywords replaced, else a notice.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        text = self.schedule.target.get("Input")
        if text is None:
            return "{}" if ":aws-sdk:" in self.schedule.target["Arn"] else self._notice()
        for keyword, value in (
            ("schedule-arn", self.schedule.arn),
            ("scheduled-time", self.due),
            ("execution-id", self.id),
            ("attempt-number", str(attempt)),
        ):
            text = text.replace(f"<aws.scheduler.{keyword}>", value)
        return str(text)

    def _notice(self) -> str:
        account = self.schedule.arn.split(":")[4]
        notice = {
            "version": "0",
            "id": self.id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": self.due,
            "region": self.schedule.region,
            "resources": [self.schedule.arn],
            "detail": "{}",
        }
        return json.dumps(notice)


class Caller:
    """Calls the lab's own AWS API; blocking, from threads."""

    def __init__(self, endpoint_url: str, permits: Callable[[str, TargetCall, str], bool]) -> None:
        """Take where the API answers, and who says whether a role permits a call in a region."""
        self._aws = Aws(endpoint_url, _TIMEOUT_S, attempts=1)
        self._permits = permits

    def invoke(self, invocation: Invocation, attempt: int) -> Failure | None:
        """Call the target of a schedule once; returns why it failed, if it did."""
        schedule = invocation.schedule
        role = schedule.target["RoleArn"]
        try:
            call = call_of(schedule.target, invocation.payload(attempt))
            if not self._permits(role, call, schedule.region):
                text = f"{role} is not authorized to perform: {call.iam_action}"
                return Failure("AccessDeniedException", text)
            self._call(call, schedule.region)
        except ClientError as problem:
            return Failure(problem.response["Error"]["Code"], str(problem))
        except (BotoCoreError, ValueError) as problem:
            # A payload that the API does not take: AWS answers so, and botocore before it.
            return Failure("ValidationException", str(problem))
        return None

    def bury(self, invocation: Invocation, failure: Failure, attempts: int, exhausted: str) -> None:
        """Tell the dead-letter queue of an invocation that is given up.

        Without a queue, or without the role's permission to send to it, the invocation is lost.
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
        """
        schedule = invocation.schedule
        queue = schedule.target.get("DeadLetterConfig", {}).get("Arn")
        if queue is None:
            return
        if not self._permits(schedule.target["RoleArn"], _sending(queue), queue.split(":")[3]):
            log.warning("a dead-letter queue may not be sent to", schedule=schedule.arn, queue=queue)
            return
        attributes = {
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.text,
            "EXECUTION_ID": invocation.id,
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(attempts - 1),
            "SCHEDULED_TIME": invocation.due,
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": schedule.target["Arn"],
        }
        message = {
            "QueueUrl": queue,
            "MessageBody": invocation.payload(attempts),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        try:
            self._call(TargetCall("sqs", "SendMessage", message), schedule.region)
        except (ClientError, BotoCoreError):
            log.exception("a dead-letter queue took no message", schedule=schedule.arn, queue=queue)

    def delete(self, schedule: Schedule) -> None:
        """Delete a schedule that will never be due again."""
        scheduler = self._aws.client("scheduler", schedule.region)
        try:
            scheduler.delete_schedule(Name=schedule.name, GroupName=schedule.group)
        except scheduler.exceptions.ResourceNotFoundException:
            log.debug("a schedule was deleted before its time", schedule=schedule.arn)

    def _call(self, call: TargetCall, region: str) -> None:
        client = self._aws.client(call.service, region)
        arguments: dict[str, Any] = dict(call.arguments)
        if call.service == "sqs" and str(arguments.get("QueueUrl", "")).startswith("arn:"):
            # Templated targets and dead-letter queues are named by their ARN.
            _, _, _, owner_region, account, name = arguments["QueueUrl"].split(":")
            client = self._aws.client("sqs", owner_region)
            found = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            arguments["QueueUrl"] = found["QueueUrl"]
        getattr(client, xform_name(call.operation))(**arguments)


def _sending(queue: str) -> TargetCall:
    """Return the call that tells a dead-letter queue, as far as a permission asks of it."""
    return TargetCall("sqs", "SendMessage", {"QueueUrl": queue})
