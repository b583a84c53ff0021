"""What each region carries, asked directly at the same rate: the standby must do what the primary does.

Orders are posted by way of each region's own load balancer, the primary's first, at fixed
times whatever the earlier ones did. Nothing is broken; the orders stay in the system's stores.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drill import clock
from drill.aws import Aws
from drill.measure.quantiles import quantile
from drill.model import Goodness, Observation, ProbeSpec
from drill.observations import Store
from drill.probes.contract import Context
from drill.probes.process import Sampler
from drill.target import Region, Target

# How far back the primary's load is read, and the shortest period that load balancers publish:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
_BACK_S = 300
_PERIOD_S = 60


@dataclass(frozen=True, slots=True)
class Carried:
    """What one region did with the load.

    Attributes:
        region: Its name.
        role: ``primary`` or ``standby``.
        sent: Orders that were sent.
        unsent: Orders that were due and could not be sent: then the runner, not the region, is measured.
        served: Orders that were acknowledged.
        pending: Of these, how many the region could not write to the relational database at once.
        per_s: Acknowledged orders a second, from the first one due to the last one answered.
        p50_s: Median time of an acknowledged order, from connecting to the last byte; None without any.
        p95_s: The 95th percentile.
        p99_s: The 99th percentile.

    """

    region: str
    role: str
    sent: int
    unsent: int
    served: int
    pending: int
    per_s: float
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


def present_rate(target: Target, aws: Aws) -> float:
    """Return the requests a second that the primary's load balancer had lately; 0 if none were counted."""
    until = datetime.fromisoformat(clock.now().wall).astimezone(UTC)
    points = aws.client("cloudwatch", target.primary.name).get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=[{"Name": "LoadBalancer", "Value": _full_name(target.primary.load_balancer_arn)}],
        StartTime=until - timedelta(seconds=_BACK_S),
        EndTime=until,
        Period=_PERIOD_S,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points) / (_PERIOD_S * len(points)) if points else 0.0


def measure(target: Target, per_s: float, seconds: float, folder: Path) -> list[Carried]:
    """Put the same load on one region after the other.

    Args:
        target: What is asked.
        per_s: Orders a second.
        seconds: How long, for each region.
        folder: Where observations are kept; one file a region.

    Raises:
        DrillError: The probes could not run.

    """
    context = Context.of(target, f"load-{secrets.token_hex(4)}")
    measured = []
    for role, region in (("primary", target.primary), ("standby", target.standby)):
        path = folder / role / "observations.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        sampler = Sampler.start([_orders(target, region, per_s)], context, path)
        clock.sleep(seconds)
        sampler.stop()
        with Store.open(path) as store:
            observations, _ = store.read()
        measured.append(_carried(role, region.name, observations))
    return measured


def _orders(target: Target, region: Region, per_s: float) -> ProbeSpec:
    return ProbeSpec(
        "orders",
        "writer",
        1 / per_s,
        target.timing.probe_timeout_s,
        {"customer": f"{{run}}-{region.name}", "by_way_of": region.load_balancer},
    )


def _carried(role: str, region: str, observations: list[Observation]) -> Carried:
    sent = [one for one in observations if one.sent_ns is not None]
    served = [one for one in sent if one.goodness is Goodness.GOOD]
    times_s = sorted(
        (one.done_ns - one.sent_ns) / 1e9
        for one in served
        if one.done_ns is not None and one.sent_ns is not None
    )
    ends = [one.done_ns for one in served if one.done_ns is not None]
    lasted_s = (max(ends) - min(one.due_ns for one in observations)) / 1e9 if ends else 0.0
    p50_s, p95_s, p99_s = (quantile(times_s, share) if times_s else None for share in (0.5, 0.95, 0.99))
    return Carried(
        region=region,
        role=role,
        sent=len(sent),
        unsent=len(observations) - len(sent),
        served=len(served),
        pending=sum(_is_pending(one) for one in served),
        per_s=len(served) / lasted_s if lasted_s else 0.0,
        p50_s=p50_s,
        p95_s=p95_s,
        p99_s=p99_s,
    )


def _is_pending(order: Observation) -> bool:
    stores = order.detail.get("stores")
    return isinstance(stores, dict) and "pending" in stores.values()


def _full_name(arn: str) -> str:
    """Return a load balancer's name as CloudWatch has it: the end of its ARN."""
    return arn.partition(":loadbalancer/")[2]
