"""The probes that call AWS's API, against moto over HTTP."""

import asyncio
import threading
import uuid
from contextlib import AbstractContextManager
from typing import Self

import pytest

from drill import clock
from drill.aws import Aws
from drill.model import Goodness, Json, ProbeSpec
from drill.probes.contract import Seen
from drill.probes.health_check import HealthCheckProbe, calculated_healthy, endpoint_healthy
from drill.probes.metric import MetricProbe
from drill.probes.replication import ReplicationProbe
from drill.probes.table import TableProbe
from tests.drill.probes.scripted import Attempts, Place, Serve

EAST, WEST = "us-east-1", "us-west-2"
FAILED = "Failure: HTTP Status Code: 503"
SUCCEEDED = "Success: HTTP Status Code: 200, OK"


@pytest.fixture
def aws(aws_url: str) -> Aws:
    """Give clients of moto."""
    return Aws(aws_url, 10)


@pytest.fixture
def table(aws: Aws) -> str:
    """Give the name of a table that is in both regions and does not replicate by itself."""
    name = f"orders-{uuid.uuid4()}"
    for region in (EAST, WEST):
        aws.client("dynamodb", region).create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "customer", "KeyType": "HASH"},
                {"AttributeName": "token", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"} for key in ("customer", "token")
            ],
        )
    return name


class TestTable:
    def make(self, place: Place, url: str | None, table: str, timeout_s: float = 5) -> TableProbe:
        """Return a probe of the eastern table."""
        spec = ProbeSpec("table", "table", 1, timeout_s, {"table": table, "region": EAST})
        return TableProbe(spec, place(endpoint_url=url))

    def test_answers(self, aws_url: str, table: str, place: Place, attempts: Attempts) -> None:
        """A table that answers is good, although nobody placed that order."""
        (seen,) = attempts(self.make(place, aws_url, table), 1)

        assert (Goodness.GOOD, EAST, {"status": 200}) == (seen.goodness, seen.answered_by, seen.detail)

    def test_refuses(self, aws_url: str, place: Place, attempts: Attempts) -> None:
        """A table that refuses is bad, with AWS's own code."""
        (seen,) = attempts(self.make(place, aws_url, "nosuch"), 1)

        assert (Goodness.BAD, "ResourceNotFoundException") == (seen.goodness, seen.detail["error"])

    def test_is_asked_once(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """The SDK's own retries are off: they would hide throttling."""
        throttled = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}
        service = serve(lambda *_: (400, throttled))

        (seen,) = attempts(self.make(place, f"http://127.0.0.1:{service.port}", "t"), 1)

        assert "ProvisionedThroughputExceededException" == seen.detail["error"]
        assert 1 == len(service.asked)

    def test_writes_if_asked(
        self, aws: Aws, aws_url: str, table: str, place: Place, attempts: Attempts
    ) -> None:
        """A write puts one item of the run's own, over and over, and declares another permission."""
        spec = ProbeSpec("table", "table", 1, 5, {"table": table, "region": EAST, "write": True})

        seen = attempts(TableProbe(spec, place(endpoint_url=aws_url)), 3)

        assert [Goodness.GOOD] * 3 == [one.goodness for one in seen]
        items = aws.client("dynamodb", EAST).scan(TableName=table)["Items"]
        assert [{"customer": {"S": "drill-probe#run-1"}, "token": {"S": "0"}}] == items
        assert ["PutItem"] == [call.action for call in TableProbe.calls(spec)]

    def test_hang(self, silent: int, place: Place, attempts: Attempts) -> None:
        """An API that says nothing is bad after the time-out; attempts do not wait for one another."""
        seen = attempts(self.make(place, f"http://127.0.0.1:{silent}", "t", 0.5), 6)

        assert [(Goodness.BAD, "timeout")] * 6 == [(each.goodness, each.detail["error"]) for each in seen]

    def test_nobody(self, refused: int, place: Place, attempts: Attempts) -> None:
        """An API that is not there is unreachable."""
        (seen,) = attempts(self.make(place, f"http://127.0.0.1:{refused}", "t"), 1)

        assert (Goodness.BAD, "unreachable") == (seen.goodness, seen.detail["error"])


class TestHealthCheck:
    def make(self, place: Place, url: str, check: str) -> HealthCheckProbe:
        """Return a probe of one health check."""
        spec = ProbeSpec("check", "health_check", 1, 5, {"health_check_id": check})
        return HealthCheckProbe(spec, place(endpoint_url=url))

    def create(self, aws: Aws, **config: object) -> str:
        """Create a health check and return its id."""
        endpoint = {"Type": "HTTP", "FullyQualifiedDomainName": "lb.test", "Port": 80, "RequestInterval": 10}
        created = aws.client("route53", "global").create_health_check(
            CallerReference=str(uuid.uuid4()), HealthCheckConfig=config or endpoint
        )
        return str(created["HealthCheck"]["Id"])

    def test_inverted_and_put_back(self, aws: Aws, aws_url: str, place: Place, attempts: Attempts) -> None:
        """Disabled and inverted is constantly unhealthy, put back it is healthy."""
        check = self.create(aws)
        route53 = aws.client("route53", "global")

        (before,) = attempts(self.make(place, aws_url, check), 1)
        route53.update_health_check(HealthCheckId=check, Disabled=True, Inverted=True)
        (during,) = attempts(self.make(place, aws_url, check), 1)
        route53.update_health_check(HealthCheckId=check, Disabled=False, Inverted=False)
        (after,) = attempts(self.make(place, aws_url, check), 1)

        assert [Goodness.GOOD, Goodness.BAD, Goodness.GOOD] == [
            each.goodness for each in (before, during, after)
        ]
        assert [(False, False), (True, True), (False, False)] == [
            (each.detail["inverted"], each.detail["disabled"]) for each in (before, during, after)
        ]
        assert before.detail["checkers"] == before.detail["checkers_healthy"] != 0

    def test_calculated(self, aws: Aws, aws_url: str, place: Place, attempts: Attempts) -> None:
        """A calculated check is looked at through its children."""
        children = [self.create(aws), self.create(aws)]
        aws.client("route53", "global").update_health_check(HealthCheckId=children[1], Inverted=True)
        check = self.create(aws, Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=2)

        (seen,) = attempts(self.make(place, aws_url, check), 1)

        assert Goodness.BAD is seen.goodness
        assert {children[0]: True, children[1]: False} == seen.detail["children"]

    def test_not_told(self, aws_url: str, place: Place, attempts: Attempts) -> None:
        """A check that AWS does not tell about is unknown, neither healthy nor not."""
        (seen,) = attempts(self.make(place, aws_url, str(uuid.uuid4())), 1)

        assert (Goodness.UNKNOWN, "NoSuchHealthCheck") == (seen.goodness, seen.detail["error"])

    @pytest.mark.parametrize(
        ("succeeded", "of", "config", "healthy"),
        [
            (16, 16, {}, True),
            (3, 16, {}, True),
            (2, 16, {}, False),
            (0, 16, {}, False),
            (18, 100, {}, False),
            (19, 100, {}, True),
            (0, 0, {}, False),
            (0, 0, {"Disabled": True}, True),
            (0, 16, {"Disabled": True}, True),
            (16, 16, {"Disabled": True, "Inverted": True}, False),
            (0, 16, {"Inverted": True}, True),
            (16, 16, {"Inverted": True}, False),
        ],
    )
    def test_share_of_checkers(
        self, succeeded: int, of: int, config: dict[str, bool], *, healthy: bool
    ) -> None:
        """More than 18 % of the checkers decide; then disabled, then inverted."""
        statuses = [SUCCEEDED] * succeeded + [FAILED] * (of - succeeded)

        assert healthy is endpoint_healthy(config, statuses)

    def test_calculated_threshold(self) -> None:
        """As many children as the threshold says must be healthy."""
        assert calculated_healthy({"HealthThreshold": 2}, [True, True, False])
        assert not calculated_healthy({"HealthThreshold": 3}, [True, True, False])
        assert not calculated_healthy({"HealthThreshold": 1, "Inverted": True}, [True])


class TestReplication:
    def make(self, place: Place, url: str, table: str, timeout_s: float) -> ReplicationProbe:
        """Return a probe from east to west."""
        options: dict[str, Json] = {"table": table, "source": EAST, "destination": WEST, "poll_s": 0.02}
        return ReplicationProbe(
            ProbeSpec("lag", "replication", 0.1, timeout_s, options), place(endpoint_url=url)
        )

    def test_lag_is_enclosed(
        self, aws: Aws, aws_url: str, table: str, place: Place, attempts: Attempts
    ) -> None:
        """A marker that appears in the other region is missed before that and hit after."""
        replica = Replica(aws, table, after_s=0.4)
        with replica:
            seen = attempts(self.make(place, aws_url, table, 20), 3)

        assert [(Goodness.GOOD, WEST)] * 3 == [(each.goodness, each.answered_by) for each in seen]
        for number, each in enumerate(seen):
            written, missed, hit = (
                _at(each, key) for key in ("written_sent_ns", "miss_sent_ns", "hit_done_ns")
            )
            sent, done = replica.written[f"{number:010d}"]
            assert written < missed < hit
            assert missed <= done
            assert hit >= sent
            assert hit == each.done_ns

    def test_never_seen(self, aws_url: str, table: str, place: Place, attempts: Attempts) -> None:
        """A marker that never comes is bad and keeps the last read that missed it."""
        (seen,) = attempts(self.make(place, aws_url, table, 1.5), 1)

        assert (Goodness.BAD, "never_seen") == (seen.goodness, seen.detail["error"])
        assert "hit_done_ns" not in seen.detail
        assert _at(seen, "written_done_ns") <= _at(seen, "miss_sent_ns")

    def test_hundreds_at_once(
        self, aws: Aws, aws_url: str, table: str, place: Place, attempts: Attempts
    ) -> None:
        """More markers than one read may ask for are all found."""
        with Replica(aws, table, after_s=0.3):
            seen = attempts(self.make(place, aws_url, table, 30), 102)

        assert 102 == sum(each.goodness is Goodness.GOOD for each in seen)

    def test_not_written(self, aws_url: str, place: Place, attempts: Attempts) -> None:
        """What was not certainly written is unknown and not awaited."""
        (seen,) = attempts(self.make(place, aws_url, "nosuch", 5), 1)

        assert (Goodness.UNKNOWN, "ResourceNotFoundException") == (seen.goodness, seen.detail["error"])
        assert "written_done_ns" not in seen.detail

    def test_ends_with_what_is_known(self, aws_url: str, table: str, place: Place) -> None:
        """An attempt that the end of the drill cuts off keeps its marker's last miss, and is unknown."""
        probe = self.make(place, aws_url, table, 60)

        async def cut_off() -> Seen:
            await probe.open()
            task = asyncio.create_task(probe.attempt(0))
            while not probe_missed(probe):  # noqa: ASYNC110 (the probe tells nobody of a miss)
                await asyncio.sleep(0.01)
            task.cancel()
            seen = await task
            await probe.close()
            return seen

        seen = asyncio.run(cut_off())

        assert Goodness.UNKNOWN is seen.goodness
        assert _at(seen, "miss_sent_ns") > _at(seen, "written_done_ns")


class Replica(AbstractContextManager["Replica"]):
    """Copies what appears in the eastern table to the western one, a while later; keeps when it did."""

    def __init__(self, aws: Aws, table: str, after_s: float) -> None:
        """Take the table; copying begins on entering."""
        self._east, self._west = aws.client("dynamodb", EAST), aws.client("dynamodb", WEST)
        self._table, self._after_s = table, after_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._copy)
        self.written: dict[str, tuple[int, int]] = {}

    def _copy(self) -> None:
        found: dict[str, int] = {}
        while not self._ended.wait(0.05):
            for item in self._east.scan(TableName=self._table)["Items"]:
                key = item["token"]["S"]
                seen_ns = found.setdefault(key, clock.monotonic_ns())
                if key not in self.written and clock.monotonic_ns() - seen_ns > self._after_s * 1e9:
                    sent_ns = clock.monotonic_ns()
                    self._west.put_item(TableName=self._table, Item=item)
                    self.written[key] = (sent_ns, clock.monotonic_ns())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def probe_missed(probe: ReplicationProbe) -> bool:
    """Say whether a marker that is still awaited was missed by a read."""
    return any(marker.miss_sent_ns for marker in probe._awaited.values())


def _at(seen: Seen, key: str) -> int:
    value = seen.detail[key]
    assert isinstance(value, int)
    return value


class TestInsisting:
    def test_a_throttled_marker_is_put_again(self, serve: Serve, place: Place, attempts: Attempts) -> None:
        """Until the table takes it; the lag counts from the put that was taken."""
        refusals = [True, True, False]
        began_ns = clock.monotonic_ns()

        def answer(method: str, path: str, body: bytes) -> tuple[int, dict[str, Json]]:
            if b'"Item"' not in body:
                return 200, {"Responses": {"t": [{"customer": {"S": "c"}, "token": {"S": "0000000000"}}]}}
            if refusals.pop(0):
                return 400, {
                    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
                }
            return 200, {}

        service = serve(answer)
        options: dict[str, Json] = {
            "table": "t",
            "source": EAST,
            "destination": WEST,
            "poll_s": 0.05,
            "insist": True,
        }
        spec = ProbeSpec("lag", "replication", 1, 5, options)

        (seen,) = attempts(ReplicationProbe(spec, place(endpoint_url=f"http://127.0.0.1:{service.port}")), 1)

        assert Goodness.GOOD is seen.goodness
        written_ns = seen.detail["written_sent_ns"]
        assert isinstance(written_ns, int)
        assert written_ns - began_ns >= 2 * 50_000_000


class TestMetric:
    def test_reads_the_newest_point(self, aws: Aws, aws_url: str, place: Place, attempts: Attempts) -> None:
        """Its value and when its minute began; nothing where there is no point."""
        name = f"m-{uuid.uuid4()}"
        options: dict[str, Json] = {
            "namespace": "mine",
            "metric": name,
            "dimensions": {"a": "b"},
            "region": EAST,
        }
        probe = MetricProbe(ProbeSpec("m", "metric", 1, 5, options), place(endpoint_url=aws_url))

        (before,) = attempts(probe, 1)
        datum = {"MetricName": name, "Dimensions": [{"Name": "a", "Value": "b"}]}
        # In one call: all are of one minute.
        aws.client("cloudwatch", EAST).put_metric_data(
            Namespace="mine", MetricData=[{**datum, "Value": value} for value in (3.0, 7.0, 5.0)]
        )
        (after,) = attempts(probe, 1)

        assert (Goodness.GOOD, {}) == (before.goodness, before.detail)
        assert 7.0 == after.detail["value"]
        began_ns = after.detail["began_ns"]
        assert isinstance(began_ns, int)
        assert 0 <= clock.monotonic_ns() - began_ns <= 180_000_000_000

    def test_an_api_that_does_not_answer_is_unknown(
        self, silent: int, place: Place, attempts: Attempts
    ) -> None:
        """Nobody knows then what it would have said."""
        options: dict[str, Json] = {"namespace": "n", "metric": "m", "region": EAST}
        spec = ProbeSpec("m", "metric", 1, 0.3, options)

        (seen,) = attempts(MetricProbe(spec, place(endpoint_url=f"http://127.0.0.1:{silent}")), 1)

        assert (Goodness.UNKNOWN, {"error": "timeout"}) == (seen.goodness, seen.detail)
