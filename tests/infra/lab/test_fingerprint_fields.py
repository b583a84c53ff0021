"""Every field of what a deployment makes shows in the fingerprint, unless it is published as ignored."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.deploy import deploy
from infra.lab import fingerprint
from infra.lab.fingerprint import IGNORED, REGIONAL, WITHOUT_REGION
from infra.lab.fingerprint.sections import Section
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane
from tests.infra.lab.answers import ENOUGH, Call, Recording, Replay, compared, named, with_change
from tests.infra.lab.planelab import EAST, Lab

# What one deployment has none of; tests of their own look at them.
EMPTY = {"experiments", "templates", "flow_logs", "policies", "cluster_snapshots"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give the whole system, deployed with a global database and NAT gateways."""
    with quick_control_plane() as made:
        deploy(made.aws.client, CONFIG.model_copy(update={"replication": "global", "nat": "one"}), ONE)
        yield made


def first_of_each(answers: Mapping[Call, Any]) -> Iterator[tuple[Call, Any]]:
    """Yield some answers of each operation."""
    seen: Counter[str] = Counter()
    for call, answer in answers.items():
        seen[call.operation] += 1
        if seen[call.operation] <= ENOUGH:
            yield call, answer


@pytest.mark.slow
@pytest.mark.parametrize("section", [*REGIONAL, *WITHOUT_REGION], ids=lambda section: section.name)
def test_every_field_that_is_not_ignored_shows(
    lab: Lab, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaf of each answer of the API, changed alone, changes the fingerprint; unless it is ignored."""
    here = section in REGIONAL
    monkeypatch.setattr(fingerprint, "REGIONAL", (section,) if here else ())
    monkeypatch.setattr(fingerprint, "WITHOUT_REGION", () if here else (section,))
    recording = Recording(lab.aws)
    before = fingerprint.fingerprint(recording.client, (EAST,))
    assert fingerprint.fingerprint(Replay(recording.answers).client, (EAST,)) == before
    silent, count = set(), 0
    for call, answer in first_of_each(recording.answers):
        for path in compared(call.operation, answer):
            count += 1
            others = {**recording.answers, call: with_change(answer, path)}
            if fingerprint.fingerprint(Replay(others).client, (EAST,)) == before:
                silent.add((call.operation, *named(path)))
    explained = {entry.partition(".")[2] for entry in IGNORED if entry.startswith(f"{section.name}.")}
    assert {path for path in silent if not explained & set(path)} == set()
    assert count or section.name in EMPTY


@pytest.mark.slow
def test_what_moves_by_itself_does_not_show(lab: Lab) -> None:
    """Alarms that fire, letters in a queue and capacity that auto scaling moves leave it alone."""
    before = fingerprint.fingerprint(lab.client, (EAST,))
    cloudwatch, dynamodb = lab.client("cloudwatch"), lab.client("dynamodb")
    for alarm in cloudwatch.describe_alarms()["MetricAlarms"]:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="a test")
    (queue, *_) = lab.client("sqs").list_queues()["QueueUrls"]
    lab.client("sqs").send_message(QueueUrl=queue, MessageBody="hello")
    scaling(dynamodb, 6)
    assert fingerprint.fingerprint(lab.client, (EAST,)) == before
    scale(dynamodb, 7)
    assert fingerprint.fingerprint(lab.client, (EAST,)) == before
    scale(dynamodb, 1)
    assert fingerprint.fingerprint(lab.client, (EAST,)) != before


def scaling(dynamodb: Any, units: int) -> str:
    """Begin to set the table's own capacity, as soon as it may be; return its name."""
    (name,) = dynamodb.list_tables()["TableNames"]
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    capacity = {"ReadCapacityUnits": units, "WriteCapacityUnits": units}
    dynamodb.update_table(TableName=name, ProvisionedThroughput=capacity)
    return str(name)


def scale(dynamodb: Any, units: int) -> None:
    """Set the table's own capacity and wait until it is there."""
    name = scaling(dynamodb, units)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
