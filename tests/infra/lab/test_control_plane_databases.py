"""RDS statuses: a cluster is available when its database runs, and not before."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from infra.lab import world
from tests.infra.lab.planelab import EAST, Lab, control_plane, make_network


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
