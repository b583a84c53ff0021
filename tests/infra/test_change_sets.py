"""Change sets: what they list, when there is nothing to do, and how they are executed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.stacklab import VPC, given, live, make, settle

ROLES = """
Parameters:
  Name: {Type: String, Default: first}
  Timeout: {Type: Number, Default: 3}
  Kept: {Type: String, Default: "no"}
Conditions: {Kept: !Equals [!Ref Kept, "yes"]}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name, VisibilityTimeout: !Ref Timeout}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !GetAtt Queue.Arn, TopicName: fixed}
  Extra:
    Type: AWS::SNS::Topic
    Condition: Kept
    DeletionPolicy: Retain
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: where, Value: !Ref Queue}
Outputs:
  Queue: {Value: !Ref Queue}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def propose(
    lab: Lab, template: str, name: str = "c", kind: str = "UPDATE", **parameters: str
) -> dict[str, Any]:
    """Ask for a change set, and return it once it is worked out."""
    formation = lab.client("cloudformation")
    made = formation.create_change_set(
        StackName="s",
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=template,
        Parameters=given(parameters),
        Capabilities=["CAPABILITY_IAM"],
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found: dict[str, Any] = formation.describe_change_set(
            ChangeSetName=made["Id"], IncludePropertyValues=True
        )
        if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return found
        time.sleep(0.01)
    pytest.fail("the change set was never worked out")


def listed(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a change set's resource changes by name."""
    return {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"] for item in found["Changes"]}


def brief(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return action and replacement of each changed resource."""
    return {name: (item["Action"], item.get("Replacement", "")) for name, item in listed(found).items()}


def test_a_new_stack_adds_what_its_conditions_want(lab: Lab) -> None:
    """Everything that would be made is listed in order, nothing else, and nothing is made yet."""
    found = propose(lab, ROLES, kind="CREATE")
    assert brief(found) == dict.fromkeys(("Queue", "Topic", "Parameter"), ("Add", ""))
    assert [change["Type"] for change in found["Changes"]] == ["Resource"] * 3
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    (stack,) = lab.client("cloudformation").describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert lab.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_change_in_place(lab: Lab) -> None:
    """It says from where, from what and to what; what takes an attribute of the resource may change too."""
    make(lab, ROLES)
    found = listed(propose(lab, ROLES, Timeout="9"))
    queue = found["Queue"]
    assert (queue["Action"], queue["Replacement"], queue["Scope"]) == ("Modify", "False", ["Properties"])
    assert queue["PhysicalResourceId"] == live()["Queue"].made.physical_resource_id
    (detail,) = queue["Details"]
    assert detail == {
        "Target": {
            "Attribute": "Properties",
            "Name": "VisibilityTimeout",
            "RequiresRecreation": "Never",
            "BeforeValue": "3",
            "AfterValue": "9",
        },
        "Evaluation": "Static",
        "ChangeSource": "ParameterReference",
        "CausingEntity": "Timeout",
    }
    (follows,) = found["Topic"]["Details"]
    assert (follows["Evaluation"], follows["ChangeSource"]) == ("Dynamic", "ResourceAttribute")
    assert (follows["CausingEntity"], found["Topic"]["Replacement"]) == ("Queue.Arn", "False")
    assert "Parameter" not in found


def test_a_replacement_and_what_refers_to_it(lab: Lab) -> None:
    """A property that can't change in place replaces; what refers to the resource changes with it."""
    make(lab, ROLES)
    found = propose(lab, ROLES, Name="second")
    assert brief(found)["Queue"] == ("Modify", "True")
    assert listed(found)["Queue"]["PolicyAction"] == "ReplaceAndDelete"
    (detail,) = listed(found)["Parameter"]["Details"]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ResourceReference", "Queue")
    assert "AfterValue" not in detail["Target"]


def test_what_comes_and_goes(lab: Lab) -> None:
    """A condition that begins to hold adds, one that ends removes, and its policy is said."""
    make(lab, ROLES)
    assert brief(propose(lab, ROLES, Kept="yes")) == {"Extra": ("Add", "")}
    make(lab, ROLES.replace("fixed", "other").replace("where", "there"), "t", Kept="yes", Name="t")
    formation = lab.client("cloudformation")
    formation.create_change_set(
        StackName="t",
        ChangeSetName="c",
        TemplateBody=ROLES.replace("fixed", "other").replace("where", "there"),
        Parameters=given({"Name": "t"}),
    )
    formation.get_waiter("change_set_create_complete").wait(
        StackName="t", ChangeSetName="c", WaiterConfig={"Delay": 1}
    )
    (change,) = formation.describe_change_set(StackName="t", ChangeSetName="c")["Changes"]
    removed = change["ResourceChange"]
    assert (removed["Action"], removed["LogicalResourceId"], removed["PolicyAction"]) == (
        "Remove",
        "Extra",
        "Retain",
    )


def test_values_are_shown_to_who_asks_for_them(lab: Lab) -> None:
    """Without being asked, a change set names properties and no values."""
    make(lab, ROLES)
    found = propose(lab, ROLES, Timeout="9")
    bare = lab.client("cloudformation").describe_change_set(ChangeSetName=found["ChangeSetId"])
    (detail,) = listed(bare)["Queue"]["Details"]
    assert set(detail["Target"]) == {"Attribute", "Name", "RequiresRecreation"}


@pytest.mark.parametrize("template", [ROLES, ROLES.replace("Resources:", "# a remark\nResources:")])
def test_nothing_to_do(lab: Lab, template: str) -> None:
    """A change set without a difference fails and says so, however the template is written."""
    make(lab, ROLES)
    found = propose(lab, template, Timeout="3")
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in found["StatusReason"]
    with pytest.raises(ClientError, match=r"current status of \[FAILED\]") as refused:
        lab.client("cloudformation").execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert refused.value.response["Error"]["Code"] == "InvalidChangeSetStatus"


def test_outputs_alone_are_a_change(lab: Lab) -> None:
    """Another output changes the stack and no resource."""
    make(lab, ROLES)
    found = propose(lab, ROLES + "  Other: {Value: !GetAtt Queue.Arn}\n")
    assert (found["Changes"], found["ExecutionStatus"]) == ([], "AVAILABLE")
    lab.client("cloudformation").execute_change_set(ChangeSetName=found["ChangeSetId"])
    outputs = {item["OutputKey"] for item in settle(lab, "s")["Outputs"]}
    assert outputs == {"Queue", "Other"}


def test_a_policy_is_a_change(lab: Lab) -> None:
    """A DeletionPolicy that a resource gets is listed as such."""
    make(lab, VPC)
    policy = VPC.replace("    Type: AWS::EC2::VPC", "    Type: AWS::EC2::VPC\n    DeletionPolicy: Retain")
    (vpc,) = listed(propose(lab, policy)).values()
    assert (vpc["Scope"], vpc["Replacement"]) == (["DeletionPolicy"], "False")


def test_the_stacks_tags_are_a_change_of_what_takes_tags(lab: Lab) -> None:
    """Other tags of the stack reach every resource that has tags, in place."""
    make(lab, VPC)
    formation = lab.client("cloudformation")
    made = formation.create_change_set(
        StackName="s", ChangeSetName="c", TemplateBody=VPC, Tags=[{"Key": "project", "Value": "p"}]
    )
    formation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=made["Id"], WaiterConfig={"Delay": 1}
    )
    found = listed(formation.describe_change_set(ChangeSetName=made["Id"]))
    assert {name: item["Scope"] for name, item in found.items()} == {"Vpc": ["Tags"], "Subnet": ["Tags"]}
    (before,) = lab.now.vpcs
    formation.execute_change_set(ChangeSetName=made["Id"])
    assert settle(lab, "s")["StackStatus"] == "UPDATE_COMPLETE"
    assert [vpc.id for vpc in lab.now.vpcs] == [before.id]
    tags = lab.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [before.id]}])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "b", "project": "p"}


def test_change_sets_are_executed(lab: Lab) -> None:
    """A stack comes to be, and changes, through change sets; the others of the stack are gone then."""
    formation = lab.client("cloudformation")
    other = propose(lab, VPC, "other", "CREATE")
    for kind, second, status in (("CREATE", "1", "CREATE_COMPLETE"), ("UPDATE", "2", "UPDATE_COMPLETE")):
        found = propose(lab, VPC, f"c{second}", kind, Second=second)
        formation.execute_change_set(ChangeSetName=found["ChangeSetName"], StackName="s")
        assert settle(lab, "s")["StackStatus"] == status
        assert [vpc.cidrs for vpc in lab.now.vpcs] == [(f"10.{second}.0.0/16",)]
        shown = formation.describe_change_set(ChangeSetName=found["ChangeSetId"])
        assert shown["ExecutionStatus"] == "EXECUTE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist") as gone:
        formation.describe_change_set(ChangeSetName=other["ChangeSetId"])
    assert gone.value.response["Error"]["Code"] == "ChangeSetNotFound"
    summaries = formation.list_change_sets(StackName="s")["Summaries"]
    assert [item["ChangeSetName"] for item in summaries] == ["c2"]


def test_a_change_set_that_fails_says_so(lab: Lab) -> None:
    """When the stack is rolled back, its change set was not executed well."""
    found = propose(lab, VPC.replace("${Second}.1.0/24", "9.1.0/24"), kind="CREATE")
    lab.client("cloudformation").execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert settle(lab, "s")["StackStatus"] == "ROLLBACK_COMPLETE"
    shown = lab.client("cloudformation").describe_change_set(ChangeSetName=found["ChangeSetId"])
    assert shown["ExecutionStatus"] == "EXECUTE_FAILED"
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        propose(lab, VPC, "again")


def test_what_no_change_set_can_do(lab: Lab) -> None:
    """The wrong kind for the stack, a name twice, another type under a name: refused as AWS refuses it."""
    with pytest.raises(ClientError, match=r"Stack \[s\] does not exist"):
        propose(lab, VPC)
    propose(lab, VPC, "twice", "CREATE")
    with pytest.raises(ClientError, match="already exists"):
        propose(lab, VPC, "twice", "CREATE")
    lab.client("cloudformation").execute_change_set(ChangeSetName="twice", StackName="s")
    settle(lab, "s")
    with pytest.raises(ClientError, match="already exists and cannot be created again"):
        propose(lab, VPC, "new", "CREATE")
    other = "Resources: {Vpc: {Type: 'AWS::SQS::Queue'}}"
    found = propose(lab, other, "type")
    assert (found["Status"], found["StatusReason"][:41]) == (
        "FAILED",
        "Update of resource type is not permitted.",
    )


def test_a_rotated_secret_is_no_change(lab: Lab) -> None:
    """A secret's new value alone changes no stack, as on AWS, though the template refers to it."""
    lab.client("secretsmanager").create_secret(Name="hush", SecretString="first")
    template = """
Resources:
  P:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: p, Value: '{{resolve:secretsmanager:hush}}'}
"""
    make(lab, template)
    assert lab.client("ssm").get_parameter(Name="p")["Parameter"]["Value"] == "first"
    lab.client("secretsmanager").put_secret_value(SecretId="hush", SecretString="second")
    assert propose(lab, template)["Status"] == "FAILED"
