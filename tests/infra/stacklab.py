"""Templates and stacks for the tests of the lab's CloudFormation."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from moto.cloudformation.models import cloudformation_backends

from infra.lab.stacks.live import Live, live_of
from tests.infra.described.reader import Reader, differences
from tests.infra.lab.planelab import EAST, Lab

VPC = """
Parameters:
  Second: {Type: Number, Default: 1}
Conditions:
  Gateway: !Equals [!Ref Second, 2]
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: !Sub "10.${Second}.1.0/24"}
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: !Join ["", ["10.", !Ref Second, ".0.0/16"]]
      Tags: [{Key: a, Value: b}]
  Gateway:
    Type: AWS::EC2::InternetGateway
    Condition: Gateway
Outputs:
  Vpc: {Value: !Ref Vpc}
  Cidr: {Value: !GetAtt Vpc.CidrBlock}
"""

DATABASE = """
Parameters: {Subnet: {Type: String}}
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{"username": "orders"}'
        GenerateStringKey: password
        PasswordLength: 20
        ExcludePunctuation: true
      ReplicaRegions: [{Region: us-west-2}]
  Group:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {DBSubnetGroupDescription: g, SubnetIds: [!Ref Subnet]}
  Cluster:
    Type: AWS::RDS::DBCluster
    DeletionPolicy: Snapshot
    Properties:
      Engine: aurora-postgresql
      MasterUsername: orders
      MasterUserPassword: !Sub "{{resolve:secretsmanager:${Secret}:SecretString:password}}"
      DBSubnetGroupName: !Ref Group
  Writer:
    Type: AWS::RDS::DBInstance
    Properties: {DBClusterIdentifier: !Ref Cluster, Engine: aurora-postgresql, DBInstanceClass: db.t4g.medium}
Outputs:
  Group: {Value: !Ref Group}
  Endpoint: {Value: !GetAtt Cluster.Endpoint.Address}
  Secret: {Value: !Ref Secret}
"""


def settle(lab: Lab, name: str) -> dict[str, Any]:
    """Return a stack once it rests."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        stack: dict[str, Any] = lab.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.01)
    pytest.fail(f"stack {name} never came to rest")


def make(lab: Lab, template: str, name: str = "s", **parameters: str) -> dict[str, Any]:
    """Make a stack and wait for it."""
    lab.client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=given(parameters),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return settle(lab, name)


def change(lab: Lab, template: str, name: str = "s", **parameters: str) -> dict[str, Any]:
    """Change a stack and wait for it."""
    lab.client("cloudformation").update_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=given(parameters),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return settle(lab, name)


def given(parameters: dict[str, str]) -> list[dict[str, str]]:
    """Return parameters as the API takes them."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def events(lab: Lab, name: str = "s") -> list[tuple[str, str, str]]:
    """Return a stack's events, the first one first."""
    found = lab.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        (item["LogicalResourceId"], item["ResourceStatus"], item.get("ResourceStatusReason", ""))
        for item in reversed(found)
    ]


def live(name: str = "s", region: str = EAST) -> dict[str, Live]:
    """Return what a stack has, by the names in its template."""
    stacks = cloudformation_backends["123456789012"][region].stacks.values()
    return live_of(next(stack for stack in stacks if stack.name == name))


def undescribed(lab: Lab, readers: Mapping[str, Reader], name: str = "s", region: str = EAST) -> list[str]:
    """Return a line for each property of a stack that its service does not show as declared.

    Types without a reader are left out.
    """
    return [
        f"{resource}.{line}"
        for resource, one in live(name, region).items()
        if one.kind.name in readers
        for line in _differences(lab, region, one, readers[one.kind.name])
    ]


def _differences(lab: Lab, region: str, one: Live, read: Reader) -> list[str]:
    declared = one.request.properties.values_as_given()
    return differences(declared, read(lab.client, region, one.made.physical_resource_id, declared))
