"""What a template's functions and conditions give, as CloudFormation's reference says."""

from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError

from infra.lab.stacks.resource import Made
from infra.lab.stacks.scope import NotYetKnown, Place, Scope
from infra.lab.stacks.template import needs, parse, references

TEMPLATE = """
Parameters:
  Count: {Type: Number, Default: 3}
  Cidrs: {Type: CommaDelimitedList, Default: "10.0.0.0/24, 10.0.1.0/24"}
  Enabled: {Type: String, Default: "true"}
  Empty: {Type: String, Default: ""}
Mappings:
  Sizes: {us-east-1: {small: t3.micro}}
Conditions:
  Three: !Equals [!Ref Count, "3"]
  Stopped: !Not [!Equals [!Ref Enabled, true]]
  Both: !And [!Condition Three, !Not [!Condition Stopped]]
  Either: !Or [!Condition Stopped, !Equals [!Join [",", !Ref Cidrs], "x"]]
Resources:
  Cluster: {Type: "AWS::RDS::DBCluster"}
  Later: {Type: "AWS::SQS::Queue"}
  Never: {Type: "AWS::SQS::Queue", Condition: Stopped}
"""


def scope(text: str = TEMPLATE, **given: str) -> Scope:
    """Return a scope with one resource made."""
    place = Place(
        "123456789012",
        "us-east-1",
        "arn:stack",
        "s",
        lambda: {"the-vpc": "vpc-1"},
        lambda region: [f"{region}a"],
    )
    found = Scope(parse(text), given, place)
    found.resources["Cluster"] = Made("cluster-1", {"Endpoint.Address": "db.test", "Port": 5432})
    return found


def worked(expression: str) -> Any:
    """Return what a value in a template gives."""
    return scope().value(parse(f"Value: {expression}")["Value"])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Count", 3),
        ("!Ref Cidrs", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Cluster", "cluster-1"),
        ("!GetAtt Cluster.Endpoint.Address", "db.test"),
        ("!GetAtt [Cluster, Endpoint.Address]", "db.test"),
        ("!Sub '${Cluster}:${Cluster.Endpoint.Address}:${AWS::AccountId}'", "cluster-1:db.test:123456789012"),
        ("!Sub '${!Cluster} ${Count}'", "${Cluster} 3"),
        ("!Sub ['${A}-${Cluster}', {A: !Ref Count}]", "3-cluster-1"),
        ('!Sub \'{"a": "${Count}"}\'', '{"a": "3"}'),
        ("!Join ['/', [a, !Ref Count, true]]", "a/3/true"),
        ("!Select [1, !Ref Cidrs]", "10.0.1.0/24"),
        ("!Select [1, !Split ['/', 'a/b']]", "b"),
        ("!FindInMap [Sizes, !Ref 'AWS::Region', small]", "t3.micro"),
        ("!GetAZs ''", ["us-east-1a"]),
        ("!GetAZs us-west-2", ["us-west-2a"]),
        ("!ImportValue the-vpc", "vpc-1"),
        ("!Base64 hello", "aGVsbG8="),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!If [Three, yes-it-is, no-it-is-not]", "yes-it-is"),
        ("{A: !If [Stopped, 1, !Ref 'AWS::NoValue'], B: 2}", {"B": 2}),
        ("[1, !Ref 'AWS::NoValue', 3]", [1, 3]),
        ("!ToJsonString {A: !Ref Count}", '{"A": 3}'),
    ],
)
def test_functions(expression: str, value: object) -> None:
    """Each function gives what the reference says."""
    assert worked(expression) == value


def test_conditions() -> None:
    """Values are compared as text; conditions name one another."""
    found = {name: scope().condition(name) for name in ("Three", "Stopped", "Both", "Either")}
    assert found == {"Three": True, "Stopped": False, "Both": True, "Either": False}
    assert scope(Enabled="false").condition("Stopped")
    assert set(scope().wanted()) == {"Cluster", "Later"}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("!Select [5, !Ref Cidrs]", "Fn::Select cannot select nonexistent value at index 5"),
        ("!FindInMap [Sizes, nowhere, small]", "Unable to get mapping for Sizes::nowhere::small"),
        ("!ImportValue nothing", "No export named nothing found"),
        ("!If [Nothing, 1, 2]", "unresolved condition dependency Nothing"),
        ("!Ref Never", "Unresolved resource dependencies [Never]"),
        ("{'Fn::Magic': 1}", "the lab does not know Fn::Magic"),
    ],
)
def test_what_can_not_be_worked_out(expression: str, text: str) -> None:
    """A function that asks for what is not there says so."""
    with pytest.raises(ValidationError) as refused:
        worked(expression)
    assert text in refused.value.message


def test_what_is_not_made_yet_is_not_known() -> None:
    """A value of a resource to come is told apart from a wrong one."""
    for expression in ("!Ref Later", "!Sub 'x ${Later.Arn}'"):
        with pytest.raises(NotYetKnown, match="Later"):
            worked(expression)


def test_references() -> None:
    """Everything that a value depends on is found, also within a text, but not what that defines."""
    value = parse("Value: {A: !Ref P, B: !Sub ['${Own} ${Q.Arn} ${!R}', {Own: !GetAtt S.A.B}]}")["Value"]
    assert set(references(value)) == {("P", ""), ("Q", "Arn"), ("S", "A.B")}


def test_needs() -> None:
    """A resource needs what it refers to and what it depends on."""
    text = "Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, Metadata: !GetAtt C.Arn}, C: {Type: T}}"
    assert needs(parse(text)) == {"A": {"B"}, "B": {"C"}, "C": set()}
