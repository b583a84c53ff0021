"""What Lambda and the load balancers publish of themselves, counted where it happens."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.lab import world
from infra.lab.addresses import free_port
from infra.lab.alarms import Alarms
from infra.lab.database_metrics import DatabaseMetrics
from infra.lab.edge import Edge, load_balancer_addresses
from infra.lab.profile import FAST
from infra.lab.service_metrics import ServiceMetrics, invoked, served, throttled
from infra.lab.world import Invocation, Listener, LoadBalancer, Metric, Snapshot
from tests.infra.lab.alarmlab import QUICK, TICK_S, eventually
from tests.infra.lab.functionlab import make_function, running
from tests.infra.lab.netlab import Answering, answer, balancer, cluster, lab, run, two_regions
from tests.infra.lab.netlab import Lab as NetLab
from tests.infra.lab.planelab import EAST, Lab, control_plane

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/73e2d6bc24d8a067"
BALANCER = ("LoadBalancer", "app/shop/50dc6c495c0c9188")
TARGETS = ("TargetGroup", "targetgroup/shop/73e2d6bc24d8a067")


class Published:
    """Keeps what is published."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.metrics: list[Metric] = []

    def publish(self, metrics: Sequence[Metric]) -> None:
        """Keep them."""
        self.metrics.extend(metrics)

    def sums(self, *dimensions: tuple[str, str]) -> dict[str, float]:
        """Return the sum of each metric with just these dimensions."""
        found: dict[str, float] = {}
        for metric in self.metrics:
            if metric.dimensions == dimensions:
                found[metric.name] = found.get(metric.name, 0) + metric.value * metric.samples
        return found


def metrics_to(published: Published) -> ServiceMetrics:
    """Return what gathers and publishes there."""
    return ServiceMetrics(published, FAST)  # type: ignore[arg-type]  # nothing else is asked of it


def said(metrics: Iterator[Metric] | Any) -> dict[tuple[str, int], tuple[float, str]]:
    """Return values and units by name and number of dimensions."""
    return {(one.name, len(one.dimensions)): (one.value, one.unit) for one in metrics}


def test_equal_samples_are_sent_once() -> None:
    """Samples are counted from many threads, published together, and not twice."""
    published = Published()
    metrics = metrics_to(published)

    def count() -> None:
        for number in range(1000):
            metrics.add([Metric(EAST, "n", "m", (), number % 2)])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics.publish()
    metrics.publish()
    assert sorted((one.value, one.samples) for one in published.metrics) == [(0, 2000), (1, 2000)]


def test_sources_are_asked_each_time() -> None:
    """What is true at a moment is asked for when it is published."""
    published = Published()
    metrics, values = metrics_to(published), iter((1.0, 2.0))
    metrics.ask(lambda: [Metric(EAST, "n", "m", (), next(values))])
    metrics.publish()
    metrics.publish()
    assert [one.value for one in published.metrics] == [1.0, 2.0]


def test_what_is_left_is_published_at_the_end() -> None:
    """Closing loses nothing."""
    published = Published()

    async def scene() -> None:
        metrics = metrics_to(published)
        await metrics.start()
        metrics.add([Metric(EAST, "n", "m", (), 1)])
        await metrics.close()

    asyncio.run(scene())
    assert len(published.metrics) == 1


def test_what_lambda_says() -> None:
    """For the function, and for the alias that was called; in the documented units."""
    ran = list(invoked(EAST, "shop", "live", failed=True, duration_ms=123.4, running=3, spilled=True))
    assert {one.dimensions for one in ran} == {
        (("FunctionName", "shop"),),
        (("FunctionName", "shop"), ("Resource", "shop:live")),
    }
    assert said(ran) | {} == {
        **{("Invocations", number): (1, "Count") for number in (1, 2)},
        **{("Errors", number): (1, "Count") for number in (1, 2)},
        **{("Throttles", number): (0, "Count") for number in (1, 2)},
        **{("Duration", number): (120, "Milliseconds") for number in (1, 2)},
        **{("ConcurrentExecutions", number): (3, "Count") for number in (1, 2)},
        **{("ProvisionedConcurrencyInvocations", number): (0, "Count") for number in (1, 2)},
        **{("ProvisionedConcurrencySpilloverInvocations", number): (1, "Count") for number in (1, 2)},
    }
    plain = list(invoked(EAST, "shop", "", failed=False, duration_ms=1, running=1, spilled=None))
    assert ("ProvisionedConcurrencySpilloverInvocations", 1) not in said(plain)
    assert {one.dimensions[-1] for one in plain} == {("FunctionName", "shop"), ("Resource", "shop")}
    assert said(throttled(EAST, "shop", "live")) == {("Throttles", number): (1, "Count") for number in (1, 2)}


def test_what_a_load_balancer_says() -> None:
    """Answers of targets and those of its own are told apart, with the ARNs' ends as dimensions."""
    one = balancer(EAST, 80)
    of_target = list(served(one, GROUP, 503, 0.0456))
    assert {metric.dimensions for metric in of_target} == {(BALANCER,), (BALANCER, TARGETS)}
    assert said(of_target) == {
        **{("RequestCount", number): (1, "Count") for number in (1, 2)},
        **{("HTTPCode_Target_5XX_Count", number): (1, "Count") for number in (1, 2)},
        **{("TargetResponseTime", number): (0.046, "Seconds") for number in (1, 2)},
    }
    own = said(served(one, GROUP, 502, None))
    assert own == {
        **{("RequestCount", number): (1, "Count") for number in (1, 2)},
        ("HTTPCode_ELB_5XX_Count", 1): (1, "Count"),
        ("HTTPCode_ELB_502_Count", 1): (1, "Count"),
    }


def test_real_invocations_are_counted(tmp_path: Path) -> None:
    """Runs, failures, throttles and what spilled over from the warm processes, as they happened."""
    published = Published()
    metrics = metrics_to(published)

    async def scenario() -> None:
        warm = make_function(provisioned=1)
        alias = world.FunctionAlias("shop", "us-east-1", "live", "$LATEST")
        async with running(tmp_path, warm, aliases=(alias,), metrics=metrics) as made:
            assert await asyncio.to_thread(eventually, lambda: 1 in made.control.ready)
            await made.invoke("live")
            await made.invoke("live", do="raise")
            await asyncio.gather(*(made.invoke("live", do="sleep", seconds=3) for _ in range(2)))

    asyncio.run(scenario())
    metrics.publish()
    for dimensions in (
        [("FunctionName", "shop")],
        [("FunctionName", "shop"), ("Resource", "shop:live")],
    ):
        sums = published.sums(*dimensions)
        assert (sums["Invocations"], sums["Errors"], sums["Throttles"]) == (4, 1, 0)
        assert sums["ProvisionedConcurrencyInvocations"] == 3
        assert sums["ProvisionedConcurrencySpilloverInvocations"] == 1
        assert 1000 <= sums["Duration"]
    assert max(one.value for one in published.metrics if one.name == "ConcurrentExecutions") == 2


def test_databases_say_who_is_connected_and_what_they_use() -> None:
    """Connections and load are those of the moment, for cluster and writer; one that is stopped is silent."""
    published = Published()
    gathered = metrics_to(published)

    class Connected:
        def connections(self, region: str, cluster_id: str) -> int:
            assert (region, cluster_id) == (EAST, "orders")
            return 7

    class Working:
        used_s = 0.0

        def processor_s(self, region: str, cluster_id: str) -> float:
            assert (region, cluster_id) == (EAST, "orders")
            return self.used_s

    now = [100.0]
    databases = DatabaseMetrics(Connected(), working := Working(), gathered, lambda: now[0])
    running_one = replace(cluster(EAST, 5432), min_acu=0.5, max_acu=4.0)
    databases.reconcile(Snapshot(clusters=(running_one, replace(running_one, id="x", status="stopped"))))
    gathered.publish()
    assert published.sums(("DBClusterIdentifier", "orders")) == {"DatabaseConnections": 7}
    for used_s, percent, units in ((5.0, 50, 2), (5.01, 0.1, 0.5), (1.0, 10, 0.5), (99.0, 100, 4)):
        published.metrics.clear()
        now[0], working.used_s = now[0] + 10, used_s
        gathered.publish()
        expected = {
            "DatabaseConnections": 7,
            "CPUUtilization": pytest.approx(percent),
            "ServerlessDatabaseCapacity": pytest.approx(units),
            "ACUUtilization": pytest.approx(25 * units),
        }
        assert published.sums(("DBClusterIdentifier", "orders")) == expected
        assert published.sums(("DBInstanceIdentifier", "orders-1")) == expected


def shop(port: int) -> LoadBalancer:
    """Return the east's load balancer, which forwards to a target group."""
    return replace(balancer(EAST, port), listeners=(Listener(port, "shop", "live", GROUP),))


def watch_errors(plane: Lab) -> None:
    """Make the alarm that the drilled system has: ten errors a minute, two minutes on end."""
    plane.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": name, "Value": value} for name, value in (BALANCER, TARGETS)],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=2,
        Threshold=10,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )


@dataclass
class Storm:
    """Clients of a load balancer, while its alarm is judged."""

    plane: Lab
    alarms: Alarms
    at: tuple[str, int]

    async def until(self, state: str) -> int:
        """Send requests until the alarm shows a state; returns how many were sent."""
        sent, end = 0, time.monotonic() + 30
        while time.monotonic() < end:
            await asyncio.gather(*(self._fetch() for _ in range(15)))
            sent += 15
            await asyncio.sleep(TICK_S)
            snapshot = await asyncio.to_thread(lambda: self.plane.now)
            self.alarms.reconcile(snapshot)
            if snapshot.alarms[0].state == state:
                return sent
        return pytest.fail(f"the alarm never came to {state}")

    async def _fetch(self) -> None:
        reader, writer = await asyncio.open_connection(*self.at)
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.transport.abort()


def test_a_storm_of_errors_fires_the_alarm(tmp_path: Path) -> None:
    """Real requests that are answered with 500 bring the alarm about; failures of the function are others."""
    invoker = Answering()

    async def scene(plane: Lab, made: NetLab) -> None:
        port = free_port([made.addresses.inside(EAST, "10.1.10.10")])
        snapshot = replace(two_regions(), load_balancers=(shop(port),))
        metrics = ServiceMetrics(plane.plane, QUICK)
        alarms = Alarms(plane.plane, QUICK, made.truth)
        edge = Edge(made.addresses, FAST, made.truth, invoker, metrics=metrics)
        for one in (metrics, alarms, edge):
            await one.start()
        edge.reconcile(snapshot)
        address = load_balancer_addresses(made.addresses, snapshot, snapshot.load_balancers[0])[0]
        storm = Storm(plane, alarms, (address, port))
        try:
            await storm.until("OK")
            invoker.invocation = answer({"statusCode": 500, "body": "no"})
            assert await storm.until("ALARM") >= 20
            invoker.invocation = Invocation(b"", "Unhandled")
            await storm.until("OK")
        finally:
            for one in (edge, alarms, metrics):
                await one.close()

    with control_plane() as plane, lab(tmp_path) as made:
        watch_errors(plane)
        run(scene(plane, made))
        listed = plane.client("cloudwatch").list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
    names = {metric["MetricName"] for metric in listed}
    assert {"RequestCount", "HTTPCode_Target_2XX_Count", "TargetResponseTime"} <= names
    assert {"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_502_Count"} <= names
