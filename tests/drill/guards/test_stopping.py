"""Alarms that are to stop a drill are there and calm; stop conditions can be evaluated."""

from collections.abc import Iterator
from typing import Any

import pytest

from drill import alarm_states
from drill.guards.stopping import alarms_calm, stoppable
from tests.drill.guards.asking import NOBODY, asked
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane

STATES = {"calm": "OK", "firing": "ALARM", "blind": "INSUFFICIENT_DATA"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a control plane with one alarm in each state in the east, and a firing one in the west."""
    with control_plane() as made:
        for name, state in STATES.items():
            put_alarm(made, EAST, name, state)
        put_alarm(made, WEST, "calm", "ALARM")
        yield made


def put_alarm(lab: Lab, region: str, name: str, state: str) -> None:
    """Make an alarm that is in a state."""
    client = lab.client("cloudwatch", region)
    client.put_metric_alarm(
        AlarmName=name,
        Namespace="n",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="for the test")


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ({}, ""),
        ({"alarms": {EAST: ["calm"]}}, ""),
        ({"alarms": {EAST: ["firing"]}}, "alarm firing in us-east-1 is firing already"),
        ({"alarms": {EAST: ["blind"]}}, "alarm blind in us-east-1 has no data"),
        ({"alarms": {EAST: ["blind"]}, "allow_insufficient_data": True}, ""),
        ({"alarms": {EAST: ["none"]}}, "alarm none in us-east-1 is not there"),
        ({"alarms": {EAST: ["none"]}, "allow_insufficient_data": True}, "is not there"),
        ({"alarms": {EAST: ["firing"]}, "allow_insufficient_data": True}, "is firing already"),
        ({"alarms": {WEST: ["calm"]}}, "alarm calm in us-west-2 is firing already"),
    ],
)
def test_only_calm_alarms_pass(lab: Lab, stop: dict[str, Any], said: str) -> None:
    """An alarm without data is as bad as one that fires, unless the owner allows it."""
    answer = alarms_calm(asked(stop=stop), lab.aws)

    assert said in answer
    assert bool(said) == bool(answer)


def test_every_alarm_that_is_not_calm_is_told(lab: Lab) -> None:
    """All at once."""
    answer = alarms_calm(asked(stop={"alarms": {EAST: ["firing", "calm", "blind", "none"]}}), lab.aws)

    assert answer.count("alarm ") == 3


def test_more_alarms_than_one_call_takes_are_all_read(lab: Lab) -> None:
    """CloudWatch describes a hundred at once."""
    names = [f"none-{number:03}" for number in range(100)]

    states = alarm_states.read(lab.aws, EAST, [*names, *STATES])

    assert {**dict.fromkeys(names, alarm_states.MISSING), **STATES} == states


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ({"when": ["clients bad > 50% for 10s"]}, ""),
        ({"when": ["nobody bad > 50% for 10s"]}, "nobody"),
        ({"alarms": {EAST: ["calm"]}, "unseen_s": 10}, ""),
        ({"alarms": {EAST: ["calm"]}, "unseen_s": 9.9}, "unseen_s must be at least 10 in the target file"),
    ],
)
def test_stop_conditions_that_can_not_be_evaluated_refuse(stop: dict[str, Any], said: str) -> None:
    """A probe that is not there, or alarms that count as unseen between two readings."""
    answer = stoppable(asked(stop=stop), NOBODY)

    assert said in answer
    assert bool(said) == bool(answer)
