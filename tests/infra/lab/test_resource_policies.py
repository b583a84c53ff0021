"""Whether a resource's policy lets a service do something."""

from typing import Any

import pytest

from infra.lab.control_plane.resource_policies import Access, allows

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:pager"
SEND = Access("sns.amazonaws.com", "sqs:SendMessage", QUEUE, {"aws:sourcearn": TOPIC})


def policy(**changes: Any) -> dict[str, Any]:
    """Return a policy of one statement that lets SNS write."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        **changes,
    }
    return {"Statement": [{name: value for name, value in statement.items() if value is not None}]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["a.amazonaws.com", "sns.amazonaws.com"]}},
        {"Action": "SQS:sendmessage"},
        {"Action": ["sqs:*"]},
        {"Action": None, "NotAction": "sqs:DeleteQueue"},
        {"Resource": "*"},
        {"Resource": "arn:aws:sqs:*:*:pag?r"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:123456789012:*"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceArn": "another"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceAccount": "1"}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": ["another", TOPIC]}}},
    ],
)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    """A statement that names principal, action and resource, and whose conditions hold, allows."""
    assert allows(policy(**changes), SEND)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": None},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": TOPIC},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{TOPIC}2"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}, "StringEquals": {"aws:SourceVpc": "v"}}},
    ],
)
def test_what_is_not(changes: dict[str, Any]) -> None:
    """Anything else grants nothing, a condition that is unknown neither."""
    assert not allows(policy(**changes), SEND)


def test_a_denial_wins() -> None:
    """A second statement that denies takes away what the first allows; one that does not apply does not."""
    denied = policy(Effect="Deny")["Statement"][0]
    both = {"Statement": [*policy()["Statement"], denied]}
    assert not allows(both, SEND)
    both["Statement"][1] = {**denied, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert allows(both, SEND)


@pytest.mark.parametrize("nothing", [None, "", "[]", {}, '{"Statement": []}'])
def test_no_policy_allows_nothing(nothing: Any) -> None:
    """Without a statement nobody may do anything."""
    assert not allows(nothing, SEND)
