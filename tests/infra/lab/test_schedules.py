"""Schedules that really fire, and what the API says of them."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.lab.schedule_expressions import parse
from infra.lab.schedules import next_due_s
from infra.lab.virtual_time import VirtualClock
from infra.lab.world import Schedule
from tests.infra.lab.functionlab import archive
from tests.infra.lab.planelab import EAST, make_function, make_network
from tests.infra.lab.schedulelab import MINUTE_S, QUICK, ROLE, Scheduled, make_role, scheduled, until

HEALTH_CHECK = {
    "Type": "HTTP",
    "IPAddress": "127.0.0.1",
    "Port": 80,
    "RequestInterval": 30,
    "FailureThreshold": 3,
}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Scheduled]:
    """Give a lab whose schedules fire."""
    with scheduled(tmp_path) as made:
        yield made


def api(action: str, **given: Any) -> dict[str, Any]:
    """Return a universal target without retries."""
    return {
        "Arn": f"arn:aws:scheduler:::aws-sdk:{action}",
        "Input": json.dumps(given),
        "RetryPolicy": {"MaximumRetryAttempts": 0},
    }


def allow(lab: Scheduled, queue: str) -> None:
    """Let topics send to a queue."""
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
        },
    }
    sqs = lab.client("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})


def test_a_rate_invokes_a_function(lab: Scheduled) -> None:
    """A function is invoked at once and then once a period, with the notice that AWS sends."""
    make_function(lab.lab, archive("def handle(event, context): pass"))
    arn = lab.schedule("rate(1 minute)", {"Arn": FUNCTION})
    until(lambda: len(lab.physics.invoked) >= 4, "four invocations")
    region, function, qualifier, payload = lab.physics.invoked[0]
    assert (region, function, qualifier) == (EAST, "orders", "$LATEST")
    notice = json.loads(payload)
    assert (notice["resources"], notice["source"]) == ([arn], "aws.scheduler")
    due = [float(str(event["due_s"])) for event in lab.events("schedule_invoked")]
    periods = [later - earlier for earlier, later in itertools.pairwise(due)]
    # A period that this machine was too busy for is left out whole.
    assert all(round(period / MINUTE_S, 3).is_integer() for period in periods)


def test_an_alias_is_invoked_with_the_input(lab: Scheduled) -> None:
    """A target may name an alias, and its input goes there with its keywords replaced."""
    make_function(lab.lab, archive("def handle(event, context): pass"))
    version = lab.client("lambda").publish_version(FunctionName="orders")["Version"]
    lab.client("lambda").create_alias(FunctionName="orders", Name="live", FunctionVersion=version)
    text = '{"schedule": "<aws.scheduler.schedule-arn>", "try": "<aws.scheduler.attempt-number>"}'
    arn = lab.schedule("rate(1 minute)", {"Arn": f"{FUNCTION}:live", "Input": text})
    until(lambda: lab.physics.invoked, "an invocation")
    assert lab.physics.invoked[0][2] == "live"
    assert json.loads(lab.physics.invoked[0][3]) == {"schedule": arn, "try": "1"}


def test_cron_follows_the_labs_clock(lab: Scheduled) -> None:
    """A schedule of every minute fires several times in a second of the lab."""
    queue = lab.queue()
    lab.schedule("cron(* * * * ? *)", {"Arn": queue, "Input": "tick"})
    until(lambda: len(lab.events("schedule_invoked")) >= 4, "four ticks")
    assert {tick["Body"] for tick in lab.take()} == {"tick"}
    due = [float(str(event["due_s"])) for event in lab.events("schedule_invoked")]
    assert due[3] - due[0] == pytest.approx(3 * MINUTE_S, rel=0.01) or due[3] - due[0] > 3 * MINUTE_S


def test_a_topic_takes_a_message(lab: Scheduled) -> None:
    """A topic passes the input on to its subscribers."""
    queue = lab.queue()
    allow(lab, queue)
    topic = lab.client("sns").create_topic(Name="t")["TopicArn"]
    lab.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    lab.schedule("rate(1 day)", {"Arn": topic, "Input": "news"})
    (message,) = until(lab.take, "a message")
    assert json.loads(message["Body"])["Message"] == "news"


def test_an_event_bus_takes_an_event(lab: Scheduled) -> None:
    """An event bus matches the event with its rules."""
    queue, events = lab.queue(), lab.client("events")
    bus = events.describe_event_bus()["Arn"]
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["drill.test"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue}])
    target = {"EventBridgeParameters": {"DetailType": "Tick", "Source": "drill.test"}, "Input": '{"a": 1}'}
    lab.schedule("rate(1 day)", {"Arn": bus, **target})
    (message,) = until(lab.take, "an event")
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["detail"]) == ("Tick", {"a": 1})


def test_an_instant_is_real_and_puts_a_health_check_right(lab: Scheduled) -> None:
    """A one-shot schedule turns an inverted check back at its instant, and then is gone."""
    check = lab.client("route53").create_health_check(
        CallerReference="c", HealthCheckConfig={**HEALTH_CHECK, "Inverted": True}
    )["HealthCheck"]["Id"]

    def inverted() -> bool:
        shown = lab.client("route53").get_health_check(HealthCheckId=check)["HealthCheck"]
        return bool(shown["HealthCheckConfig"]["Inverted"])

    assert inverted()
    target = api("route53:updateHealthCheck", HealthCheckId=check, Inverted=False)
    _, due = lab.once(target, ActionAfterCompletion="DELETE")
    until(lambda: not inverted(), "the check to be put right")
    (event,) = until(lambda: lab.events("schedule_invoked"), "the event")
    assert event["due_s"] == due.timestamp()
    assert time.time() >= due.timestamp()
    until(lambda: not lab.client("scheduler").list_schedules()["Schedules"], "the schedule to be gone")


def test_an_instant_puts_a_network_acl_back(lab: Scheduled) -> None:
    """A one-shot schedule swaps the network ACL of a subnet."""
    vpc, subnet = make_network(lab.lab)
    ec2 = lab.client("ec2")
    other = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
        "NetworkAcls"
    ]
    (association,) = [item for item in acl["Associations"] if item["SubnetId"] == subnet]
    target = api(
        "ec2:replaceNetworkAclAssociation",
        AssociationId=association["NetworkAclAssociationId"],
        NetworkAclId=other,
    )
    lab.once(target)

    def swapped() -> bool:
        shown = ec2.describe_network_acls(NetworkAclIds=[other])["NetworkAcls"][0]["Associations"]
        return [item["SubnetId"] for item in shown] == [subnet]

    until(swapped, "the network ACL")
    assert lab.client("scheduler").get_schedule(Name="s")["State"] == "ENABLED"


def test_parameters_are_named_as_in_the_sdk_for_java(lab: Scheduled) -> None:
    """What the API calls DBClusterIdentifier a universal target calls DbClusterIdentifier."""
    lab.client("rds").create_db_cluster(
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        MasterUsername="orders",
        MasterUserPassword="long-enough",
    )
    lab.schedule("rate(1 day)", api("rds:modifyDBCluster", DBClusterIdentifier="c", Port=6000), "wrong")
    (failure,) = until(lambda: lab.events("schedule_failed"), "the refusal")
    assert "no parameter DBClusterIdentifier" in str(failure["error"])
    assert "DbClusterIdentifier" in str(failure["error"])
    tags = [{"Key": "a", "Value": "b"}]
    arn = "arn:aws:rds:us-east-1:123456789012:cluster:c"
    lab.schedule("rate(1 day)", api("rds:addTagsToResource", ResourceName=arn, Tags=tags), "right")
    until(lambda: lab.events("schedule_invoked"), "the call")
    assert lab.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"] == tags


def test_a_failure_is_repeated_and_then_told(lab: Scheduled) -> None:
    """A call that always fails is repeated as the policy says, later each time, then buried."""
    dead = lab.queue("dead")
    target = api("route53:deleteHealthCheck", HealthCheckId="none")
    target["RetryPolicy"] = {"MaximumRetryAttempts": 2}
    arn, _ = lab.once({**target, "DeadLetterConfig": {"Arn": dead}})
    (message,) = until(lambda: lab.take("dead"), "the dead letter")
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told["ERROR_CODE"] == "NoSuchHealthCheck"
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert (told["RETRY_ATTEMPTS"], told["SCHEDULE_ARN"], told["TARGET_ARN"]) == ("2", arn, target["Arn"])
    assert json.loads(message["Body"]) == {"HealthCheckId": "none"}
    at = [int(str(event["at_ns"])) for event in lab.events("schedule_failed")]
    assert len(at) == 3
    assert at[2] - at[1] > 2 * QUICK.clock_scale * 1e9
    assert lab.events("schedule_invoked") == []


def test_a_role_without_the_permission_is_denied(lab: Scheduled) -> None:
    """A call that the role's policies do not permit is denied, and goes through once they do."""
    check = lab.client("route53").create_health_check(CallerReference="c", HealthCheckConfig=HEALTH_CHECK)
    role = make_role(lab.lab, "narrow", may="route53:Get*")
    target = api("route53:updateHealthCheck", HealthCheckId=check["HealthCheck"]["Id"], Inverted=True)
    lab.schedule("rate(1 day)", {**target, "RoleArn": role, "RetryPolicy": {"MaximumRetryAttempts": 185}})
    (failure, *_) = until(lambda: lab.events("schedule_failed"), "the denial")
    assert "not authorized to perform: route53:UpdateHealthCheck" in str(failure["error"])
    document = {"Statement": [{"Effect": "Allow", "Action": ["route53:Update*"], "Resource": "*"}]}
    lab.client("iam").put_role_policy(
        RoleName="narrow", PolicyName="more", PolicyDocument=json.dumps({"Version": "2012-10-17", **document})
    )
    until(lambda: lab.events("schedule_invoked"), "the call")


def test_a_target_that_comes_back_is_reached(lab: Scheduled) -> None:
    """A call that fails at first and is repeated takes effect."""
    target = api("sns:publish", TopicArn="arn:aws:sns:us-east-1:123456789012:late", Message="m")
    lab.schedule("rate(1 day)", {**target, "RetryPolicy": {"MaximumRetryAttempts": 185}})
    until(lambda: lab.events("schedule_failed"), "a failure")
    lab.client("sns").create_topic(Name="late")
    (event,) = until(lambda: lab.events("schedule_invoked"), "the call")
    assert int(str(event["attempt"])) > 1


def test_a_disabled_schedule_does_not_fire(lab: Scheduled) -> None:
    """Neither a schedule that is made disabled nor one that is disabled later invokes anything."""
    one, two = lab.queue("one"), lab.queue("two")
    lab.schedule("rate(1 minute)", {"Arn": one, "Input": "x"}, "off", State="DISABLED")
    lab.schedule("rate(1 minute)", {"Arn": two, "Input": "x"}, "on")
    until(lambda: lab.take("two"), "the one that is on")
    shown = lab.client("scheduler").get_schedule(Name="on")
    call = {name: shown[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    lab.client("scheduler").update_schedule(**call, State="DISABLED")
    time.sleep(MINUTE_S)
    lab.take("two")
    time.sleep(3 * MINUTE_S)
    assert (lab.take("one"), lab.take("two")) == ([], [])


def test_dates_bound_a_schedule(lab: Scheduled) -> None:
    """Nothing is due before the start date nor from the end date on; then the schedule goes."""
    queue, now = lab.queue(), datetime.now(UTC)
    dates: dict[str, Any] = {"StartDate": now + timedelta(seconds=0.5), "EndDate": now + timedelta(seconds=2)}
    lab.schedule("rate(1 minute)", {"Arn": queue, "Input": "x"}, ActionAfterCompletion="DELETE", **dates)
    until(lambda: not lab.client("scheduler").list_schedules()["Schedules"], "the schedule to be gone")
    due = [float(str(event["due_s"])) for event in lab.events("schedule_invoked")]
    assert min(due) >= int(dates["StartDate"].timestamp())
    assert max(due) < dates["EndDate"].timestamp()


def test_a_changed_schedule_calls_the_new_target(lab: Scheduled) -> None:
    """An update takes the place of everything, and what it leaves out has its default again."""
    one, two = lab.queue("one"), lab.queue("two")
    lab.schedule("rate(1 day)", {"Arn": one, "Input": "x"}, Description="d", ActionAfterCompletion="DELETE")
    lab.client("scheduler").update_schedule(
        Name="s",
        ScheduleExpression="rate(2 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": two, "RoleArn": ROLE, "Input": "y"},
    )
    until(lambda: lab.take("two"), "the new target")
    shown = lab.client("scheduler").get_schedule(Name="s")
    assert (shown["State"], shown["ActionAfterCompletion"]) == ("ENABLED", "NONE")
    assert "Description" not in shown
    assert shown["LastModificationDate"] > shown["CreationDate"]


def test_a_flexible_window_spreads(lab: Scheduled) -> None:
    """With a window, an invocation comes within it after its time."""
    queue = lab.queue()
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 3}
    lab.schedule("rate(1 day)", {"Arn": queue, "Input": "x"}, FlexibleTimeWindow=window)
    (event,) = until(lambda: lab.events("schedule_invoked"), "the call")
    shown = lab.client("scheduler").get_schedule(Name="s")
    assert shown["FlexibleTimeWindow"] == window
    assert shown["CreationDate"].timestamp() <= float(str(event["due_s"])) + 1


def test_times_that_were_missed_are_left_out() -> None:
    """After a pause of the machine, the next time is ahead, on the same beat."""
    schedule = Schedule("a", "s", "default", EAST, "rate(1 minute)", "UTC", True, {}, 0.0, 1000.0)
    expression, clock = parse("rate(1 minute)"), VirtualClock(0.5, 900.0)
    assert next_due_s(schedule, expression, clock, 999.9) == 1000.0
    assert next_due_s(schedule, expression, clock, 1000.0) == 1030.0
    assert next_due_s(schedule, expression, clock, 1095.0) == 1120.0
    late = replace(schedule, start_s=2000.0, end_s=2010.0)
    assert next_due_s(late, expression, clock, 999.9) == 2000.0
    assert next_due_s(late, expression, clock, 2000.0) is None
