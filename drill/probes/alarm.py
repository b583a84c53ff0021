"""Kind ``alarm``: the state of a CloudWatch alarm, as its own API shows it.

Good is ``OK``, bad is ``ALARM``; unknown while it has not enough data, if there is none of that
name, or if CloudWatch did not answer.

Options:
    alarm: Its name.
    region: Where it is.

Detail: ``state``, ``changed_at`` (CloudWatch's own stamp of the last change of state), ``period_s``
(the period of its metric, where it has one) and ``error``, as far as there are values.
"""

from typing import Any, ClassVar

from drill.faults.contract import Call
from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.calls import call, clients
from drill.probes.contract import Context, Probe, Seen, told

_GOODNESS = {"OK": Goodness.GOOD, "ALARM": Goodness.BAD}


class AlarmProbe(Probe):
    """Calls DescribeAlarms on each attempt."""

    kind: ClassVar[str] = "alarm"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._alarm = options.text(spec, "alarm")
        self._region = options.text(spec, "region")
        self._client: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:  # noqa: ARG003 (others read it)
        """Return reads of any alarm: composite ones are only described to who may describe all.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        """
        return (Call("capture", "cloudwatch", "DescribeAlarms"),)

    async def open(self) -> None:
        """Make the client."""
        aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        self._client = aws.client("cloudwatch", self._region)

    async def attempt(self, number: int) -> Seen:
        """Read the alarm's state."""
        reply = await call(
            self._client.describe_alarms,
            self.spec.timeout_s,
            AlarmNames=[self._alarm],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        document = reply.document
        found = [*document.get("MetricAlarms", ()), *document.get("CompositeAlarms", ())]
        if not found:
            error = reply.error or "no_such_alarm"
            return Seen(Goodness.UNKNOWN, None, {"error": error}, reply.done_ns)
        state = str(found[0]["StateValue"])
        changed = found[0].get("StateTransitionedTimestamp") or found[0].get("StateUpdatedTimestamp")
        detail = told(
            state=state,
            changed_at=changed.isoformat() if changed else None,
            period_s=found[0].get("Period"),
        )
        return Seen(_GOODNESS.get(state, Goodness.UNKNOWN), self._region, detail, reply.done_ns)
