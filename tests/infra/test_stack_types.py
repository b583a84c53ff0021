"""Resource types of the lab's CloudFormation, and what the templates say."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from infra.lab.stacks.resource import TYPES
from infra.lab.stacks.template import parse
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_network
from tests.infra.stacklab import DATABASE, VPC, make, settle

TEMPLATES = sorted(item.name for item in (files("infra") / "stacks").iterdir() if item.name.endswith(".yaml"))


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def test_a_database_with_a_generated_password(lab: Lab) -> None:
    """The secret is made, replicated and resolved; the cluster has its password and the right group."""
    _, subnet = make_network(lab)
    stack = make(lab, DATABASE, Subnet=subnet)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    (cluster,) = lab.now.clusters
    assert (cluster.endpoint, cluster.subnet_ids) == (outputs["Endpoint"], (subnet,))
    text = lab.client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"]
    assert re.fullmatch(r'\{"username": "orders", "password": "\w{20}"\}', text)
    assert f'"{cluster.password}"' in text
    replica = outputs["Secret"].replace(EAST, WEST)
    assert lab.client("secretsmanager", WEST).get_secret_value(SecretId=replica)["SecretString"] == text
    groups = lab.client("rds").describe_db_subnet_groups(DBSubnetGroupName=outputs["Group"])
    assert len(groups["DBSubnetGroups"]) == 1


def test_a_clusters_deletion_policy(lab: Lab) -> None:
    """`Snapshot` leaves a final snapshot behind, and the replica of the secret goes with the secret."""
    _, subnet = make_network(lab)
    stack_id = make(lab, DATABASE, Subnet=subnet)["StackId"]
    lab.client("cloudformation").delete_stack(StackName=stack_id)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    kept = lab.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [item["DBClusterSnapshotIdentifier"].split("-snapshot-")[0] for item in kept] == ["s"]
    assert lab.client("secretsmanager", WEST).list_secrets()["SecretList"] == []


def test_a_type_that_only_moto_has(lab: Lab) -> None:
    """Types that the lab has not mended stay moto's own, with their attributes, and go with the stack."""
    template = """
Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {TopicName: alerts}}}
Outputs: {Arn: {Value: !Ref Topic}, Name: {Value: !GetAtt Topic.TopicName}}
"""
    stack = make(lab, template)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    assert outputs == {"Arn": "arn:aws:sns:us-east-1:123456789012:alerts", "Name": "alerts"}
    lab.client("cloudformation").delete_stack(StackName="s")
    settle(lab, stack["StackId"])
    assert lab.client("sns").list_topics()["Topics"] == []


def test_exports_are_known_when_the_stack_is_there(lab: Lab) -> None:
    """Another stack can import what one exports, until it is deleted."""
    exported = VPC.replace("Vpc: {Value: !Ref Vpc}", "Vpc: {Value: !Ref Vpc, Export: {Name: the-vpc}}")
    make(lab, exported)
    importing = """
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !ImportValue the-vpc, CidrBlock: 10.1.7.0/24}
"""
    assert make(lab, importing, "i")["StackStatus"] == "CREATE_COMPLETE"
    assert sorted(subnet.cidr for subnet in lab.now.subnets) == ["10.1.1.0/24", "10.1.7.0/24"]


def test_a_peering_of_two_regions_is_accepted(lab: Lab) -> None:
    """Within one account a stack's peering with another region is active when the stack is there."""
    vpc, _ = make_network(lab, EAST, "10.1.0.0/16")
    peer, _ = make_network(lab, WEST, "10.2.0.0/16")
    template = """
Parameters: {Vpc: {Type: String}, Peer: {Type: String}}
Resources:
  P:
    Type: AWS::EC2::VPCPeeringConnection
    Properties: {VpcId: !Ref Vpc, PeerVpcId: !Ref Peer, PeerRegion: us-west-2}
"""
    make(lab, template, Vpc=vpc, Peer=peer)
    assert [(item.status, item.requester_vpc, item.accepter_vpc) for item in lab.now.peerings] == [
        ("active", vpc, peer)
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_use_only_types_of_the_lab(name: str) -> None:
    """Every resource of a template is made through the API, as CloudFormation makes it."""
    with control_plane():
        template = parse((files("infra") / "stacks" / name).read_text(encoding="utf-8"))
        assert {resource["Type"] for resource in template["Resources"].values()} <= set(TYPES)
