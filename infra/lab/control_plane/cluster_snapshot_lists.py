"""DescribeDBClusterSnapshots: which snapshots are shown to whom asks for which.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusterSnapshots.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.rds.models import DBClusterSnapshot, RDSBackend

from infra.lab.control_plane.mending import Function, replace
from infra.lab.control_plane.wiring import WIRING

OWN_KINDS = ("automated", "manual")
"""What is listed unless a kind or a snapshot is named; those of AWS Backup are not."""


def install() -> None:
    """Mend moto's list of snapshots."""
    replace(RDSBackend, "describe_db_cluster_snapshots", _describe)


def _describe(original: Function) -> Function:
    def describe(
        backend: RDSBackend,
        db_cluster_identifier: str | None,
        db_snapshot_identifier: str | None,
        snapshot_type: str | None = None,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> list[DBClusterSnapshot]:
        wanted: dict[str, Any] = dict(filters or {})
        named = (db_snapshot_identifier or "").rpartition("cluster-snapshot:")[2]
        one = bool(named) or "db-cluster-snapshot-id" in wanted
        if snapshot_type is None:
            wanted.setdefault("snapshot-type", [*OWN_KINDS, "awsbackup"] if one else [*OWN_KINDS])
        with WIRING.databases:
            found: list[DBClusterSnapshot] = original(
                backend, db_cluster_identifier, named or None, snapshot_type, wanted
            )
        return found

    return describe
