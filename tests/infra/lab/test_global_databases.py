"""Global databases whose members really replicate: one PostgreSQL takes writes, another streams from it."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.planelab import EAST, WEST
from tests.infra.lab.rdslab import RdsLab, until

READ_ONLY = "25006"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RdsLab]:
    """Give a control plane with running databases."""
    with RdsLab(tmp_path_factory.mktemp("databases")).running() as made:
        yield made


@pytest.fixture
def lab(shared: RdsLab) -> Iterator[RdsLab]:
    """Give it to one test, empty."""
    yield from shared.alone()


def make(lab: RdsLab) -> tuple[str, str]:
    """Make a global database with a row in it; returns the ARNs of its members, the writer first."""
    primary = lab.make()
    lab.ask("CREATE TABLE kept (n int)")
    lab.ask("INSERT INTO kept VALUES (1)")
    lab.rds().create_global_cluster(
        GlobalClusterIdentifier="world", SourceDBClusterIdentifier=primary["DBClusterArn"]
    )
    lab.rds(WEST).create_db_cluster(
        DBClusterIdentifier="standby", Engine="aurora-postgresql", GlobalClusterIdentifier="world"
    )
    lab.settled("standby", WEST)
    return primary["DBClusterArn"], lab.add_instance("standby", WEST)["DBClusterArn"]


def writer(lab: RdsLab) -> str:
    """Return the ARN of the member that takes writes."""
    (group,) = lab.rds().describe_global_clusters(GlobalClusterIdentifier="world")["GlobalClusters"]
    (found,) = [member["DBClusterArn"] for member in group["GlobalClusterMembers"] if member["IsWriter"]]
    return str(found)


def at_rest(lab: RdsLab) -> bool:
    """Say whether the global database and both members are available."""
    (group,) = lab.rds().describe_global_clusters(GlobalClusterIdentifier="world")["GlobalClusters"]
    members = (lab.cluster("orders", EAST), lab.cluster("standby", WEST))
    return all(one["Status"] == "available" for one in (group, *members))


def count(lab: RdsLab, name: str, region: str) -> int:
    """Return how many rows a member has."""
    return int(lab.ask("SELECT count(*) FROM kept", name, region)[0][0])


def test_a_secondary_sees_the_rows_and_refuses_writes(lab: RdsLab) -> None:
    """Old and new rows arrive in the other region, where nothing can be written; the lag is published."""
    primary, secondary = make(lab)
    assert count(lab, "standby", WEST) == 1
    lab.ask("INSERT INTO kept VALUES (2)")
    until(lambda: count(lab, "standby", WEST) == 2)
    assert lab.refusal("INSERT INTO kept VALUES (3)", "standby", WEST) == READ_ONLY
    (group,) = lab.rds(WEST).describe_global_clusters()["GlobalClusters"]
    assert group["GlobalClusterMembers"] == [
        {
            "DBClusterArn": primary,
            "IsWriter": True,
            "Readers": [secondary],
            "SynchronizationStatus": "connected",
        },
        {
            "DBClusterArn": secondary,
            "IsWriter": False,
            "Readers": [],
            "GlobalWriteForwardingStatus": "disabled",
            "SynchronizationStatus": "connected",
        },
    ]
    shown = lab.cluster("standby", WEST)
    assert [one["IsClusterWriter"] for one in shown["DBClusterMembers"]] == [False]
    assert (shown["MasterUsername"], shown["EngineVersion"]) == ("keeper", "16.6")

    def lags() -> list[float]:
        return [item.value for item in lab.metrics if item.name == "AuroraGlobalDBReplicationLag"]

    until(lambda: len(lags()) >= 2)
    assert all(0 < lag < 5000 for lag in lags())
    places = {
        (item.region, dict(item.dimensions)["DBClusterIdentifier"])
        for item in lab.metrics
        if item.name == "AuroraGlobalDBReplicationLag"
    }
    assert places == {(WEST, "standby")}


def test_a_switchover_loses_nothing(lab: RdsLab) -> None:
    """The other region takes the writes, has every row, and the former primary follows it."""
    _, secondary = make(lab)
    for _ in range(2, 30):
        lab.ask("INSERT INTO kept VALUES (2)")
    group = lab.rds().switchover_global_cluster(
        GlobalClusterIdentifier="world", TargetDbClusterIdentifier=secondary
    )["GlobalCluster"]
    assert group["Status"] == "switching-over"
    assert group["FailoverState"]["ToDbClusterArn"] == secondary
    assert lab.cluster("standby", WEST)["Status"] == "switching-over"
    until(lambda: at_rest(lab))
    assert writer(lab) == secondary
    assert count(lab, "standby", WEST) == 29
    lab.ask("INSERT INTO kept VALUES (30)", "standby", WEST)
    until(lambda: count(lab, "orders", EAST) == 30)
    assert lab.refusal("INSERT INTO kept VALUES (31)") == READ_ONLY


def test_a_switchover_back_at_once(lab: RdsLab) -> None:
    """As soon as all is available again the writes can go back, and nothing is lost."""
    primary, secondary = make(lab)
    for number, target in enumerate((secondary, primary, secondary, primary), 2):
        lab.rds().switchover_global_cluster(GlobalClusterIdentifier="world", TargetDbClusterIdentifier=target)
        until(lambda: at_rest(lab))
        place = ("orders", EAST) if target == primary else ("standby", WEST)
        lab.ask("INSERT INTO kept VALUES (2)", *place)
        assert count(lab, *place) == number
    until(lambda: count(lab, "standby", WEST) == 5)
    promoted = [event["cluster"] for event in lab.events("database_promoted")]
    assert promoted == ["standby", "orders"] * 2


def test_a_failover_promotes_the_secondary(lab: RdsLab) -> None:
    """With AllowDataLoss the secondary takes writes at once; the former primary is copied anew from it."""
    _, secondary = make(lab)
    lab.rds(WEST).failover_global_cluster(
        GlobalClusterIdentifier="world", TargetDbClusterIdentifier=secondary, AllowDataLoss=True
    )
    until(lambda: writer(lab) == secondary)
    lab.ask("INSERT INTO kept VALUES (2)", "standby", WEST)
    until(lambda: at_rest(lab))
    until(lambda: count(lab, "orders", EAST) == 2)
    assert lab.refusal("INSERT INTO kept VALUES (3)") == READ_ONLY


def test_a_secondary_that_leaves_takes_writes(lab: RdsLab) -> None:
    """Removed from its global database it is independent: it has the rows, and goes its own way."""
    primary, secondary = make(lab)
    rds = lab.rds(WEST)
    with pytest.raises(ClientError, match=r"InvalidGlobalClusterStateFault"):
        rds.remove_from_global_cluster(GlobalClusterIdentifier="world", DbClusterIdentifier=primary)
    rds.remove_from_global_cluster(GlobalClusterIdentifier="world", DbClusterIdentifier=secondary)
    assert lab.cluster("standby", WEST)["Status"] == "promoting"
    lab.settled("standby", WEST)
    lab.ask("INSERT INTO kept VALUES (2)", "standby", WEST)
    assert count(lab, "orders", EAST) == 1
    (group,) = lab.rds().describe_global_clusters()["GlobalClusters"]
    assert [member["DBClusterArn"] for member in group["GlobalClusterMembers"]] == [primary]


def test_the_order_of_deletion(lab: RdsLab) -> None:
    """A member can't be deleted, nor a global database that has any; one after the other they can."""
    primary, secondary = make(lab)
    east, west = lab.rds(), lab.rds(WEST)
    west.delete_db_instance(DBInstanceIdentifier="standby-1", SkipFinalSnapshot=True)
    until(lambda: west.describe_db_instances()["DBInstances"] == [])
    with pytest.raises(ClientError, match=r"InvalidDBClusterStateFault.*part of a global cluster"):
        west.delete_db_cluster(DBClusterIdentifier="standby", SkipFinalSnapshot=True)
    with pytest.raises(ClientError, match=r"InvalidGlobalClusterStateFault.*not empty"):
        east.delete_global_cluster(GlobalClusterIdentifier="world")
    west.remove_from_global_cluster(GlobalClusterIdentifier="world", DbClusterIdentifier=secondary)
    lab.settled("standby", WEST)
    west.delete_db_cluster(DBClusterIdentifier="standby", SkipFinalSnapshot=True)
    until(lambda: west.describe_db_clusters()["DBClusters"] == [])
    east.remove_from_global_cluster(GlobalClusterIdentifier="world", DbClusterIdentifier=primary)
    east.delete_global_cluster(GlobalClusterIdentifier="world")
    with pytest.raises(ClientError, match="GlobalClusterNotFoundFault"):
        east.describe_global_clusters(GlobalClusterIdentifier="world")
    assert count(lab, "orders", EAST) == 1
