"""What RDS publishes of the clusters: who is connected, their load, and the capacity that they have.

The load is the processor time that the server's processes really use. The lab's databases do not
scale: how many capacity units that load would need on AWS is not known, and here a whole core
needs all that the cluster may have, and idleness the least.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from infra.lab.service_metrics import ServiceMetrics
from infra.lab.world import Cluster, Metric, Snapshot

_NAMESPACE = "AWS/RDS"


class Connections(Protocol):
    """Knows who is connected."""

    def connections(self, region: str, cluster_id: str) -> int:
        """Return how many clients are connected to a cluster's database now."""


class Load(Protocol):
    """Knows what the servers use."""

    def processor_s(self, region: str, cluster_id: str) -> float:
        """Return the seconds of processor time that a cluster's server has used since it was started."""


class DatabaseMetrics:
    """Publishes the running clusters' metrics, each for the cluster and for its writer."""

    def __init__(
        self,
        connections: Connections,
        load: Load,
        metrics: ServiceMetrics,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Say who knows the connections and the load, who publishes, and what time it is."""
        self._connections = connections
        self._load = load
        self._now_s = now_s
        self._used: dict[tuple[str, str], tuple[float, float]] = {}
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
        """Yield what is true now; the load is that since it was last asked."""
        for cluster in self._clusters:
            said = self._said(cluster)
            for dimension in (
                ("DBClusterIdentifier", cluster.id),
                ("DBInstanceIdentifier", cluster.instances[0]),
            ):
                for name, (value, unit) in said.items():
                    yield Metric(cluster.region, _NAMESPACE, name, (dimension,), value, unit)

    def _said(self, cluster: Cluster) -> dict[str, tuple[float, str]]:
        connected = self._connections.connections(cluster.region, cluster.id)
        said = {"DatabaseConnections": (float(connected), "Count")}
        share = self._share(cluster)
        if share is None:
            return said
        said["CPUUtilization"] = (100 * share, "Percent")
        if cluster.max_acu:
            capacity = max(cluster.min_acu, share * cluster.max_acu)
            said["ServerlessDatabaseCapacity"] = (capacity, "Count")
            said["ACUUtilization"] = (100 * capacity / cluster.max_acu, "Percent")
        return said

    def _share(self, cluster: Cluster) -> float | None:
        """Return the part of a core that a server has used since it was last asked, at most 1."""
        key = (cluster.region, cluster.id)
        now_s, used_s = self._now_s(), self._load.processor_s(*key)
        before = self._used.get(key)
        self._used[key] = now_s, used_s
        if before is None or now_s <= before[0]:
            return None
        # A server that was started anew begins to count from nothing.
        used_s -= before[1] if used_s >= before[1] else 0.0
        return min(1.0, used_s / (now_s - before[0]))
