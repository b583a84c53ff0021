"""What the services publish of themselves: gathered where it happens, sent a few times a minute.

The byte paths only count. Equal values are sent once, with how often they occurred; durations
are equal when their first two digits are. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from infra.lab.metric_store import two_digits
from infra.lab.profile import Profile
from infra.lab.world import ControlPlane, LoadBalancer, Metric, Snapshot

# AWS's services publish once a minute, at its end. Four times as often here: whatever an alarm
# judges at the end of a minute is in the minute in which it happened.
INTERVAL_S = 15.0

Dimensions = tuple[tuple[str, str], ...]
Source = Callable[[], Iterable[Metric]]
"""Gives what is true now, such as the state of a health check."""


class ServiceMetrics:
    """Gathers and publishes; :meth:`add` is safe from any thread."""

    def __init__(self, control: ControlPlane, profile: Profile) -> None:
        """Take where to publish, and how long a minute is."""
        self._control = control
        self._interval_s = INTERVAL_S * profile.clock_scale
        self._lock = threading.Lock()
        self._counted: Counter[Metric] = Counter()
        self._sources: list[Source] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to publish, in the running loop."""
        self._task = asyncio.create_task(self._publish_always())

    def reconcile(self, snapshot: Snapshot) -> None:
        """Do nothing: what is counted happens elsewhere."""

    async def close(self) -> None:
        """Publish what is left, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.publish()

    def add(self, metrics: Iterable[Metric]) -> None:
        """Count what has just happened."""
        with self._lock:
            self._counted.update(metrics)

    def ask(self, source: Source) -> None:
        """Have a source asked, in the loop's thread, each time before something is published."""
        self._sources.append(source)

    def publish(self) -> None:
        """Publish what was counted and what the sources say."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        metrics = [_so_often(metric, times) for metric, times in counted.items()]
        metrics += [metric for source in self._sources for metric in source()]
        if metrics:
            self._control.publish(metrics)

    async def _publish_always(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            self.publish()


def _so_often(metric: Metric, times: int) -> Metric:
    return Metric(
        metric.region, metric.namespace, metric.name, metric.dimensions, metric.value, metric.unit, times
    )


def invoked(  # noqa: PLR0913 (what Lambda says of one invocation)
    region: str,
    function: str,
    qualifier: str,
    *,
    failed: bool,
    duration_ms: float,
    running: int,
    spilled: bool | None,
) -> Iterable[Metric]:
    """Yield what Lambda says of an invocation that ran.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    Args:
        region: Of the function.
        function: Its name.
        qualifier: As it was called; empty for none.
        failed: Whether the function, or its runtime, failed.
        duration_ms: How long the function's code ran.
        running: How many invocations of the function ran at the time, this one too.
        spilled: Whether none of its provisioned processes was free; None if it has none.

    """
    said: dict[str, tuple[float, str]] = {
        "Invocations": (1, "Count"),
        "Errors": (float(failed), "Count"),
        "Duration": (two_digits(duration_ms), "Milliseconds"),
        "ConcurrentExecutions": (running, "Count"),
        # A zero, so that the metric is there where nothing was refused.
        "Throttles": (0, "Count"),
    }
    if spilled is not None:
        said["ProvisionedConcurrencyInvocations"] = (float(not spilled), "Count")
        said["ProvisionedConcurrencySpilloverInvocations"] = (float(spilled), "Count")
    return _for_each(region, "AWS/Lambda", _function_dimensions(function, qualifier), said)


def throttled(region: str, function: str, qualifier: str) -> Iterable[Metric]:
    """Yield what Lambda says of an invocation that it refused."""
    return _for_each(
        region, "AWS/Lambda", _function_dimensions(function, qualifier), {"Throttles": (1, "Count")}
    )


def _function_dimensions(function: str, qualifier: str) -> list[Dimensions]:
    own: Dimensions = (("FunctionName", function),)
    if not qualifier or qualifier == "$LATEST":
        return [own, (*own, ("Resource", function))]
    return [own, (*own, ("Resource", f"{function}:{qualifier}"))]


def served(
    balancer: LoadBalancer, target_group: str, status: int, response_s: float | None
) -> Iterable[Metric]:
    """Yield what a load balancer says of a request.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html

    Args:
        balancer: Which.
        target_group: ARN of the group that it forwarded to.
        status: Of the answer.
        response_s: How long the target took to answer; None if the answer is the load balancer's own.

    """
    own: Dimensions = (("LoadBalancer", balancer.arn.partition(":loadbalancer/")[2]),)
    both = [own, (*own, ("TargetGroup", target_group.rpartition(":")[2]))] if target_group else [own]
    kind = status // 100
    if response_s is None:
        own_said: dict[str, tuple[float, str]] = {f"HTTPCode_ELB_{kind}XX_Count": (1, "Count")}
        if kind == 5:
            own_said[f"HTTPCode_ELB_{status}_Count"] = (1, "Count")
        yield from _for_each(balancer.region, "AWS/ApplicationELB", [own], own_said)
        said: dict[str, tuple[float, str]] = {}
    else:
        said = {
            f"HTTPCode_Target_{kind}XX_Count": (1, "Count"),
            "TargetResponseTime": (two_digits(response_s), "Seconds"),
        }
    said["RequestCount"] = (1, "Count")
    yield from _for_each(balancer.region, "AWS/ApplicationELB", both, said)


def _for_each(
    region: str,
    namespace: str,
    dimensions: Iterable[Dimensions],
    said: Mapping[str, tuple[float, str]],
) -> Iterable[Metric]:
    return [
        Metric(region, namespace, name, each, value, unit)
        for each in dimensions
        for name, (value, unit) in said.items()
    ]
