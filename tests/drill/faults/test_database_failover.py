"""ClusterFailover and GlobalDatabaseMove against the lab's RDS, whose databases really run."""

from collections.abc import Iterator
from typing import Any

import pytest

from drill.errors import DrillError
from drill.faults.cluster_failover import ClusterFailover
from drill.faults.contract import Fault, Intent
from drill.faults.global_database_move import GlobalDatabaseMove
from tests.drill.faults.breakage import Cut, Unsteady
from tests.infra.lab.planelab import EAST, WEST
from tests.infra.lab.rdslab import RdsLab, until

INTENT = Intent("run-1", "fail-over")
ARN = f"arn:aws:rds:{EAST}:123456789012:cluster:orders"
THERE = f"arn:aws:rds:{WEST}:123456789012:cluster:standby"
WITHIN = ClusterFailover(EAST, ARN)
SWITCH = GlobalDatabaseMove("world", ARN, THERE)
LOSSY = GlobalDatabaseMove("world", ARN, THERE, allow_data_loss=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RdsLab]:
    """Give a cluster with a writer, ``orders-1``, and a reader, in a global database with another one."""
    with RdsLab(tmp_path_factory.mktemp("databases")).running() as made:
        made.make()
        made.add_instance(instance="orders-2")
        made.rds().create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=ARN)
        made.rds(WEST).create_db_cluster(
            DBClusterIdentifier="standby", Engine="aurora-postgresql", GlobalClusterIdentifier="world"
        )
        made.settled("standby", WEST)
        made.add_instance("standby", WEST)
        yield made


def writer(lab: RdsLab, name: str = "orders", region: str = EAST) -> list[str]:
    """Return who writes in a cluster."""
    members = lab.cluster(name, region)["DBClusterMembers"]
    return [one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]]


def written_in(lab: RdsLab) -> str:
    """Return the ARN of the cluster that takes the global database's writes."""
    (group,) = lab.rds().describe_global_clusters(GlobalClusterIdentifier="world")["GlobalClusters"]
    return next(str(one["DBClusterArn"]) for one in group["GlobalClusterMembers"] if one["IsWriter"])


def put_back(fault: Fault, aws: Any, captured: Any) -> tuple[str, ...]:
    """Undo until it shows, as a rollback does."""
    told: tuple[str, ...] = ()

    def is_undone() -> bool:
        nonlocal told
        told = fault.undo(aws, captured, INTENT.run_id) or told
        return fault.undone(aws, captured, INTENT.run_id)

    until(is_undone)
    return told


def test_a_reader_becomes_the_writer_and_the_writer_comes_back(lab: RdsLab) -> None:
    """The injection returns when AWS has taken it; while it goes on nothing counts as undone."""
    captured = WITHIN.capture(lab.aws)
    assert captured == {"writer": "orders-1"}
    WITHIN.inject(lab.aws, captured, INTENT)
    until(lambda: writer(lab) == ["orders-2"])
    assert not WITHIN.undone(lab.aws, captured, INTENT.run_id)
    assert put_back(WITHIN, lab.aws, captured) == ()
    assert writer(lab) == ["orders-1"]


def test_a_failover_undoes_twice_and_without_injection(lab: RdsLab) -> None:
    """An undo that has nothing to do only reads."""
    captured = WITHIN.capture(lab.aws)
    watched: Any = Unsteady(lab.aws)
    put_back(WITHIN, watched, captured)
    put_back(WITHIN, watched, captured)
    assert set(watched.made) == {"rds.DescribeDBClusters"}


@pytest.mark.parametrize("lost", [False, True])
def test_a_failover_is_put_back_whether_its_call_arrived_or_not(lab: RdsLab, lost: bool) -> None:
    """A call whose answer was lost happened; one that broke before did not."""
    captured = WITHIN.capture(lab.aws)
    unsteady: Any = Unsteady(lab.aws, 0, lost=lost)
    with pytest.raises(Cut):
        WITHIN.inject(unsteady, captured, INTENT)
    put_back(WITHIN, lab.aws, captured)
    assert writer(lab) == ["orders-1"]


def test_a_repeated_failover_is_taken_for_its_own(lab: RdsLab) -> None:
    """Sent again after a lost answer it is refused, since it goes on already."""
    captured = WITHIN.capture(lab.aws)
    lab.rds().failover_db_cluster(DBClusterIdentifier="orders")
    WITHIN.inject(lab.aws, captured, INTENT)
    put_back(WITHIN, lab.aws, captured)
    assert writer(lab) == ["orders-1"]


def test_a_writer_that_is_gone_is_told(lab: RdsLab) -> None:
    """What somebody deleted meanwhile can't write again."""
    told = put_back(WITHIN, lab.aws, {"writer": "orders-9"})
    assert told == (
        (
            "instance orders-9 of orders is gone; see: aws rds describe-db-clusters "
            f"--region {EAST} --db-cluster-identifier orders"
        ),
    )


def test_a_cluster_without_a_writer_is_refused(lab: RdsLab) -> None:
    """One that follows another has nothing to fail over from."""
    with pytest.raises(DrillError, match=r"no writer .*; it can't fail over"):
        ClusterFailover(WEST, THERE).capture(lab.aws)
    with pytest.raises(DrillError, match="there is no cluster nosuch"):
        ClusterFailover(EAST, ARN.replace("orders", "nosuch")).capture(lab.aws)


@pytest.mark.parametrize("fault", [SWITCH, LOSSY], ids=["switchover", "failover"])
def test_the_other_region_takes_the_writes_and_gives_them_back(
    lab: RdsLab, fault: GlobalDatabaseMove
) -> None:
    """Both ways; the secondary has a writer only while it takes the writes."""
    assert (writer(lab), writer(lab, "standby", WEST)) == (["orders-1"], [])
    captured = fault.capture(lab.aws)
    fault.inject(lab.aws, captured, INTENT)
    assert not fault.undone(lab.aws, captured, INTENT.run_id)
    until(lambda: written_in(lab) == THERE)
    until(lambda: writer(lab, "standby", WEST) == ["standby-1"])
    assert put_back(fault, lab.aws, captured) == ()
    assert written_in(lab) == ARN
    assert writer(lab) == ["orders-1"]


def test_a_move_undoes_without_injection_and_declares_its_calls(lab: RdsLab) -> None:
    """An undo that has nothing to do only reads; all that is called is declared."""
    watched = Unsteady(lab.aws)
    aws: Any = watched
    captured = SWITCH.capture(aws)
    put_back(SWITCH, aws, captured)
    assert set(watched.made) == {"rds.DescribeGlobalClusters"}
    for fault in (SWITCH, LOSSY, WITHIN):
        declared = {f"{call.service}.{call.action}" for call in fault.calls}
        moves = {"SwitchoverGlobalCluster"} | ({"FailoverGlobalCluster"} if fault is LOSSY else set())
        wanted = {"FailoverDBCluster", "DescribeDBClusters"} if fault is WITHIN else moves
        assert {f"rds.{one}" for one in wanted} <= declared


def test_a_move_of_what_is_not_there_is_refused(lab: RdsLab) -> None:
    """Another cluster than the target file names, or one that takes the writes already."""
    other = GlobalDatabaseMove("world", ARN, THERE.replace("standby", "nosuch"))
    with pytest.raises(DrillError, match="has other clusters; see: drill target check"):
        other.capture(lab.aws)
    with pytest.raises(DrillError, match=f"is written in {EAST}; mend that first"):
        GlobalDatabaseMove("world", THERE, ARN).capture(lab.aws)
