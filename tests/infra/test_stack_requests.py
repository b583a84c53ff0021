"""What CloudFormation refuses at once, in AWS's words."""

import re
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import Lab, control_plane
from tests.infra.stacklab import VPC, make, settle


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Resources: {X: {Type: 'AWS::Made::Up'}}", "Unrecognized resource types: [AWS::Made::Up]"),
        (VPC.replace("!Ref Vpc, C", "!Ref Nothing, C"), "Unresolved resource dependencies [Nothing]"),
        ("Resources: [", "Template format error"),
        (
            VPC.replace("Type: AWS::EC2::VPC", "Type: AWS::EC2::VPC\n    DependsOn: Subnet"),
            "Circular dependency between resources: [Subnet, Vpc]",
        ),
    ],
)
def test_a_template_that_can_not_work_is_refused(lab: Lab, template: str, text: str) -> None:
    """AWS's own words come back at once, and there is no stack."""
    with pytest.raises(ClientError, match=re.escape(text)) as refused:
        lab.client("cloudformation").create_stack(StackName="s", TemplateBody=template)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert lab.client("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"Nothing": "1"}, "Parameters: [Nothing] do not exist in the template"),
        ({}, "Parameters: [Size] must have values"),
        ({"Size": "x"}, "Parameter 'Size' must be a number."),
        ({"Size": "9"}, "Parameter 'Size' must be a number not greater than 5"),
        ({"Size": "3", "Kind": "c"}, "Parameter 'Kind' must be one of AllowedValues"),
        ({"Size": "3", "Cidrs": "10.0.0.0, x"}, "Parameter 'Cidrs' failed to satisfy constraint: a CIDR"),
    ],
)
def test_parameters_that_can_not_work_are_refused(lab: Lab, parameters: dict[str, str], text: str) -> None:
    """Unknown, missing and wrong parameters come back at once, in AWS's words."""
    template = """
Parameters:
  Size: {Type: Number, MinValue: 1, MaxValue: 5}
  Kind: {Type: String, AllowedValues: [a, b], Default: a}
  Cidrs: {Type: CommaDelimitedList, Default: 10.0.0.0/8,
    AllowedPattern: '[0-9./]+', ConstraintDescription: a CIDR}
Resources: {Queue: {Type: 'AWS::SQS::Queue'}}
"""
    with pytest.raises(ClientError, match=re.escape(text)):
        make(lab, template, **parameters)


def test_roles_need_a_word(lab: Lab) -> None:
    """A template that makes roles is refused unless its sender says that it may."""
    template = "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {}}}}"
    named = template.replace("{Assume", "{RoleName: r, Assume")
    formation = lab.client("cloudformation")
    for text, said, wanted in ((template, [], "IAM"), (named, ["CAPABILITY_IAM"], "NAMED_IAM")):
        with pytest.raises(ClientError, match=re.escape(f"[CAPABILITY_{wanted}]")) as refused:
            formation.create_stack(StackName="s", TemplateBody=text, Capabilities=said)
        assert refused.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"
    formation.create_stack(StackName="s", TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    assert settle(lab, "s")["Capabilities"] == ["CAPABILITY_IAM"]
