"""Clusters that are stopped, started, changed, failed over and deleted, with servers that really run."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.databaselab import WRONG_PASSWORD, server_pid
from tests.infra.lab.planelab import EAST
from tests.infra.lab.processes import alive
from tests.infra.lab.rdslab import RdsLab, until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RdsLab]:
    """Give a control plane with running databases."""
    with RdsLab(tmp_path_factory.mktemp("databases")).running() as made:
        yield made


@pytest.fixture
def lab(shared: RdsLab) -> Iterator[RdsLab]:
    """Give it to one test, empty."""
    yield from shared.alone()


def test_a_stopped_cluster_has_no_server_and_keeps_its_rows(lab: RdsLab) -> None:
    """Stopping and starting pass through their own states; in between nothing runs."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    pid = server_pid(lab.socket())
    rds, name = lab.rds(), {"DBClusterIdentifier": "orders"}
    assert rds.stop_db_cluster(**name)["DBCluster"]["Status"] == "stopping"
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.start_db_cluster(**name)
    until(lambda: lab.cluster()["Status"] == "stopped")
    assert lab.instance("orders-1")["DBInstanceStatus"] == "stopped"
    assert not alive(pid)
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.stop_db_cluster(**name)
    assert rds.start_db_cluster(**name)["DBCluster"]["Status"] == "starting"
    lab.settled()
    assert lab.instance("orders-1")["DBInstanceStatus"] == "available"
    assert lab.ask("SELECT n FROM kept") == [[7]]


def test_a_failover_changes_the_writer(lab: RdsLab) -> None:
    """Connections are lost, the instance of the lowest tier becomes the writer, and the rows stay."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    rds = lab.rds()
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        rds.failover_db_cluster(DBClusterIdentifier="orders")
    lab.add_instance(instance="orders-2")
    lab.add_instance(instance="orders-3")
    rds.modify_db_instance(DBInstanceIdentifier="orders-3", PromotionTier=0, ApplyImmediately=True)
    pid = server_pid(lab.socket())
    shown = rds.failover_db_cluster(DBClusterIdentifier="orders")["DBCluster"]
    assert shown["Status"] == "failing-over"
    lab.settled()
    assert not alive(pid)
    members = {
        item["DBInstanceIdentifier"]: item["IsClusterWriter"] for item in lab.cluster()["DBClusterMembers"]
    }
    assert members == {"orders-1": False, "orders-2": False, "orders-3": True}
    assert lab.ask("SELECT n FROM kept") == [[7]]
    rds.failover_db_cluster(DBClusterIdentifier="orders", TargetDBInstanceIdentifier="orders-1")
    lab.settled()
    assert lab.plane.snapshot().clusters[0].instances[0] == "orders-1"


def test_a_reboot_restarts_the_server(lab: RdsLab) -> None:
    """The writer is `rebooting` until its server accepts connections again."""
    lab.make()
    pid = server_pid(lab.socket())
    answer = lab.rds().reboot_db_instance(DBInstanceIdentifier="orders-1")
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"
    until(lambda: lab.instance("orders-1")["DBInstanceStatus"] == "available")
    assert server_pid(lab.socket()) != pid


def test_a_changed_password_shows_until_it_is_in_force(lab: RdsLab) -> None:
    """The cluster is `resetting-master-credentials`; when it is available only the new one works."""
    lab.make()
    changed = lab.rds().modify_db_cluster(DBClusterIdentifier="orders", MasterUserPassword="second-one")
    assert changed["DBCluster"]["Status"] == "resetting-master-credentials"
    lab.settled()
    assert lab.ask("SELECT 1", password="second-one") == [[1]]
    assert lab.refusal("SELECT 1") == WRONG_PASSWORD


def test_a_renamed_cluster_is_the_same(lab: RdsLab) -> None:
    """With another name it has the same server and the same rows; the old name is unknown."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    pid = server_pid(lab.socket())
    lab.rds().modify_db_cluster(
        DBClusterIdentifier="orders", NewDBClusterIdentifier="sales", ApplyImmediately=True
    )
    lab.settled("sales")
    assert server_pid(lab.socket("sales")) == pid
    assert lab.ask("SELECT n FROM kept", "sales") == [[7]]
    with pytest.raises(ClientError, match="DBClusterNotFoundFault"):
        lab.cluster("orders")


def test_what_can_wait_waits_for_the_maintenance_window(lab: RdsLab) -> None:
    """Without ApplyImmediately another engine version is pending, and the present one stays."""
    lab.make()
    lab.rds().modify_db_cluster(DBClusterIdentifier="orders", EngineVersion="16.9", BackupRetentionPeriod=3)
    shown = lab.settled()
    assert (shown["EngineVersion"], shown["BackupRetentionPeriod"]) == ("16.6", 3)
    assert shown["PendingModifiedValues"] == {"EngineVersion": "16.9"}


def test_a_deletion_takes_its_time_and_leaves_nothing(lab: RdsLab) -> None:
    """An instance is `deleting` until its server is gone, a cluster until its files are."""
    lab.make()
    socket = lab.socket()
    pid, rds = server_pid(socket), lab.rds()
    with pytest.raises(ClientError, match="in non-deleting state"):
        rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    gone = rds.delete_db_instance(DBInstanceIdentifier="orders-1", SkipFinalSnapshot=True)
    assert gone["DBInstance"]["DBInstanceStatus"] == "deleting"
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.delete_db_cluster(DBClusterIdentifier="orders")
    gone = rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert gone["DBCluster"]["Status"] == "deleting"
    until(lambda: rds.describe_db_clusters()["DBClusters"] == [])
    assert rds.describe_db_instances()["DBInstances"] == []
    assert not alive(pid)
    assert not socket.parent.exists()


def test_an_instance_that_never_came_to_be_goes(lab: RdsLab) -> None:
    """Deleted while it is still being created, as by the undo of a drill that was killed, it is gone too."""
    lab.rds().create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="keeper",
        MasterUserPassword="first-one",
    )
    lab.settled()
    for turn in range(4):
        lab.rds().create_db_instance(
            DBInstanceIdentifier="orders-1",
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
        if turn % 2:  # else it came and went before anybody looked
            until(lambda: bool(lab.plane.snapshot().clusters[0].instances))
        lab.rds().delete_db_instance(DBInstanceIdentifier="orders-1", SkipFinalSnapshot=True)
        until(lambda: not lab.rds().describe_db_instances()["DBInstances"])


def test_the_same_name_again_is_another_database(lab: RdsLab) -> None:
    """A cluster that is made after one of its name was deleted begins empty."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    rds = lab.rds()
    rds.delete_db_instance(DBInstanceIdentifier="orders-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    until(lambda: rds.describe_db_clusters()["DBClusters"] == [])
    lab.make()
    assert lab.refusal("SELECT n FROM kept") == "42P01"


def test_a_key_that_can_not_be_used_makes_no_cluster(lab: RdsLab) -> None:
    """Without its key nothing is made, not even in part."""
    kms = lab.aws.client("kms", EAST)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    managed: dict[str, Any] = {"MasterUserPassword": None, "ManageMasterUserPassword": True}
    for wanted in ({"StorageEncrypted": True, "KmsKeyId": key}, {"MasterUserSecretKmsKeyId": key}):
        with pytest.raises(ClientError, match="KMSKeyNotAccessibleFault"):
            lab.make(**managed, **wanted)
    assert lab.rds().describe_db_clusters()["DBClusters"] == []
    assert lab.aws.client("secretsmanager", EAST).list_secrets()["SecretList"] == []
