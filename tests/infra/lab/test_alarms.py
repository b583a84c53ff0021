"""Alarms judged from data that were really published, and the messages that they send."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.infra.lab.alarmlab import MINUTE_S, AlarmLab, alarm_lab, eventually


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[AlarmLab]:
    """Give a control plane whose alarms are judged."""
    with alarm_lab(tmp_path) as made:
        yield made


def keep(lab: AlarmLab, value: float, state: str) -> bool:
    """Publish a value twice a minute until an alarm comes to a state."""

    def put_and_look() -> bool:
        lab.put(value)
        time.sleep(MINUTE_S / 3)
        return lab.state() == state

    return eventually(put_and_look)


def test_the_life_of_an_alarm(lab: AlarmLab) -> None:
    """It begins without data, is well with few errors, in alarm with many, and well again."""
    lab.alarm()
    assert lab.state() == "INSUFFICIENT_DATA"
    assert lab.shown()["StateReason"] == "Unchecked: Initial alarm creation"
    assert keep(lab, 0, "OK")
    assert keep(lab, 9, "ALARM")
    assert keep(lab, 0, "OK")
    changes = [(event["before"], event["after"]) for event in lab.events("alarm_changed")]
    assert changes == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "OK")]
    assert lab.comes_to("INSUFFICIENT_DATA")


def test_a_message_reaches_the_queue(lab: AlarmLab) -> None:
    """Each change is told to the topic that is named for it, in the documented form."""
    topic, url = lab.topic()
    lab.alarm(AlarmActions=[topic], AlarmDescription="too many", TreatMissingData="notBreaching")
    assert lab.comes_to("OK")
    lab.put(9, Unit="Count")
    (document,) = lab.messages(url, 10)
    told = json.loads(document["Message"])
    assert document["Subject"] == 'ALARM: "errors" in US East (N. Virginia)'
    assert (told["AlarmName"], told["AlarmDescription"]) == ("errors", "too many")
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [9.0 (")
    assert told["NewStateReason"].endswith("(minimum 1 datapoint for OK -> ALARM transition).")
    assert told["Region"] == "US East (N. Virginia)"
    assert told["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    assert told["Trigger"]["MetricName"] == "errors"
    assert (told["Trigger"]["Statistic"], told["Trigger"]["StatisticType"]) == ("SUM", "Statistic")
    assert (told["Trigger"]["Period"], told["Trigger"]["Threshold"]) == (60, 5.0)
    # The lab writes it down once the message can be read: a reader may be there before.
    assert eventually(lambda: lab.events("message_arrived") != [])
    (arrived,) = lab.events("message_arrived")
    assert (arrived["queue"], arrived["topic"], arrived["message_id"]) == (
        "alerts",
        topic,
        document["MessageId"],
    )
    (changed,) = [event for event in lab.events("alarm_changed") if event["after"] == "ALARM"]
    assert changed["at_ns"] <= arrived["at_ns"]
    assert lab.comes_to("OK")
    assert lab.messages(url) == []


def test_all_three_states_have_actions(lab: AlarmLab) -> None:
    """OK and insufficient data are told where they are wanted, in the order in which they came."""
    topic, url = lab.topic()
    actions = {name: [topic] for name in ("OKActions", "AlarmActions", "InsufficientDataActions")}
    lab.alarm("errors", **actions)
    lab.put(9)
    assert lab.comes_to("ALARM")
    assert keep(lab, 0, "OK")
    assert lab.comes_to("INSUFFICIENT_DATA")
    told: list[str] = []

    def all_told() -> bool:
        told.extend(json.loads(one["Message"])["NewStateValue"] for one in lab.messages(url))
        return len(told) >= 3

    assert eventually(all_told)
    assert told == ["ALARM", "OK", "INSUFFICIENT_DATA"]


def test_data_that_never_came(lab: AlarmLab) -> None:
    """Without a single point an alarm comes to what it is told to make of that."""
    told = {"breaching": "ALARM", "notBreaching": "OK", "missing": "INSUFFICIENT_DATA"}
    for missing in told:
        lab.alarm(missing, TreatMissingData=missing)
    for missing, state in told.items():
        assert lab.comes_to(state, missing)
    lab.next_minute(2)
    assert {missing: lab.state(missing) for missing in told} == told


def test_ignoring_what_is_missing(lab: AlarmLab) -> None:
    """An alarm that ignores it stays in alarm when the data stop."""
    lab.alarm(TreatMissingData="ignore")
    lab.put(9)
    assert lab.comes_to("ALARM")
    lab.next_minute(5)
    assert lab.state() == "ALARM"


def test_dynamodb_is_ignored_unless_said_otherwise(lab: AlarmLab) -> None:
    """Alarms on DynamoDB's metrics keep their state without data, as documented for them alone."""
    lab.alarm("kept", Namespace="AWS/DynamoDB", TreatMissingData=None)
    lab.alarm("told", Namespace="AWS/DynamoDB", TreatMissingData="breaching")
    assert lab.comes_to("ALARM", "told")
    lab.client("cloudwatch").set_alarm_state(AlarmName="kept", StateValue="OK", StateReason="by hand")
    lab.next_minute(2)
    assert lab.state("kept") == "OK"


def test_two_out_of_three(lab: AlarmLab) -> None:
    """M of N: one bad minute is none, two of three are an alarm."""
    lab.alarm(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    assert lab.comes_to("OK")
    lab.put(9)
    lab.next_minute(4)
    assert lab.state() == "OK"
    assert keep(lab, 9, "ALARM")
    reason = lab.shown()["StateReason"]
    assert "2 out of the last 3 datapoints" in reason or "3 out of the last 3 datapoints" in reason


def test_dimensions_and_unit_must_match(lab: AlarmLab) -> None:
    """An alarm sees its own metric alone: other dimensions or another unit are no data."""
    dimensions = [{"Name": "Table", "Value": "orders"}]
    lab.alarm("exact", Dimensions=dimensions, Unit="Count")
    lab.alarm("bare")
    lab.alarm("percent", Dimensions=dimensions, Unit="Percent")
    lab.put(9, Dimensions=dimensions, Unit="Count")
    assert lab.comes_to("ALARM", "exact")
    assert (lab.state("bare"), lab.state("percent")) == ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")


def test_what_is_set_by_hand_lasts_until_the_next_look(lab: AlarmLab) -> None:
    """SetAlarmState shows and acts at once; the next judgement puts the true state back."""
    topic, url = lab.topic()
    lab.alarm(AlarmActions=[topic], TreatMissingData="notBreaching")
    assert lab.comes_to("OK")
    lab.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    assert [json.loads(one["Message"])["NewStateReason"] for one in lab.messages(url, 10)] == ["a test"]
    assert lab.comes_to("OK")


def test_actions_that_are_off(lab: AlarmLab) -> None:
    """With its actions disabled an alarm changes and tells nobody; enabled it tells again."""
    topic, url = lab.topic()
    lab.alarm(AlarmActions=[topic], TreatMissingData="notBreaching")
    alarms = lab.client("cloudwatch")
    alarms.disable_alarm_actions(AlarmNames=["errors"])
    assert lab.shown()["ActionsEnabled"] is False
    alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="quiet")
    assert lab.comes_to("OK")
    alarms.enable_alarm_actions(AlarmNames=["errors"])
    alarms.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="loud")
    assert [json.loads(one["Message"])["NewStateReason"] for one in lab.messages(url, 10)] == ["loud"]


def test_the_history(lab: AlarmLab) -> None:
    """What was configured, what changed and what was done is written down, the newest first."""
    topic, _ = lab.topic()
    actions = [topic, "arn:aws:sns:us-east-1:123456789012:nobody"]
    lab.alarm(AlarmActions=actions, TreatMissingData="ignore")  # it changes once
    lab.put(9)
    assert lab.comes_to("ALARM")
    alarms = lab.client("cloudwatch")

    def done() -> bool:
        items = alarms.describe_alarm_history(AlarmName="errors", HistoryItemType="Action")
        return len(items["AlarmHistoryItems"]) == 2

    assert eventually(done)
    items = alarms.describe_alarm_history(AlarmName="errors", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert [item["HistoryItemType"] for item in items] == [
        "ConfigurationUpdate",
        "StateUpdate",
        "Action",
        "Action",
    ]
    assert items[1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    changed = json.loads(items[1]["HistoryData"])
    assert changed["newState"]["stateReasonData"]["recentDatapoints"] == [9.0]
    assert items[2]["HistorySummary"] == f"Successfully executed action {topic}"
    assert "Topic does not exist" in items[3]["HistorySummary"]
    newest = alarms.describe_alarm_history(AlarmName="errors", MaxRecords=1)
    assert newest["AlarmHistoryItems"][0]["Timestamp"] == items[3]["Timestamp"]
    assert newest["NextToken"]
    alarms.delete_alarms(AlarmNames=["errors"])
    left = alarms.describe_alarm_history(AlarmName="errors", MaxRecords=1)["AlarmHistoryItems"]
    assert left[0]["HistorySummary"] == 'Alarm "errors" deleted'


def test_when_a_state_was_updated(lab: AlarmLab) -> None:
    """The instant of a change moves with each change, and stays while nothing changes."""
    lab.alarm()
    before = datetime.now(UTC)
    lab.put(9)
    assert lab.comes_to("ALARM")
    first = lab.shown()["StateUpdatedTimestamp"]
    assert before < first <= datetime.now(UTC)
    assert lab.comes_to("INSUFFICIENT_DATA")
    assert lab.shown()["StateUpdatedTimestamp"] > first


def test_an_updated_alarm_keeps_its_state(lab: AlarmLab) -> None:
    """Another threshold does not reset the state; the next judgement goes by the new one."""
    lab.alarm(TreatMissingData="breaching")
    assert lab.comes_to("ALARM")
    lab.alarm(TreatMissingData="ignore")
    lab.next_minute(2)
    assert lab.state() == "ALARM"
    lab.alarm(TreatMissingData="notBreaching")
    assert lab.comes_to("OK")
