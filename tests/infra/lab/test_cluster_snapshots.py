"""Snapshots of clusters whose databases really run: what is in them, and what becomes of it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import EAST, WEST
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


def key(lab: RdsLab, region: str) -> str:
    """Make a key and return its ARN."""
    arn: str = lab.aws.client("kms", region).create_key()["KeyMetadata"]["Arn"]
    return arn


def restore(lab: RdsLab, snapshot: str, name: str, region: str, **options: Any) -> None:
    """Restore a cluster and give it an instance."""
    lab.rds(region).restore_db_cluster_from_snapshot(
        DBClusterIdentifier=name, SnapshotIdentifier=snapshot, Engine="aurora-postgresql", **options
    )
    lab.settled(name, region)
    lab.add_instance(name, region)


def test_rows_survive_a_copy_to_the_other_region(lab: RdsLab) -> None:
    """Snapshot, copy, restore: the rows, the master user and the roles are there, in the other region."""
    lab.make(StorageEncrypted=True)
    lab.ask("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    lab.ask("CREATE ROLE app LOGIN PASSWORD 'of-the-app'")
    lab.ask("GRANT SELECT ON kept TO app")
    lab.rds().create_db_cluster_snapshot(DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="s")
    source = lab.taken("s")
    lab.rds(WEST).copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=source["DBClusterSnapshotArn"],
        TargetDBClusterSnapshotIdentifier="copy",
        KmsKeyId=(there := key(lab, WEST)),
    )
    copy = lab.taken("copy", WEST)
    assert (copy["KmsKeyId"], copy["SourceDBClusterSnapshotArn"]) == (there, source["DBClusterSnapshotArn"])
    restore(lab, "copy", "again", WEST)
    shown = lab.cluster("again", WEST)
    assert (shown["MasterUsername"], shown["DatabaseName"], shown["KmsKeyId"]) == ("keeper", "shop", there)
    assert lab.ask("SELECT sum(n) FROM kept", "again", WEST) == [[500500]]
    assert lab.ask("SELECT count(*) FROM kept", "again", WEST, user="app", password="of-the-app") == [[1000]]
    lab.ask("INSERT INTO kept VALUES (0)", "again", WEST)
    assert [event["cluster"] for event in lab.events("database_restored")] == ["again"]


def test_a_snapshot_holds_an_instants_data(lab: RdsLab) -> None:
    """Every row committed until SnapshotCreateTime is in it, none of those after, as the truth log says."""
    lab.make()
    lab.ask("CREATE TABLE beats (n serial PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())")
    lab.rds().create_db_cluster_snapshot(DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="s")
    while lab.snapshot("s")["Status"] != "available":
        lab.ask("INSERT INTO beats DEFAULT VALUES")
    for _ in range(2):
        lab.ask("INSERT INTO beats DEFAULT VALUES")
    taken_at = lab.snapshot("s")["SnapshotCreateTime"]
    restore(lab, "s", "again", EAST)
    rows = [row[0] for row in lab.ask("SELECT at FROM beats ORDER BY at")]
    kept = [row[0] for row in lab.ask("SELECT at FROM beats ORDER BY at", "again")]
    assert 0 < len(kept) < len(rows)
    assert kept == rows[: len(kept)]
    # A row notes the time just before its commit.
    assert kept[-1] <= taken_at
    assert taken_at < rows[len(kept) + 1]
    (event,) = lab.events("snapshot_taken")
    ago_s = (time.monotonic_ns() - int(str(event["at_ns"]))) / 1e9
    assert abs((datetime.now(UTC) - taken_at).total_seconds() - ago_s) < 1
    (told,) = lab.events("rows_restored")
    assert ("again", "shop", "beats") == (told["cluster"], told["database"], told["table"])
    assert [[str(n + 1)] for n in range(len(kept))] == told["keys"]


def test_a_snapshot_outlives_its_cluster(lab: RdsLab) -> None:
    """A final snapshot holds what the cluster held last, though nothing runs any more."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    lab.rds().delete_db_instance(DBInstanceIdentifier="orders-1", SkipFinalSnapshot=True)
    until(lambda: not lab.serves())
    lab.rds().delete_db_cluster(DBClusterIdentifier="orders", FinalDBSnapshotIdentifier="final")
    lab.taken("final")
    until(lambda: lab.rds().describe_db_clusters()["DBClusters"] == [])
    assert lab.rds().describe_db_instances()["DBInstances"] == []
    restore(lab, "final", "orders", EAST)
    assert lab.ask("SELECT n FROM kept") == [[7]]


def test_a_copy_needs_a_key_of_its_own_region(lab: RdsLab) -> None:
    """An encrypted snapshot is copied to another region under a key of that region, or not at all."""
    lab.make(StorageEncrypted=True)
    lab.rds().create_db_cluster_snapshot(DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="s")
    arn = lab.snapshot("s")["DBClusterSnapshotArn"]
    wanted = {"SourceDBClusterSnapshotIdentifier": arn, "TargetDBClusterSnapshotIdentifier": "copy"}
    rds = lab.rds(WEST)
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Must specify new KMS key"):
        rds.copy_db_cluster_snapshot(**wanted)
    with pytest.raises(ClientError, match="KMSKeyNotAccessibleFault"):
        rds.copy_db_cluster_snapshot(**wanted, KmsKeyId=key(lab, EAST))
    with pytest.raises(ClientError, match="DBClusterSnapshotNotFoundFault"):
        rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier="s", TargetDBClusterSnapshotIdentifier="copy"
        )


def test_what_is_not_complete_can_not_be_used(lab: RdsLab) -> None:
    """A snapshot is `creating`, with its progress, until its data are there; nobody may use it before."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT generate_series(1, 200000) AS n")
    made = lab.rds().create_db_cluster_snapshot(
        DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="s"
    )["DBClusterSnapshot"]
    assert (made["Status"], made["PercentProgress"]) == ("creating", 0)
    rds, copied = lab.rds(), {"SourceDBClusterSnapshotIdentifier": "s"}
    restored = {"SnapshotIdentifier": "s", "Engine": "aurora-postgresql"}
    with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="s")
    with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
        rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="again", **restored)
    with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
        rds.copy_db_cluster_snapshot(**copied, TargetDBClusterSnapshotIdentifier="copy")
    assert lab.taken("s")["PercentProgress"] == 100
    lab.rds().delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="s")
    folder = lab.socket().parent.parent / "snapshots"
    until(lambda: list(folder.iterdir()) == [])


def test_a_clone_holds_the_latest_data(lab: RdsLab) -> None:
    """Restoring the latest instant gives the rows of now; an earlier one is plainly refused."""
    lab.make()
    lab.ask("CREATE TABLE kept AS SELECT 7 AS n")
    rds = lab.rds()
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="again", SourceDBClusterIdentifier="orders", UseLatestRestorableTime=True
    )
    lab.settled("again")
    lab.add_instance("again")
    assert lab.ask("SELECT n FROM kept", "again") == [[7]]
    lab.ask("INSERT INTO kept VALUES (8)", "again")
    assert lab.ask("SELECT n FROM kept") == [[7]]
    with pytest.raises(ClientError, match="NotImplemented"):
        rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="third",
            SourceDBClusterIdentifier="orders",
            RestoreToTime=datetime.now(UTC),
        )


def test_a_restored_cluster_has_no_instance(lab: RdsLab) -> None:
    """It has the default groups and no server until an instance is made, which needs it available."""
    lab.make()
    lab.rds().create_db_cluster_snapshot(DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="s")
    lab.taken("s")
    made = lab.rds().restore_db_cluster_from_snapshot(
        DBClusterIdentifier="again", SnapshotIdentifier="s", Engine="aurora-postgresql"
    )["DBCluster"]
    assert (made["Status"], made["DBClusterMembers"]) == ("creating", [])
    assert made["DBClusterParameterGroup"] == "default.aurora-postgresql16"
    shown = lab.settled("again")
    (group,) = lab.aws.client("ec2", EAST).describe_security_groups(
        GroupIds=[item["VpcSecurityGroupId"] for item in shown["VpcSecurityGroups"]]
    )["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert not lab.serves("again")
