"""An audit of a system with hundreds of everything: in pages, and no faster than the APIs take it.

``DRILL_EVERY_DEFECT=1`` alone makes it, in a control plane of its own.
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
from infra.deploy import deploy
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane
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
def test_hundreds_of_everything_are_audited_within_a_minute() -> None:
    """Nothing is throttled, nothing is missed, and nothing is found in what is no part of the system."""
    checks = [check for check in catalogue.every() if check.id not in PHYSICAL]
    with quick_control_plane() as lab:
        target = deploy(lab.aws.client, CONFIG.model_copy(update={"alert_email": None}), ONE)
        _fill(lab, target.primary.vpc_id)
        reads = Reads(lab.aws)
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
