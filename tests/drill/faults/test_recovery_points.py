"""Which recovery point a restore takes, and why it refuses; against the lab's control plane."""

from datetime import timedelta
from typing import Any

import pytest
from moto.rds.models import rds_backends

from drill import clock
from drill.aws import Aws
from drill.errors import DrillError
from drill.faults import recovery_points
from infra.lab.control_plane import cluster_snapshots
from tests.drill.faults.breakage import key_in, make_cluster

EAST, WEST = "us-east-1", "us-west-2"


def shot(aws: Aws, name: str, *, kind: str = "manual", older_s: float = 0) -> Any:
    """Take a snapshot of a kind; it is so many seconds older than it is."""
    made = cluster_snapshots.take(EAST, "orders", name, kind=kind)
    made.created -= timedelta(seconds=older_s)
    return made


def copied(aws: Aws, source: Any, name: str, key_id: str, *, kind: str = "manual") -> Any:
    """Copy a snapshot to the west."""
    return cluster_snapshots.copy(WEST, source.arn, name, key_id=key_id, kind=kind)


@pytest.fixture
def key(aws: Aws) -> str:
    """Give a key in the west, and a cluster in the east."""
    make_cluster(aws, "orders")
    return key_in(aws, WEST)


def test_the_newest_of_every_kind_is_taken(aws: Aws, key: str) -> None:
    """Automated, manual and AWS Backup's are all looked at, and ``SnapshotCreateTime`` decides."""
    for place, kind in enumerate(("manual", "awsbackup", "automated")):
        one = copied(aws, shot(aws, f"east-{kind}", kind=kind), f"west-{kind}", key, kind=kind)
        one.created -= timedelta(hours=abs(place - 1))

    assert recovery_points.newest(aws, WEST, "orders").arn.endswith("west-awsbackup")
    assert recovery_points.newest(aws, WEST, "orders", copyable=True).kind != "awsbackup"


def test_other_clusters_and_what_is_not_complete_do_not_count(aws: Aws, key: str) -> None:
    """Without a complete snapshot of this cluster in this region it says what to type next."""
    make_cluster(aws, "other")
    other = cluster_snapshots.take(EAST, "other", "other-east")
    copied(aws, other, "other-west", key)
    copied(aws, shot(aws, "east"), "west", key).status = "copying"

    with pytest.raises(DrillError, match=r"no recovery point of orders in us-west-2; .*--fresh"):
        recovery_points.newest(aws, WEST, "orders")


def test_a_key_that_can_not_be_used_is_refused(aws: Aws, key: str) -> None:
    """An older snapshot under a key that works is taken; without one it is refused, naming the key."""
    east = shot(aws, "east")
    copied(aws, east, "west", key)
    broken = key_in(aws, WEST)
    newer = copied(aws, east, "newer", broken)
    newer.created += timedelta(hours=1)
    aws.client("kms", WEST).disable_key(KeyId=broken)

    assert recovery_points.newest(aws, WEST, "orders").arn.endswith(":west")

    aws.client("kms", WEST).disable_key(KeyId=key)
    with pytest.raises(
        DrillError, match=r"can't be restored in us-west-2: its key .* is Disabled; .*--fresh"
    ):
        recovery_points.newest(aws, WEST, "orders")


def test_data_are_as_old_as_what_was_copied(aws: Aws, key: str) -> None:
    """A copy's own stamp is when it was copied; its data are from before."""
    copied(aws, shot(aws, "east", older_s=3600), "west", key)

    at, certain = recovery_points.data_from(aws, recovery_points.newest(aws, WEST, "orders"))

    true_ns = clock.monotonic_ns() - 3600 * 10**9
    assert certain
    assert at.earliest_ns <= true_ns
    assert abs(at.latest_ns - true_ns) < 10 * 10**9
    assert at.latest_ns - at.earliest_ns < 10 * 10**9


def test_the_age_of_a_copy_whose_source_is_gone_is_not_certain(aws: Aws, key: str) -> None:
    """Then its own stamp is the youngest that its data can be."""
    copied(aws, shot(aws, "east"), "west", key)
    del rds_backends["123456789012"][EAST].cluster_snapshots["east"]

    _, certain = recovery_points.data_from(aws, recovery_points.newest(aws, WEST, "orders"))

    assert not certain
