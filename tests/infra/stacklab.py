"""Templates and stacks for the tests of the lab's CloudFormation."""

import time
from typing import Any

import pytest

from tests.infra.lab.planelab import Lab

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
        StackName=name, TemplateBody=template, Parameters=given(parameters)
    )
    return settle(lab, name)


def change(lab: Lab, template: str, name: str = "s", **parameters: str) -> dict[str, Any]:
    """Change a stack and wait for it."""
    lab.client("cloudformation").update_stack(
        StackName=name, TemplateBody=template, Parameters=given(parameters)
    )
    return settle(lab, name)


def given(parameters: dict[str, str]) -> list[dict[str, str]]:
    """Return parameters as the API takes them."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
