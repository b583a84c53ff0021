"""Kind ``metric``: reads what CloudWatch itself says of a metric, as its newest one-minute point.

Good is an answer, whether it has a point or not: a metric without traffic has none.

Options:
    namespace: For example ``AWS/DynamoDB``.
    metric: Its name.
    dimensions: By name.
    region: Where it is kept.
    statistic: ``Average``, ``Maximum``, ``Minimum`` or ``Sum`` (default: ``Maximum``).

Detail: ``value``, and ``began_ns``, when the point's minute began, on the monotonic clock of this
machine (as far apart as the two clocks are); neither if there is no point. ``error`` otherwise.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from drill import clock
from drill.faults.contract import Call
from drill.model import Goodness, ProbeSpec
from drill.probes import options
from drill.probes.calls import call, clients
from drill.probes.contract import Context, Probe, Seen, told

# The finest that AWS's own metrics have; some come only every five minutes:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
PERIOD_S = 60
BACK = timedelta(minutes=10)


class MetricProbe(Probe):
    """Calls GetMetricStatistics on each attempt."""

    kind: ClassVar[str] = "metric"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._region = options.text(spec, "region")
        self._statistic = options.text(spec, "statistic", "Maximum")
        dimensions = options.mapping(spec, "dimensions")
        self._asked: dict[str, Any] = {
            "Namespace": options.text(spec, "namespace"),
            "MetricName": options.text(spec, "metric"),
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Period": PERIOD_S,
            "Statistics": [self._statistic],
        }
        self._client: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:  # noqa: ARG003 (IAM knows no resource for it)
        """Return one read of a metric."""
        return (Call("capture", "cloudwatch", "GetMetricStatistics"),)

    async def open(self) -> None:
        """Make the client."""
        self._client = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role).client(
            "cloudwatch", self._region
        )

    async def attempt(self, number: int) -> Seen:
        """Read the points of the last minutes, and keep the newest."""
        now = clock.now()
        until = datetime.fromisoformat(now.wall).astimezone(UTC)
        reply = await call(
            self._client.get_metric_statistics,
            self.spec.timeout_s,
            **self._asked,
            StartTime=until - BACK,
            EndTime=until + timedelta(seconds=PERIOD_S),
        )
        if reply.error:
            return Seen(Goodness.UNKNOWN, None, told(error=reply.error), reply.done_ns)
        points = reply.document["Datapoints"]
        if not points:
            return Seen(Goodness.GOOD, None, {}, reply.done_ns)
        newest = max(points, key=lambda point: point["Timestamp"])
        age_ns = round((until - newest["Timestamp"]).total_seconds() * 1e9)
        detail = told(value=float(newest[self._statistic]), began_ns=now.monotonic_ns - age_ns)
        return Seen(Goodness.GOOD, None, detail, reply.done_ns)
