"""The resource types of RDS: made, changed in place, read back, and deleted as AWS deletes them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.databasestack import CLUSTER, PRIMARY, RESTORED, SECONDARY
from tests.infra.described.databases import READERS
from tests.infra.lab.planelab import WEST, Lab, control_plane, make_network
from tests.infra.lab.quick_databases import quick_databases
from tests.infra.stacklab import change, given, live, make, settle, undescribed


@pytest.fixture(params=["at once", "in time"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Give an empty control plane, whose databases need no time or some."""
    with control_plane() as made:
        if request.param == "at once":
            yield made
        else:
            with quick_databases(made.plane):
                yield made


def subnets(lab: Lab) -> dict[str, str]:
    """Make two subnets; return them as parameters of the template."""
    vpc, first = make_network(lab)
    made = lab.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24", AvailabilityZone="us-east-1b")
    return {"Subnet": first, "Other": made["Subnet"]["SubnetId"]}


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    """Return a stack's outputs by name."""
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def test_every_property_is_described(lab: Lab) -> None:
    """What a template says of a database is what the Describe calls of RDS show, and what GetAtt gives."""
    stack = make(lab, CLUSTER, **subnets(lab))
    assert (stack["StackStatus"], stack.get("StackStatusReason")) == ("CREATE_COMPLETE", None)
    assert undescribed(lab, READERS) == []
    (cluster,) = lab.client("rds").describe_db_clusters()["DBClusters"]
    (instance,) = lab.client("rds").describe_db_instances()["DBInstances"]
    assert outputs(stack) == {
        "Cluster": "orders",
        "Arn": cluster["DBClusterArn"],
        "Resource": cluster["DbClusterResourceId"],
        "Endpoint": cluster["Endpoint"],
        "Port": "5433",
        "Reader": cluster["ReaderEndpoint"],
        "Secret": cluster["MasterUserSecret"]["SecretArn"],
        "Writer": instance["Endpoint"]["Address"],
    }


def test_changes_are_made_in_place(lab: Lab) -> None:
    """Capacity, retention, groups and tags change without another resource, as the reference says."""
    where = subnets(lab)
    make(lab, CLUSTER, **where)
    before = {name: one.made.physical_resource_id for name, one in live().items()}
    changed = {"Retention": "9", "Most": "8", "Protect": "true", "Note": "second", "Class": "db.r6g.large"}
    template = CLUSTER.replace("EnableCloudwatchLogsExports: [postgresql]", "EnableHttpEndpoint: true")
    template = template.replace("      EnableHttpEndpoint: true\n      NetworkType", "      NetworkType")
    stack = change(lab, template, **where, **changed)
    assert (stack["StackStatus"], stack.get("StackStatusReason")) == ("UPDATE_COMPLETE", None)
    assert undescribed(lab, READERS) == []
    assert {name: one.made.physical_resource_id for name, one in live().items()} == before
    (cluster,) = lab.client("rds").describe_db_clusters()["DBClusters"]
    assert cluster["EnabledCloudwatchLogsExports"] == []


def test_a_protected_cluster_stays(lab: Lab) -> None:
    """Its stack can't be deleted; without protection it goes, and leaves a final snapshot."""
    where = subnets(lab)
    stack_id = make(lab, CLUSTER, **where, Protect="true")["StackId"]
    formation, rds = lab.client("cloudformation"), lab.client("rds")
    formation.delete_stack(StackName=stack_id)
    failed = settle(lab, stack_id)
    assert failed["StackStatus"] == "DELETE_FAILED"
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    formation.delete_stack(StackName=stack_id)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert rds.describe_db_clusters()["DBClusters"] == []
    (kept,) = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert (kept["Status"], kept["SnapshotType"]) == ("available", "manual")
    assert {"Key": "note", "Value": "first"} in kept["TagList"]
    assert lab.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_global_database_in_two_stacks(lab: Lab) -> None:
    """One stack makes it of its cluster, the other joins; each is deleted after what depends on it."""
    stack = make(lab, PRIMARY, "p")
    assert outputs(stack)["Endpoint"].endswith(".global.rds.amazonaws.com")
    west = lab.client("cloudformation", WEST)
    west.create_stack(StackName="s", TemplateBody=SECONDARY)
    west_id = west.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    west.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1})
    assert undescribed(lab, READERS, "p") == []
    assert undescribed(lab, READERS, "s", WEST) == []
    primary, secondary = lab.now.clusters
    assert (primary.primary, secondary.primary) == ("", primary.resource)
    (group,) = lab.client("rds").describe_global_clusters()["GlobalClusters"]
    writers = {member["DBClusterArn"]: member["IsWriter"] for member in group["GlobalClusterMembers"]}
    assert sorted(writers.values()) == [False, True]
    west.delete_stack(StackName="s")
    west.get_waiter("stack_delete_complete").wait(StackName=west_id, WaiterConfig={"Delay": 0.1})
    lab.client("cloudformation").delete_stack(StackName="p")
    assert settle(lab, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert lab.now.clusters == ()
    assert lab.client("rds").describe_global_clusters()["GlobalClusters"] == []


def test_a_protected_global_database_stays(lab: Lab) -> None:
    """Its stack can't be deleted while it is protected, and its cluster stays a member."""
    stack_id = make(lab, PRIMARY, Protect="true")["StackId"]
    lab.client("cloudformation").delete_stack(StackName=stack_id)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_FAILED"
    (group,) = lab.client("rds").describe_global_clusters()["GlobalClusters"]
    assert len(group["GlobalClusterMembers"]) == 1
    lab.client("rds").modify_global_cluster(GlobalClusterIdentifier="world", DeletionProtection=False)
    lab.client("cloudformation").delete_stack(StackName=stack_id)
    assert settle(lab, stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_a_cluster_from_a_snapshot(lab: Lab) -> None:
    """What a restore does not take is changed after it; what it inherits is the snapshot's."""
    make(lab, PRIMARY, "p")
    rds = lab.client("rds")
    rds.create_db_cluster_snapshot(DBClusterIdentifier="east", DBClusterSnapshotIdentifier="kept")
    rds.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="kept", WaiterConfig={"Delay": 1}
    )
    stack = make(lab, RESTORED, Snapshot="kept")
    assert (stack["StackStatus"], stack.get("StackStatusReason")) == ("CREATE_COMPLETE", None)
    assert undescribed(lab, READERS) == []
    name = live()["Cluster"].made.physical_resource_id
    (found,) = [cluster for cluster in lab.now.clusters if cluster.id == name]
    assert (found.username, found.password, found.database) == ("keeper", "another-one", "shop")
    assert (found.min_acu, found.max_acu) == (1, 2)
    assert found.origin


def test_a_group_in_use_stays(lab: Lab) -> None:
    """Subnet group and parameter group can't be deleted while a cluster has them."""
    make(lab, CLUSTER, **subnets(lab))
    rds = lab.client("rds")
    with pytest.raises(ClientError, match="InvalidDBSubnetGroupStateFault"):
        rds.delete_db_subnet_group(DBSubnetGroupName="stores")
    settings = live()["Settings"].made.physical_resource_id
    with pytest.raises(ClientError, match="InvalidDBParameterGroupState"):
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=settings)


def test_a_template_that_aws_refuses(lab: Lab) -> None:
    """A serverless instance in a cluster without capacity fails its stack, which leaves nothing."""
    template = CLUSTER.replace(
        "ServerlessV2ScalingConfiguration: {MinCapacity: 0.5, MaxCapacity: !Ref Most}", ""
    )
    lab.client("cloudformation").create_stack(
        StackName="s",
        TemplateBody=template,
        Parameters=given(subnets(lab)),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack = settle(lab, "s")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert lab.client("rds").describe_db_clusters()["DBClusters"] == []
