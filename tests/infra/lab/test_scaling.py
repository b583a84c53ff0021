"""Application Auto Scaling: what it decides, and that tables really follow their load."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from infra.lab.control_plane.decreases import CapacityHistory
from infra.lab.control_plane.mending import ACCOUNT
from infra.lab.control_plane.metered_call import WRITE
from infra.lab.control_plane.metering import meter_of
from infra.lab.control_plane.table_settings import settings_of
from infra.lab.profile import FAST
from infra.lab.scaling import IN_PERIODS, Point, Scaling, bounds_step, wanted_step
from infra.lab.world import ScalingPolicy, ScalingTarget
from tests.infra.lab.capacitylab import (
    INDEX,
    TABLE,
    capacity_lab,
    capacity_of,
    emptied,
    item,
    make_table,
    refusal,
    scale,
    settled,
    target,
)
from tests.infra.lab.planelab import EAST, WEST, Lab

TARGET = ScalingTarget(EAST, TABLE, "", "Write", minimum=10, maximum=100)
POLICY = ScalingPolicy("p", target=70.0)
WRITES, READS = "WriteCapacityUnits", "ReadCapacityUnits"


def points(*percents: float | None, capacity: int = 20) -> list[Point | None]:
    """Return the points of periods in which so much of a capacity was consumed."""
    return [None if one is None else Point(one * capacity / 100, one) for one in percents]


@pytest.mark.parametrize(
    ("percents", "units"),
    [
        ((90,), None),
        ((90, 60), None),
        ((60, 90), None),
        ((90, None, 90), None),
        ((71, 140), 40),
        ((140, 77), 22),
        ((5000, 5000), 100),
    ],
)
def test_capacity_is_added_after_two_points_above_the_target(
    percents: tuple[float, ...], units: int | None
) -> None:
    """So much that the latest load is at the target, and never beyond the maximum."""
    step = wanted_step(TARGET, POLICY, points(*percents), 20)
    assert (step.units if step else None) == units
    assert step is None or step.out


@pytest.mark.parametrize(
    ("percents", "units"),
    [
        ((30,) * (IN_PERIODS - 1), None),
        ((30,) * IN_PERIODS, 18),
        ((30,) * (IN_PERIODS - 1) + (65,), None),
        ((30,) * (IN_PERIODS - 1) + (None,), None),
        ((1,) * (IN_PERIODS - 1) + (45,), 26),
        ((1,) * IN_PERIODS, 10),
        ((None,) * IN_PERIODS, None),
    ],
)
def test_capacity_is_taken_away_after_fifteen_points_below(
    percents: tuple[float | None, ...], units: int | None
) -> None:
    """So much that the highest of them stays at the target; a table without load keeps what it has."""
    step = wanted_step(TARGET, POLICY, points(*percents, capacity=40), 40)
    assert (step.units if step else None) == units
    disabled = replace(POLICY, in_disabled=True)
    assert wanted_step(TARGET, disabled, points(*percents, capacity=40), 40) is None


@pytest.mark.parametrize(("now", "units"), [(9, 10), (10, None), (100, None), (101, 100)])
def test_capacity_is_brought_between_the_bounds(now: int, units: int | None) -> None:
    """Whatever the load is."""
    step = bounds_step(TARGET, now)
    assert (step.units if step else None) == units


@pytest.mark.parametrize(
    ("percents", "now", "units"),
    [
        ((100, 100), 1, 10),
        ((100, 100), 200, 100),
        ((1,) * IN_PERIODS, 5, 10),
        ((60, 60), 1, None),
    ],
)
def test_a_policy_that_acts_keeps_the_bounds(
    percents: tuple[float, ...], now: int, units: int | None
) -> None:
    """A capacity that somebody set outside of them is brought back then, and not before."""
    step = wanted_step(TARGET, POLICY, points(*percents, capacity=now), now)
    assert (step.units if step else None) == units


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """Give a control plane on which updates take no time to speak of."""
    with capacity_lab(1 / 3000) as made:
        yield made


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """Give an empty account."""
    return emptied(shared)


class Clock:
    """A clock that a test moves: a period of the scaling is a minute of it."""

    def __init__(self, lab: Lab, cooldown_scale: float = 1.0) -> None:
        """Begin; nothing was consumed so far."""
        self.now_s = 0.0
        self._lab = lab
        self.scaling = Scaling(lab.plane, replace(FAST, clock_scale=cooldown_scale), lambda: self.now_s)

    def periods(self, count: int, load: Callable[[], object] = lambda: None) -> None:
        """Let some periods pass, under some load."""
        for _ in range(count):
            load()
            self.now_s += 60.0
            self.scaling.reconcile(self._lab.now)
            settled(self._lab, *(table.region for table in self._lab.now.tables))


def consume(writes: int, region: str = EAST) -> Callable[[], object]:
    """Return a load of so many units a minute, whatever the buckets hold."""
    table = dynamodb_backends[ACCOUNT][region].tables[TABLE]

    return lambda: meter_of(table).take(table, "", WRITE, float(writes))


def track(lab: Lab, percent: float = 70.0, region: str = EAST, **more: Any) -> str:
    """Put a target-tracking policy on the table's writes; return its ARN."""
    config = {
        "TargetValue": percent,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
        **more,
    }
    made = lab.client("application-autoscaling", region).put_scaling_policy(
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=config,
        **target(WRITES),
    )
    return str(made["PolicyARN"])


def activities(lab: Lab, region: str = EAST) -> list[dict[str, Any]]:
    """Return what scaling did, the latest first."""
    client = lab.client("application-autoscaling", region)
    found: list[dict[str, Any]] = client.describe_scaling_activities(**target(WRITES))["ScalingActivities"]
    return found


def test_a_load_above_the_target_adds_capacity(lab: Lab) -> None:
    """After two periods, by UpdateTable, in all replicas; the activity says why."""
    make_table(lab, (10, 20), replica=True)
    scale(lab, WRITES, 10, 100)
    track(lab)
    clock = Clock(lab)
    load = consume(60 * 28)  # 140 percent of 20 units
    clock.periods(1, load)
    assert capacity_of(lab) == (10, 20)
    clock.periods(1, load)
    assert capacity_of(lab) == capacity_of(lab, WEST) == (10, 40)
    (done,) = activities(lab)
    assert done["Description"] == "Setting write capacity units to 40."
    assert done["StatusCode"] == "Successful"
    assert "AlarmHigh" in done["Cause"]
    assert "policy track" in done["Cause"]


def test_a_load_below_takes_it_away_again(lab: Lab) -> None:
    """After fifteen periods, down to the minimum; without any load nothing happens."""
    make_table(lab, (10, 80))
    scale(lab, WRITES, 10, 100)
    track(lab)
    clock = Clock(lab)
    clock.periods(IN_PERIODS)
    assert capacity_of(lab) == (10, 80)
    load = consume(60 * 14)
    clock.periods(IN_PERIODS - 1, load)
    assert capacity_of(lab) == (10, 80)
    clock.periods(1, load)
    assert capacity_of(lab) == (10, 20)


@pytest.mark.parametrize("flag", ["DynamicScalingOutSuspended", "DynamicScalingInSuspended"])
def test_suspended_scaling_leaves_the_capacity_alone(lab: Lab, flag: str) -> None:
    """Each direction by its own flag; after resuming it goes on."""
    make_table(lab, (10, 40))
    scale(lab, WRITES, 10, 100, SuspendedState={flag: True})
    track(lab)
    clock = Clock(lab)
    clock.periods(4, consume(60 * 56))
    grown = capacity_of(lab)[1]
    assert grown == (40 if flag == "DynamicScalingOutSuspended" else 80)
    clock.periods(2 * IN_PERIODS, consume(60 * 7))
    assert capacity_of(lab)[1] == (10 if flag == "DynamicScalingOutSuspended" else 80)
    lab.client("application-autoscaling").register_scalable_target(
        **target(WRITES), SuspendedState={flag: False}
    )
    clock.periods(IN_PERIODS + 1, consume(60 * 7))
    clock.periods(3, consume(60 * 35))
    assert capacity_of(lab)[1] == 50


def test_registering_a_target_brings_its_capacity_inside(lab: Lab) -> None:
    """A raised minimum lifts the capacity, a lowered maximum cuts it, with no policy and no load."""
    make_table(lab, (10, 20))
    scale(lab, WRITES, 30, 100)
    settled(lab)
    assert capacity_of(lab) == (10, 30)
    scale(lab, WRITES, 5, 15)
    settled(lab)
    assert capacity_of(lab) == (10, 15)
    assert [one["Cause"] for one in activities(lab)] == [
        "maximum capacity was set to 15",
        "minimum capacity was set to 30",
    ]


@pytest.mark.parametrize("tracked", [False, True])
def test_what_others_set_below_the_minimum_stays_until_a_policy_acts(lab: Lab, tracked: bool) -> None:
    """Application Auto Scaling does not look at a capacity by itself: without a policy nobody lifts it."""
    client = make_table(lab, (10, 20))
    scale(lab, WRITES, 10, 100)
    if tracked:
        track(lab)
    throughput = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 1}
    client.update_table(TableName=TABLE, ProvisionedThroughput=throughput)
    settled(lab)
    clock = Clock(lab)
    clock.periods(2)
    assert capacity_of(lab) == (10, 1)
    clock.periods(2, consume(60))
    assert capacity_of(lab) == (10, 10 if tracked else 1)


def test_cooldowns(lab: Lab) -> None:
    """After an increase only a larger one comes before the cooldown is over; after a decrease none."""
    make_table(lab, (10, 20))
    scale(lab, WRITES, 10, 1000)
    track(lab, ScaleOutCooldown=600, ScaleInCooldown=3600)
    clock = Clock(lab)
    clock.periods(2, consume(60 * 28))
    assert capacity_of(lab) == (10, 40)
    clock.periods(2, consume(60 * 56))
    assert capacity_of(lab) == (10, 80)
    clock.periods(IN_PERIODS, consume(60 * 28))
    assert capacity_of(lab) == (10, 40)
    clock.periods(2 * IN_PERIODS, consume(60 * 7))
    assert capacity_of(lab) == (10, 40)
    clock.periods(60 - 2 * IN_PERIODS, consume(60 * 7))
    assert capacity_of(lab) == (10, 10)


def test_a_decrease_beyond_the_quota_fails(lab: Lab) -> None:
    """Scaling goes through UpdateTable, so its limits hold; the activity says what they said."""
    make_table(lab, (10, 80))
    table = dynamodb_backends[ACCOUNT][EAST].tables[TABLE]
    settings_of(table).history[""] = CapacityHistory(None, (datetime.now(UTC),) * 4)
    scale(lab, WRITES, 10, 100)
    track(lab)
    clock = Clock(lab)
    clock.periods(IN_PERIODS + 2, consume(60 * 14))
    assert capacity_of(lab) == (10, 80)
    (failed,) = activities(lab)
    assert failed["StatusCode"] == "Failed"
    assert "decreases are limited" in failed["StatusMessage"]


def test_reads_of_a_replica_are_scaled_for_it_alone(lab: Lab) -> None:
    """The other region's reads stay as they are."""
    make_table(lab, (10, 20), (10, 20), replica=True)
    scale(lab, READS, 30, 100, WEST)
    settled(lab, WEST)
    scale(lab, READS, 40, 100, WEST, INDEX)
    settled(lab, WEST)
    assert (capacity_of(lab, WEST), capacity_of(lab, WEST, INDEX)) == ((30, 20), (40, 20))
    assert (capacity_of(lab), capacity_of(lab, EAST, INDEX)) == ((10, 20), (10, 20))


def test_real_writes_scale_a_table_out(lab: Lab) -> None:
    """By the lab's own clock, from what clients really write."""
    client = make_table(lab, (10, 3))
    scale(lab, WRITES, 3, 400)
    track(lab)
    scaling = Scaling(lab.plane, replace(FAST, clock_scale=0.02))
    ends = time.monotonic() + 60
    number = 0
    while capacity_of(lab)[1] == 3 and time.monotonic() < ends:
        number += 1
        try:
            client.put_item(TableName=TABLE, Item=item(str(number)))
        except client.exceptions.ProvisionedThroughputExceededException:
            time.sleep(0.005)
        scaling.reconcile(lab.now)
    assert 3 < capacity_of(lab)[1] <= 400


def test_targets_are_kept_as_aws_keeps_them(lab: Lab) -> None:
    """With its service-linked role and all flags; changing one thing leaves the others."""
    make_table(lab, (10, 20))
    scale(lab, WRITES, 10, 100, SuspendedState={"DynamicScalingInSuspended": True}, Tags={"a": "b"})
    client = lab.client("application-autoscaling")
    client.register_scalable_target(**target(WRITES), MaxCapacity=200)
    client.register_scalable_target(**target(WRITES), SuspendedState={"DynamicScalingOutSuspended": True})
    (shown,) = client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert (shown["MinCapacity"], shown["MaxCapacity"]) == (10, 200)
    assert shown["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": False,
    }
    assert shown["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_DynamoDBTable")
    tags = client.list_tags_for_resource(ResourceARN=shown["ScalableTargetARN"])["Tags"]
    assert tags == {"a": "b"}


def test_policies_are_kept_as_aws_keeps_them(lab: Lab) -> None:
    """A policy keeps its ARN when it is changed, and goes with its target; no alarms are made of it."""
    make_table(lab, (10, 20), (10, 20))
    scale(lab, WRITES, 10, 100)
    scale(lab, WRITES, 10, 100, index=INDEX)
    arn = track(lab)
    assert track(lab, 50.0) == arn
    client = lab.client("application-autoscaling")
    of_index = {"ServiceNamespace": "dynamodb", "ResourceId": target(WRITES, INDEX)["ResourceId"]}
    assert client.describe_scaling_policies(**of_index)["ScalingPolicies"] == []
    (shown,) = client.describe_scaling_policies(**target(WRITES), PolicyNames=["track"])["ScalingPolicies"]
    assert shown["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0
    assert client.describe_scaling_policies(**target(WRITES), PolicyNames=["x"])["ScalingPolicies"] == []
    assert lab.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    client.deregister_scalable_target(**target(WRITES))
    assert client.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"] == []


def test_what_scaling_refuses(lab: Lab) -> None:
    """Targets of tables that are not there, bounds that can't be, policies without a target."""
    client = lab.client("application-autoscaling")
    both = {"MinCapacity": 1, "MaxCapacity": 2}
    codes = [
        refusal(lambda: client.register_scalable_target(**target(WRITES), **both))["Error"]["Code"],
        refusal(lambda: client.deregister_scalable_target(**target(WRITES)))["Error"]["Code"],
    ]
    make_table(lab, (10, 20))
    codes += [
        refusal(lambda: client.register_scalable_target(**target(WRITES), MinCapacity=1))["Error"]["Code"],
        refusal(lambda: scale(lab, WRITES, 9, 3))["Error"]["Code"],
        refusal(lambda: track(lab))["Error"]["Code"],
        refusal(lambda: client.delete_scaling_policy(**target(WRITES), PolicyName="x"))["Error"]["Code"],
    ]
    invalid, gone = "ValidationException", "ObjectNotFoundException"
    assert codes == [invalid, gone, invalid, invalid, gone, gone]
