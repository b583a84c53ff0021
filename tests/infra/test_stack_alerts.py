"""The resource types that watch the system: made, changed in place, read back, and gone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.alertstack import ALERTS
from tests.infra.described.alarms import READERS
from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.stacklab import change, live, make, settle, undescribed


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    """Return a stack's outputs by key."""
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def test_every_property_is_described(lab: Lab) -> None:
    """What a template says of alarms, topics, queues and checks is what their services show."""
    stack = make(lab, ALERTS)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    assert undescribed(lab, READERS) == []
    assert {one.kind.name for one in live().values()} - {"AWS::KMS::Key"} == set(READERS)
    given = outputs(stack)
    assert given["Topic"] == "arn:aws:sns:us-east-1:123456789012:alerts"
    assert (given["Name"], given["QueueName"]) == ("alerts", "pager")
    assert given["Alarm"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    assert given["Group"] == "arn:aws:logs:us-east-1:123456789012:log-group:/drill/app:*"


def test_changes_are_made_in_place(lab: Lab) -> None:
    """Thresholds, texts, policies and tags change without another resource."""
    make(lab, ALERTS)
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    other = ALERTS.replace("VisibilityTimeout: 45", "VisibilityTimeout: 5").replace(
        "RetentionPeriod: 1209600", "RetentionPeriod: 3600"
    )
    other = other.replace("{kind: [alarm, {exists: false}]}", "{kind: [page]}").replace("600", "300")
    other = other.replace("InsufficientDataHealthStatus: Healthy", "InsufficientDataHealthStatus: Unhealthy")
    stack = change(lab, other, Threshold="7", Note="second", Days="7")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack.get("StackStatusReason")
    assert undescribed(lab, READERS) == []
    assert {name: one.made.physical_resource_id for name, one in live().items()} == before


def test_what_a_template_no_longer_says_is_the_default_again(lab: Lab) -> None:
    """Attributes that left the template go, and the rest stays."""
    make(lab, ALERTS)
    url = live()["Queue"].made.physical_resource_id
    left = ALERTS.replace("      VisibilityTimeout: 45\n", "").replace(
        "      RetentionInDays: !Ref Days\n", ""
    )
    left = left.replace("      FilterPolicy: {kind: [alarm, {exists: false}]}\n", "")
    change(lab, left.replace("      FilterPolicyScope: MessageAttributes\n", ""))
    attributes = lab.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("30", "0")
    assert "sns.amazonaws.com" in attributes["Policy"]
    (group,) = lab.client("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in group
    subscription = live()["Reads"].made.physical_resource_id
    shown = lab.client("sns").get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert "FilterPolicy" not in shown
    assert shown["RawMessageDelivery"] == "true"


def test_a_deleted_stack_leaves_nothing(lab: Lab) -> None:
    """Nothing of it is listed any more by any of the services."""
    stack_id = make(lab, ALERTS)["StackId"]
    lab.client("cloudformation").delete_stack(StackName=stack_id)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    alarms = lab.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert alarms["MetricAlarms"] + alarms["CompositeAlarms"] == []
    assert lab.client("cloudwatch").list_dashboards().get("DashboardEntries", []) == []
    assert lab.client("sns").list_topics()["Topics"] == []
    assert lab.client("sns").list_subscriptions()["Subscriptions"] == []
    assert "QueueUrls" not in lab.client("sqs").list_queues()
    assert lab.client("logs").describe_log_groups()["logGroups"] == []
    assert lab.client("route53").list_health_checks()["HealthChecks"] == []


ALARM: dict[str, Any] = {
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
BODY = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": '{"widgets": 1}'}}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"Properties": {**ALARM, "DatapointsToAlarm": 9}}, "no more than EvaluationPeriods"),
        ({"Properties": {**ALARM, "Statistic": "Median"}}, "Median"),
        ({"Properties": {**ALARM, "Period": "61"}}, "multiple of 60"),
        ({"Properties": {**ALARM, "Colour": "red"}}, "Colour"),
        ({"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "ALARM(a) AND"}}, "its end"),
        (BODY, "widgets"),
    ],
)
def test_what_aws_refuses_fails_the_stack(lab: Lab, resource: dict[str, Any], reason: str) -> None:
    """A value that the service does not take is the reason of its event, and nothing stays behind."""
    bad = {"Type": "AWS::CloudWatch::Alarm", "DependsOn": "Topic", **resource}
    stack = make(lab, json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Bad": bad}}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = lab.client("cloudformation").describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    (failed,) = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert reason in failed["ResourceStatusReason"]
    assert lab.client("sns").list_topics()["Topics"] == []
