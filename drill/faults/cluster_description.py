"""An Aurora cluster, and a global database, as their Describe calls show them.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeGlobalClusters.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class ClusterDescription:
    """A cluster in one region.

    Attributes:
        status: As AWS shows it, for example ``available``.
        writer: Its writer's identifier; empty where it has none.
        readers: Those of its other instances.

    """

    status: str
    writer: str
    readers: tuple[str, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """Return all its instances."""
        return (self.writer, *self.readers) if self.writer else self.readers


@dataclass(frozen=True, slots=True)
class GlobalDescription:
    """A global database.

    Attributes:
        status: As AWS shows it, for example ``available``.
        writer: ARN of the cluster that takes writes; empty where it has none.
        members: ARNs of all its clusters.

    """

    status: str
    writer: str
    members: tuple[str, ...]


def described(aws: "Aws", region: str, cluster_id: str) -> ClusterDescription | None:
    """Return a cluster; None if it is not there."""
    try:
        shown = aws.client("rds", region).describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"]
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "DBClusterNotFoundFault":
            raise
        return None
    if not shown:
        return None
    members = shown[0].get("DBClusterMembers", ())
    writers = [one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]]
    readers = sorted(one["DBInstanceIdentifier"] for one in members if not one["IsClusterWriter"])
    return ClusterDescription(shown[0]["Status"], writers[0] if writers else "", tuple(readers))


def global_described(aws: "Aws", region: str, global_cluster_id: str) -> GlobalDescription | None:
    """Return a global database, asked of one region; None if it is not there."""
    try:
        shown = aws.client("rds", region).describe_global_clusters(GlobalClusterIdentifier=global_cluster_id)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "GlobalClusterNotFoundFault":
            raise
        return None
    if not shown["GlobalClusters"]:
        return None
    (one,) = shown["GlobalClusters"]
    members = one["GlobalClusterMembers"]
    writers = [member["DBClusterArn"] for member in members if member["IsWriter"]]
    every = sorted(member["DBClusterArn"] for member in members)
    return GlobalDescription(one["Status"], writers[0] if writers else "", tuple(every))
