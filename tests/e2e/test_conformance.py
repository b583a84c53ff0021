"""Every undo of every registered scenario puts the lab back, wherever its injection was cut short.

It takes minutes; ``make conformance`` runs it.
"""

import os
from collections.abc import Iterator

import pytest

from drill import catalogue, testing
from drill.aws import Aws
from tests.e2e.conftest import Lab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not os.environ.get("DRILL_CONFORMANCE"), reason="takes minutes: make conformance"),
]


@pytest.fixture(scope="module")
def ground(lab: Lab) -> Iterator[testing.Ground]:
    """Give the lab, with a snapshot that was taken by hand: AWS Backup's own are not copied by others."""
    rds = Aws.of(lab.target, as_operator=True).client("rds", lab.target.primary.name)
    named = {"DBClusterSnapshotIdentifier": "for-conformance"}
    rds.create_db_cluster_snapshot(DBClusterIdentifier=lab.target.primary.cluster_id, **named)
    rds.get_waiter("db_cluster_snapshot_available").wait(
        **named, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    yield testing.Ground(lab.target, lab.fingerprint)
    rds.delete_db_cluster_snapshot(**named)


class TestFaults(testing.FaultConformance):
    """Those of all scenarios that are installed."""

    scenarios = tuple(catalogue.find(name) for name in catalogue.names())
