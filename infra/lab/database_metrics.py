"""What RDS publishes of the clusters: who is connected, and the capacity that they have.

The lab's databases do not scale: a Serverless v2 instance has the least capacity of its cluster.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from infra.lab.service_metrics import ServiceMetrics
from infra.lab.world import Cluster, Metric, Snapshot

_NAMESPACE = "AWS/RDS"


class Connections(Protocol):
    """Knows who is connected."""

    def connections(self, region: str, cluster_id: str) -> int:
        """Return how many clients are connected to a cluster's database now."""


class DatabaseMetrics:
    """Publishes the running clusters' metrics, each for the cluster and for its writer."""

    def __init__(self, connections: Connections, metrics: ServiceMetrics) -> None:
        """Say who knows the connections, and who publishes."""
        self._connections = connections
        self._clusters: Sequence[Cluster] = ()
        metrics.ask(self.metrics)

    async def start(self) -> None:
        """Do nothing yet: clusters come with the snapshots."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow the clusters that run."""
        self._clusters = [one for one in snapshot.clusters if one.status == "available" and one.instances]

    async def close(self) -> None:
        """Do nothing: there is nothing to end."""

    def metrics(self) -> Iterator[Metric]:
        """Yield what is true now."""
        for cluster in self._clusters:
            connected = self._connections.connections(cluster.region, cluster.id)
            said = {"DatabaseConnections": (float(connected), "Count")}
            if cluster.max_acu:
                said["ServerlessDatabaseCapacity"] = (cluster.min_acu, "Count")
                said["ACUUtilization"] = (100 * cluster.min_acu / cluster.max_acu, "Percent")
            for dimension in (
                ("DBClusterIdentifier", cluster.id),
                ("DBInstanceIdentifier", cluster.instances[0]),
            ):
                for name, (value, unit) in said.items():
                    yield Metric(cluster.region, _NAMESPACE, name, (dimension,), value, unit)
