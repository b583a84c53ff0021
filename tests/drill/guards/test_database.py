"""The database can fail over: what refuses that, and what it says to deploy."""

from collections.abc import Iterator
from typing import Any

import pytest

from drill.guards.declared import guard_of
from drill.model import GuardSpec
from tests.drill.guards.asking import asked
from tests.drill.test_target import make_document
from tests.infra.lab.planelab import EAST, Lab, control_plane


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a control plane; without databases that run, all is available at once."""
    with control_plane() as made:
        yield made


def cluster(lab: Lab, *instances: str, name: str = "orders", region: str = EAST, **more: Any) -> str:
    """Make a cluster with instances; return its ARN."""
    rds = lab.client("rds", region)
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        **{"MasterUsername": "keeper", "MasterUserPassword": "first-one", **more},
    )
    for instance in instances:
        rds.create_db_instance(
            DBInstanceIdentifier=instance,
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
    return str(made["DBCluster"]["DBClusterArn"])


def answer(lab: Lab, *, worldwide: bool = False, **database: str) -> str:
    """Return what the guard says."""
    standby = make_document()["standby"]
    named: dict[str, Any] = {}
    if database:
        named = {"standby": {**standby, "cluster_id": "standby"}, "database": database}
    spec = GuardSpec("database-can-fail-over", {"global": worldwide})
    return guard_of(spec)(asked(**named), lab.aws)


def test_a_cluster_with_a_reader_may_fail_over(lab: Lab) -> None:
    """A writer and one that is ready to take over."""
    cluster(lab, "orders-1", "orders-2")

    assert answer(lab) == ""


def test_a_single_instance_is_refused_with_what_to_deploy(lab: Lab) -> None:
    """The text names the key of the system file and the command."""
    cluster(lab, "orders-1")

    said = answer(lab)

    assert "has one instance and is in no global database" in said
    assert "database_reader: true" in said
    assert said.endswith("then: drill infra deploy")


def test_without_a_cluster_it_is_refused(lab: Lab) -> None:
    """The target file is out of date."""
    assert f"there is no cluster orders in {EAST}" in answer(lab)


def test_data_loss_without_a_global_database_is_refused(lab: Lab) -> None:
    """There is nothing that could be lost."""
    said = answer(lab, worldwide=True)

    assert "there is no global database, which --allow-data-loss is about" in said


def test_a_global_database_may_fail_over(lab: Lab) -> None:
    """With a cluster in each region; it is refused where it is not there."""
    arn = cluster(lab, "orders-1")
    named = {"replication": "global", "global_cluster_id": "world"}
    assert "there is no global database world" in answer(lab, worldwide=True, **named)
    lab.client("rds").create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=arn)
    assert answer(lab, worldwide=True, **named) == ""


def test_a_global_database_without_a_cluster_there_is_refused(lab: Lab) -> None:
    """The target file must name both."""
    standby = {key: value for key, value in make_document()["standby"].items() if key != "cluster_id"}
    made = asked(standby=standby, database={"replication": "global", "global_cluster_id": "world"})
    spec = GuardSpec("database-can-fail-over", {"global": True})

    assert "does not name the cluster of each region" in guard_of(spec)(made, lab.aws)
