"""RDS statuses: a cluster is available when its database runs, and not before."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab import world
from infra.lab.control_plane import cluster_snapshots
from tests.infra.lab.planelab import EAST, WEST, Lab, control_plane, make_network


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give an empty control plane."""
    with control_plane() as made:
        yield made


def cluster(lab: Lab) -> None:
    """Make a cluster."""
    lab.client("rds").create_db_cluster(
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        MasterUsername="u",
        MasterUserPassword="first-one",
    )


def instance(lab: Lab, name: str) -> None:
    """Make an instance of the cluster."""
    lab.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        DBInstanceClass="db.t4g.medium",
    )


def statuses(lab: Lab) -> tuple[str, list[str]]:
    """Return what the Describe calls show of the cluster and of its instances."""
    rds = lab.client("rds")
    shown = rds.describe_db_clusters(DBClusterIdentifier="c")["DBClusters"][0]["Status"]
    instances = rds.describe_db_instances()["DBInstances"]
    return shown, [item["DBInstanceStatus"] for item in instances]


def report(lab: Lab, state: str, *served: str, behind: int = 0) -> None:
    """Report as the cluster's database would; ``behind`` so many modifications."""
    (found,) = lab.now.clusters
    said = world.DatabaseReport(EAST, "c", found.resource, state, served, found.revision - behind)
    lab.plane.report_database(said)


def test_without_physics_everything_is_available_at_once(lab: Lab) -> None:
    """Nobody would ever report a database, so nobody waits for one."""
    cluster(lab)
    instance(lab, "i")
    assert statuses(lab) == ("available", ["available"])


def test_a_cluster_with_an_instance_waits_for_its_database(lab: Lab) -> None:
    """Its instance stays `creating` however often it is described, until the physics say `available`."""
    lab.plane.follow_databases()
    cluster(lab)
    assert statuses(lab) == ("creating", [])
    report(lab, "laid")
    assert statuses(lab) == ("available", [])
    instance(lab, "i")
    assert [statuses(lab) for _ in range(3)] == [("available", ["creating"])] * 3
    told = lab.changes_of(lambda: report(lab, "up", "i"))
    assert statuses(lab) == ("available", ["available"])
    assert told == 1


def test_a_reader_does_not_make_the_cluster_wait(lab: Lab) -> None:
    """A second instance is `creating` by itself while the cluster serves."""
    lab.plane.follow_databases()
    cluster(lab)
    instance(lab, "i")
    report(lab, "up", "i")
    instance(lab, "reader")
    assert statuses(lab) == ("available", ["available", "creating"])
    assert [item.instances for item in lab.now.clusters] == [("i", "reader")]


def test_a_status_for_a_cluster_that_is_gone_is_ignored(lab: Lab) -> None:
    """A report that comes late does no harm."""
    lab.plane.set_cluster_status(EAST, "gone", "available")
    assert lab.now.clusters == ()


def test_the_password_in_force_is_known(lab: Lab) -> None:
    """The physics see the master password, also after it was changed, and no text shows it."""
    cluster(lab)
    lab.client("rds").modify_db_cluster(
        DBClusterIdentifier="c", MasterUserPassword="second-one", ApplyImmediately=True
    )
    (found,) = lab.now.clusters
    assert (found.username, found.password) == ("u", "second-one")
    assert "second-one" not in repr(found)


def test_modifying_takes_until_it_is_in_force(lab: Lab) -> None:
    """A cluster is `modifying` until its database reports the change, and takes no other one meanwhile."""
    cluster(lab)
    lab.plane.follow_databases()
    lab.client("rds").modify_db_cluster(DBClusterIdentifier="c", BackupRetentionPeriod=3)
    assert statuses(lab) == ("modifying", [])
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        lab.client("rds").modify_db_cluster(DBClusterIdentifier="c", BackupRetentionPeriod=4)
    report(lab, "down", behind=1)
    assert statuses(lab) == ("modifying", [])
    report(lab, "down")
    assert statuses(lab) == ("available", [])


def test_modifying_one_that_is_not_there_is_refused(lab: Lab) -> None:
    """The error is AWS's own."""
    with pytest.raises(ClientError, match="DBClusterNotFoundFault"):
        lab.client("rds").modify_db_cluster(DBClusterIdentifier="none", BackupRetentionPeriod=3)


def test_subnets_and_vpc_come_from_the_subnet_group(lab: Lab) -> None:
    """The physics see where a cluster is."""
    vpc, subnet = make_network(lab)
    rds = lab.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="g", SubnetIds=[subnet])
    rds.create_db_cluster(
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        MasterUsername="u",
        MasterUserPassword="first-one",
        DBSubnetGroupName="g",
        DatabaseName="orders",
        Port=5433,
    )
    (found,) = lab.now.clusters
    assert (found.vpc_id, found.subnet_ids, found.database, found.port) == (vpc, (subnet,), "orders", 5433)
    assert found.endpoint.startswith("c.cluster-")


def refused(lab: Lab, code: str, region: str = EAST, **options: Any) -> None:
    """Expect that a cluster can't be made, and that nothing of it is there."""
    wanted = {"DBClusterIdentifier": "new", "Engine": "aurora-postgresql", **options}
    rds = lab.client("rds", region)
    before = len(rds.describe_db_clusters()["DBClusters"])
    with pytest.raises(ClientError, match=code):
        rds.create_db_cluster(**wanted)
    assert len(rds.describe_db_clusters()["DBClusters"]) == before


def test_clusters_that_aws_refuses(lab: Lab) -> None:
    """Names that are taken or reserved, groups that are not there, capacities that make no sense."""
    cluster(lab)
    login = {"MasterUsername": "u", "MasterUserPassword": "first-one"}
    refused(lab, "DBClusterAlreadyExistsFault", **{**login, "DBClusterIdentifier": "C"})
    refused(lab, "InvalidParameterValue", MasterUsername="rdsadmin", MasterUserPassword="first-one")
    refused(lab, "DBSubnetGroupNotFoundFault", DBSubnetGroupName="none", **login)
    refused(lab, "DBClusterParameterGroupNotFound", DBClusterParameterGroupName="none", **login)
    for low, high in ((2, 1), (0.3, 1), (1, 300)):
        capacity = {"MinCapacity": low, "MaxCapacity": high}
        refused(lab, "InvalidParameterValue", ServerlessV2ScalingConfiguration=capacity, **login)
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        lab.client("rds").create_db_instance(
            DBInstanceIdentifier="i",
            DBClusterIdentifier="c",
            Engine="aurora-postgresql",
            DBInstanceClass="db.serverless",
        )


def test_a_parameter_group_is_for_one_engine(lab: Lab) -> None:
    """A cluster takes a group of its own engine's family only."""
    rds = lab.client("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="old", DBParameterGroupFamily="aurora-postgresql14", Description="old"
    )
    refused(
        lab,
        "InvalidParameterCombination",
        EngineVersion="16.6",
        DBClusterParameterGroupName="old",
        MasterUsername="u",
        MasterUserPassword="first-one",
    )


def test_a_secondary_has_what_its_primary_has(lab: Lab) -> None:
    """Users and database come from the primary, an encrypted one needs a key, and a region has one member."""
    rds = lab.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="u",
        MasterUserPassword="first-one",
        StorageEncrypted=True,
    )
    arn = rds.describe_db_clusters()["DBClusters"][0]["DBClusterArn"]
    rds.create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=arn)
    joins, code = {"GlobalClusterIdentifier": "world"}, "InvalidParameterCombination"
    refused(lab, code, WEST, MasterUsername="u", **joins)
    refused(lab, code, WEST, MasterUserPassword="first-one", **joins)
    refused(lab, code, WEST, DatabaseName="orders", **joins)
    refused(lab, code, WEST, **joins)
    refused(lab, code, EAST, KmsKeyId="alias/aws/rds", **joins)
    refused(lab, "GlobalClusterNotFoundFault", WEST, GlobalClusterIdentifier="none")
    lab.client("rds", WEST).create_db_cluster(
        DBClusterIdentifier="w", Engine="aurora-postgresql", KmsKeyId="alias/aws/rds", **joins
    )
    first, second = lab.now.clusters
    assert (second.primary, second.password, second.username) == (first.resource, "first-one", "u")
    assert (bool(first.endpoint), second.endpoint) == (True, "")
    assert first.names
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        lab.client("rds", WEST).modify_db_cluster(DBClusterIdentifier="w", MasterUserPassword="second-one")
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.stop_db_cluster(DBClusterIdentifier="c")
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.switchover_global_cluster(GlobalClusterIdentifier="world", TargetDbClusterIdentifier=arn)


def test_a_subnet_group_can_change(lab: Lab) -> None:
    """A changed group is still there; subnets in use stay."""
    vpc, first = make_network(lab)
    second = lab.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    rds, named = lab.client("rds"), {"DBSubnetGroupName": "g"}
    rds.create_db_subnet_group(**named, DBSubnetGroupDescription="g", SubnetIds=[first])
    rds.modify_db_subnet_group(**named, SubnetIds=[first, second])
    (found,) = rds.describe_db_subnet_groups(**named)["DBSubnetGroups"]
    assert [item["SubnetIdentifier"] for item in found["Subnets"]] == [first, second]
    rds.create_db_cluster(
        DBClusterIdentifier="c",
        Engine="aurora-postgresql",
        MasterUsername="u",
        MasterUserPassword="first-one",
        **named,
    )
    with pytest.raises(ClientError, match="SubnetAlreadyInUse"):
        rds.modify_db_subnet_group(**named, SubnetIds=[first])


def test_snapshots_of_aws_backup_are_not_listed(lab: Lab) -> None:
    """They are shown by kind, by name and by ARN, and only their own service deletes them."""
    cluster(lab)
    made = cluster_snapshots.take(EAST, "c", "awsbackup:job-1", kind="awsbackup")
    rds = lab.client("rds")

    def shown(**asked: str) -> list[str]:
        found = rds.describe_db_cluster_snapshots(**asked)["DBClusterSnapshots"]
        return [item["DBClusterSnapshotIdentifier"] for item in found]

    assert shown() == shown(DBClusterIdentifier="c") == []
    name = ["awsbackup:job-1"]
    assert shown(SnapshotType="awsbackup") == name
    assert shown(DBClusterSnapshotIdentifier=name[0]) == shown(DBClusterSnapshotIdentifier=made.arn) == name
    with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name[0])
    cluster_snapshots.delete(EAST, name[0])
    assert shown(SnapshotType="awsbackup") == []
