"""An audit of a system with hundreds of everything: in pages, and no faster than the APIs take it.

A proxy before the control plane refuses what AWS would refuse, and answers in pages.
``DRILL_EVERY_DEFECT=1`` alone makes it; a small one is in ``test_bad_input.py``.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from drill import clock
from drill.audit import catalogue, runner
from drill.audit.rate import Rate
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.aws import Aws
from drill.target import Target
from tests.faultmatrix.buckets import Granting
from tests.infra.lab.planelab import EAST, Lab

ROUTE_TABLES, TABLES, ALARMS = 500, 200, 200
LIMIT_S = 60.0
# What only a lab with all its physics can answer.
PHYSICAL = {"DR06", "DR10", "DR17", "DX01"}


def test_calls_beyond_the_burst_wait_their_turn() -> None:
    """Of 30 calls at 100 a second after a burst of 10, the last one waits for 20 tokens."""
    rate = Rate(per_s=100, burst=10)
    began_ns = clock.monotonic_ns()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: rate.wait(), range(30)))

    assert (clock.monotonic_ns() - began_ns) / 1e9 >= 0.19


def _fill(lab: Lab, vpc_id: str) -> None:
    ec2, dynamodb, cloudwatch = (lab.client(name, EAST) for name in ("ec2", "dynamodb", "cloudwatch"))
    for _ in range(ROUTE_TABLES):
        ec2.create_route_table(VpcId=vpc_id)
    for number in range(TABLES):
        dynamodb.create_table(
            TableName=f"other-{number}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    for number in range(ALARMS):
        cloudwatch.put_metric_alarm(
            AlarmName=f"other-{number}",
            Namespace="Other",
            MetricName="Other",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.environ.get("DRILL_EVERY_DEFECT") != "1", reason="on demand: make defects")
def test_hundreds_of_everything_are_audited_within_a_minute(shop: tuple[Lab, Target]) -> None:
    """Nothing is throttled, nothing is missed, and nothing is found in what is no part of the system."""
    lab, target = shop
    checks = [check for check in catalogue.every() if check.id not in PHYSICAL]
    _fill(lab, target.primary.vpc_id)
    with Granting(lab.plane.endpoint_url) as proxy:
        reads = Reads(Aws(proxy.url, 60, attempts=2))
        at = datetime.fromisoformat(clock.now().wall)
        began = time.monotonic()
        audited = runner.run(checks, System(target, reads, at, Path("no-runs"), 90), LIMIT_S)
        took_s = time.monotonic() - began

    print(
        f"\n{ROUTE_TABLES} route tables, {TABLES} tables, {ALARMS} alarms: "
        f"{len(checks)} checks, {reads.requests} requests, {took_s:.1f} s"
    )
    # The time limit is the audit's own: what took longer would be listed.
    assert (audited.findings, audited.unevaluated) == ((), ())
    assert proxy.refused == []
    assert proxy.pages >= 4
