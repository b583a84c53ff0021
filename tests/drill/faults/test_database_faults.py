"""Snapshot, copy, restored cluster and instance: made, found again by the run, and gone in the end."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from drill.aws import Aws
from drill.errors import DrillError
from drill.faults import databases
from drill.faults.cluster_restore import ClusterRestore
from drill.faults.contract import Fault, Intent
from drill.faults.instance_creation import InstanceCreation
from drill.faults.made import name_of
from drill.faults.made_in_rds import INSTANCE
from drill.faults.registry import arguments, build
from drill.faults.snapshot_copy import SnapshotCopy
from drill.faults.snapshot_taken import SnapshotTaken
from tests.drill.faults.breakage import Cut, Unsteady, key_in, make_cluster

EAST, WEST = "us-east-1", "us-west-2"
RUN = "20261129t072436-aurora-snapshot-restore-ab12"
INTENT = Intent(RUN, "step")
MINE = name_of(RUN)

Made = Mapping[str, Fault]


@pytest.fixture
def made(aws: Aws) -> Made:
    """Give the four faults, with all that they need in both regions."""
    arn, key = make_cluster(aws, "orders"), key_in(aws, WEST)
    ec2, rds = aws.client("ec2", WEST), aws.client("rds", WEST)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{place}.0/24", AvailabilityZone=f"{WEST}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for place, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
    rds.create_db_subnet_group(DBSubnetGroupName="west", DBSubnetGroupDescription="w", SubnetIds=subnets)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="tls", DBParameterGroupFamily="aurora-postgresql16", Description="t"
    )
    return {
        "taken": SnapshotTaken(EAST, arn),
        "copy": SnapshotCopy(EAST, WEST, "orders", key, own=True),
        "cluster": ClusterRestore(WEST, EAST, "orders", key, "west", group, "tls", 0.5, 2.0),
        "instance": InstanceCreation(WEST),
    }


def shown(aws: Aws) -> dict[str, bool]:
    """Return which of the run's four things are there."""
    return {
        "taken": databases.snapshot(aws, EAST, MINE) is not None,
        "copy": databases.snapshot(aws, WEST, MINE) is not None,
        "cluster": databases.cluster(aws, WEST, MINE) is not None,
        "instance": databases.instance(aws, WEST, INSTANCE.name(RUN)) is not None,
    }


def inject(aws: Any, fault: Fault) -> Mapping[str, Any]:
    """Capture and inject."""
    captured = fault.capture(aws)
    fault.inject(aws, captured, INTENT)
    return captured


def test_they_follow_one_another_and_are_undone_the_other_way_round(aws: Aws, made: Made) -> None:
    """What a run makes is found by its id alone, and nothing of it is left."""
    captured = {}
    for name, fault in made.items():
        captured[name] = inject(aws, fault)
        assert fault.ready(aws, captured[name], RUN)
    assert all(shown(aws).values())
    restored = databases.cluster(aws, WEST, MINE)
    assert restored is not None
    assert (restored["DBSubnetGroup"], restored["DBClusterParameterGroup"]) == ("west", "tls")
    assert restored["StorageEncrypted"]

    for name, fault in reversed(list(made.items())):
        again = build(fault.kind, arguments(fault))
        assert not again.undone(aws, captured[name], RUN)
        assert again.undo(aws, captured[name], RUN) == ()
        assert again.undone(aws, captured[name], RUN)
        assert again.undo(aws, captured[name], RUN) == ()
    assert not any(shown(aws).values())


@pytest.mark.parametrize("name", ["taken", "copy", "cluster", "instance"])
def test_an_undo_without_injection_changes_nothing(aws: Aws, made: Made, name: str) -> None:
    """A journal may tell of a step that never came to be."""
    watched: Any = Unsteady(aws)

    assert made[name].undo(watched, {}, RUN) == ()

    assert all(call.startswith("rds.Describe") for call in watched.made)
    assert made[name].undone(aws, {}, RUN)


@pytest.mark.parametrize("name", ["taken", "copy", "cluster", "instance"])
def test_a_lost_answer_leaves_nothing(aws: Aws, made: Made, name: str) -> None:
    """When the answer of the making call is lost, the undo finds what it made."""
    for earlier in list(made)[: list(made).index(name)]:
        inject(aws, made[earlier])
    captured = made[name].capture(aws)
    steady: Any = Unsteady(aws)
    made[name].inject(steady, captured, INTENT)
    made[name].undo(aws, captured, RUN)
    lost: Any = Unsteady(aws, len(steady.made) - 1, lost=True)

    with pytest.raises(Cut):
        made[name].inject(lost, captured, INTENT)

    assert shown(aws)[name]
    made[name].undo(aws, captured, RUN)
    assert not shown(aws)[name]
    assert made[name].undone(aws, captured, RUN)


def test_what_is_somebody_elses_stays(aws: Aws, made: Made) -> None:
    """A cluster that is called like the run's, but does not carry its tag, is left and told of."""
    make_cluster(aws, MINE, WEST)
    captured: Mapping[str, Any] = {}

    (told,) = made["cluster"].undo(aws, captured, RUN)

    assert "does not carry this run's tag" in told
    assert f"aws rds describe-db-clusters --region {WEST}" in told
    assert shown(aws)["cluster"]
    assert made["cluster"].undone(aws, captured, RUN)


def test_what_is_not_finished_is_waited_for(aws: Aws, made: Made) -> None:
    """A snapshot that is still being made is not ready; one that failed never will be."""
    captured = inject(aws, made["taken"])
    answer = dict(databases.snapshot(aws, EAST, MINE) or {})

    def status(text: str) -> Callable[[], bool]:
        return lambda: databases.available({**answer, "Status": text}, "Status", "snapshot", "see")

    assert made["taken"].ready(aws, captured, RUN)
    assert not status("creating")()
    with pytest.raises(DrillError, match="snapshot is failed; see: see"):
        status("failed")()
    assert not databases.available(None, "Status", "snapshot", "see")


def test_a_snapshot_of_what_is_not_there_is_refused(aws: Aws) -> None:
    """Nothing is called that changes something."""
    watched: Any = Unsteady(aws)

    with pytest.raises(DrillError, match="cluster nobody is not there"):
        SnapshotTaken(EAST, "arn:aws:rds:us-east-1:123456789012:cluster:nobody").capture(watched)

    assert ["rds.DescribeDBClusters"] == watched.made


def test_the_newest_snapshot_is_copied_where_the_run_took_none(aws: Aws, made: Made) -> None:
    """It is chosen before anything is done, and copied under the key of the other region."""
    aws.client("rds", EAST).create_db_cluster_snapshot(
        DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="nightly"
    )
    own = made["copy"]
    assert isinstance(own, SnapshotCopy)
    fault = SnapshotCopy(EAST, WEST, "orders", own.key_arn, own=False)

    captured = inject(aws, fault)

    assert str(captured["source"]).endswith(":nightly")
    copy = databases.snapshot(aws, WEST, MINE)
    assert copy is not None
    assert (copy["KmsKeyId"], copy["StorageEncrypted"]) == (own.key_arn, True)
    fault.undo(aws, captured, RUN)
    assert fault.undone(aws, captured, RUN)
    assert databases.snapshot(aws, EAST, "nightly") is not None
