"""Kind ``queue``: what alarms tell those who are on call, read from a queue on their alerts' topic.

The queue must be one that drills alone read: what is received stays hidden from everybody else for
as long as the queue keeps it. It is on the same topic as the queue of a person's pager and gets the
same alerts; the pager's own is never touched, since even a look at it counts as a failed delivery:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html

Each attempt is a long poll, which asks every server of the queue, so that an empty answer means that
nothing was there: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
Good: it answered, and no alarm went off. Bad: one of those that count did. Unknown: it did not
answer. What was told before the drill began to listen counts for nothing.

Options:
    queue_url: The queue.
    region: Where it is.
    alarms: Names of the alarms that count (default: all).
    hide_s: How long what was received stays hidden; at least as long as the queue keeps messages
        (default: an hour).

Detail: ``alerts``, a list of ``{"alarm", "state", "changed_at"}`` in the order of the answer, where
``changed_at`` is CloudWatch's own stamp; ``others``, the same of the alarms that do not count; and
``error``, as far as there are values.
"""

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from drill import clock
from drill.faults.contract import Call
from drill.model import LONG_POLL_S, Goodness, Json, ProbeSpec
from drill.probes import options
from drill.probes.calls import Reply, call, clients
from drill.probes.contract import Context, Probe, Seen, told

ALARM = "ALARM"
# The most that one answer holds.
_MOST = 10
_HIDE_S = 3600.0


class QueueProbe(Probe):
    """Calls ReceiveMessage on each attempt."""

    kind: ClassVar[str] = "queue"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._url = options.text(spec, "queue_url")
        self._region = options.text(spec, "region")
        self._alarms = options.texts(spec, "alarms")
        self._hide_s = int(options.number(spec, "hide_s", _HIDE_S))
        self._since_ms: int | None = None
        self._client: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:
        """Return reads of the one queue."""
        arn = queue_arn(options.text(spec, "queue_url"), options.text(spec, "region"))
        return (Call("capture", "sqs", "ReceiveMessage", (arn,)),)

    async def open(self) -> None:
        """Make the client."""
        aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        self._client = aws.client("sqs", self._region)

    async def attempt(self, number: int) -> Seen:
        """Receive what is there."""
        reply = await call(
            self._client.receive_message,
            self.spec.timeout_s,
            QueueUrl=self._url,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=int(LONG_POLL_S),
            VisibilityTimeout=self._hide_s,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        if reply.error:
            return Seen(Goodness.UNKNOWN, None, {"error": reply.error}, reply.done_ns)
        if self._since_ms is None:
            self._since_ms = _now_ms(reply)
        found = (_alert(message, self._since_ms) for message in reply.document.get("Messages", ()))
        told_of = [alert for alert in found if alert]
        alerts = [alert for alert in told_of if not self._alarms or alert["alarm"] in self._alarms]
        others = [alert for alert in told_of if alert not in alerts]
        went_off = any(alert["state"] == ALARM for alert in alerts)
        detail = told(alerts=alerts or None, others=others or None)
        return Seen(Goodness.BAD if went_off else Goodness.GOOD, self._region, detail, reply.done_ns)


def queue_arn(url: str, region: str) -> str:
    """Return the ARN of a queue, whose URL ends in account and name.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
    """
    account, _, name = url.rstrip("/").rpartition("/")
    return f"arn:{{partition}}:sqs:{region}:{account.rpartition('/')[2]}:{name}"


def _now_ms(reply: Reply) -> int:
    """Return the time on AWS's clock, in whole seconds, or on ours where it does not tell."""
    headers = reply.document.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp() * 1000)
    except (KeyError, ValueError):
        return int(clock.wall_in(0).timestamp() * 1000)


def _alert(message: Mapping[str, Any], since_ms: int) -> dict[str, Json] | None:
    """Return what CloudWatch wrote in a message that SNS delivered; None for any other or older one."""
    try:
        if int(message["Attributes"]["SentTimestamp"]) < since_ms:
            return None
        envelope = json.loads(message["Body"])
        # With raw delivery there is no envelope of SNS's around it.
        said = json.loads(envelope["Message"]) if "Message" in envelope else envelope
        alert: dict[str, Json] = {"alarm": str(said["AlarmName"]), "state": str(said["NewStateValue"])}
    except (KeyError, TypeError, ValueError):
        return None  # not of an alarm: a budget's, say, or a person's
    return {**alert, "changed_at": str(said.get("StateChangeTime", ""))}
