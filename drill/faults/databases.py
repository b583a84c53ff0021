"""Reading and deleting the clusters, instances and snapshots that drills make, by their run's tag.

They are known by their names, which are made of the run's id; whatever does not carry the run's tag is
somebody else's and is left alone.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults.contract import RUN_TAG
from drill.faults.reads import all_agree

if TYPE_CHECKING:
    from drill.aws import Aws

Description: TypeAlias = Mapping[str, Any]

# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html
FAILED = frozenset(
    {
        "deleted",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "migration-failed",
        "restore-error",
        "storage-full",
    }
)
# What RDS says while something is still being made, or is being deleted already: asked again later.
_NOT_NOW = frozenset(
    {
        "InvalidDBClusterStateFault",
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidDBClusterSnapshotStateFault",
    }
)
_ABSENT = frozenset({"DBClusterNotFoundFault", "DBInstanceNotFound", "DBClusterSnapshotNotFoundFault"})


def cluster(aws: "Aws", region: str, name: str) -> Description | None:
    """Return a cluster; None if there is none."""
    client = aws.client("rds", region)
    return _one(lambda: client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"])


def instance(aws: "Aws", region: str, name: str) -> Description | None:
    """Return an instance; None if there is none."""
    client = aws.client("rds", region)
    return _one(lambda: client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"])


def snapshot(aws: "Aws", region: str, name: str) -> Description | None:
    """Return a cluster's snapshot; None if there is none."""
    client = aws.client("rds", region)
    return _one(
        lambda: client.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"]
    )


def available(found: Description | None, status: str, what: str, see: str) -> bool:
    """Say whether something is available by now.

    Args:
        found: Its description; None where there is none yet.
        status: The key of its status.
        what: What it is, for the message.
        see: The command that shows it.

    Raises:
        DrillError: It never will be.

    """
    if found is None:
        return False
    if found[status] in FAILED:
        msg = f"{what} is {found[status]}; see: {see}"
        raise DrillError(msg)
    return bool(found[status] == "available")


def tags(run_id: str, name: str) -> list[dict[str, str]]:
    """Return the tags of what a run makes, as RDS takes them."""
    return [{"Key": RUN_TAG, "Value": run_id}, {"Key": "Name", "Value": name}]


def foreign(found: Description | None, run_id: str) -> bool:
    """Say whether something of a run's name is somebody else's."""
    if found is None:
        return False
    return not any(tag["Key"] == RUN_TAG and tag["Value"] == run_id for tag in found.get("TagList", []))


def delete(found: Description | None, status: str, call: Callable[[], object]) -> None:
    """Have something deleted that is there and is not being deleted; it takes its time."""
    if found is None or found[status] == "deleting":
        return
    try:
        call()
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in _NOT_NOW | _ABSENT:
            raise


def gone(read: Callable[[], Description | None], run_id: str) -> bool:
    """Say whether nothing of a run is left; what somebody else called the same does not count."""

    def nothing() -> bool:
        found = read()
        return found is None or foreign(found, run_id)

    return all_agree(nothing)


def drift(what: str, name: str, see: str) -> tuple[str, ...]:
    """Return what is told of something of a run's name that is not the run's."""
    return (f"{what} {name} does not carry this run's tag, so it was left; see: {see}",)


def _one(read: Callable[[], list[Description]]) -> Description | None:
    try:
        found = read()
    except ClientError as problem:
        if problem.response["Error"]["Code"] in _ABSENT:
            return None
        raise
    return found[0] if found else None
