"""What RDS publishes of running databases: connections, load, and how far a follower is behind.

The lag is measured: a mark is committed where writes are taken, and awaited where they arrive.
The load is that of the server's processes. How many capacity units it would need on AWS is not
known: in the lab a whole core needs all that the cluster may have.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping

from drill.errors import DrillError
from infra.lab import world
from infra.lab.database import Database
from infra.lab.processor_time import processor_s
from infra.lab.truth import TruthLog

NAMESPACE = "AWS/RDS"
_POLL_S = 0.001
_MARK = "SELECT pg_logical_emit_message(true, 'lag', '')"
_REPLAYED = "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn"
_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> current_user"
)


class DatabaseMetrics:
    """Publishes once in a period."""

    def __init__(self, control: world.ControlPlane, truth: TruthLog, period_s: float) -> None:
        """Take where to publish, the truth log and the period."""
        self._control = control
        self._truth = truth
        self._period_s = period_s
        self._waiting: dict[str, tuple[str, float]] = {}
        self._used: dict[int, tuple[float, float]] = {}
        self._followed: set[str] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self, databases: Mapping[str, Database]) -> None:
        """Begin; ``databases`` by resource, as they are at each time."""
        self._loop = asyncio.create_task(self._publish(databases))

    async def close(self) -> None:
        """Stop."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # cancelled just above
                await self._loop

    async def _publish(self, databases: Mapping[str, Database]) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            for resource, database in list(databases.items()):
                leader = databases.get(database.cluster.primary)
                with contextlib.suppress(DrillError):  # a server that does not answer publishes nothing
                    await self._publish_one(resource, database, leader)

    async def _publish_one(self, resource: str, database: Database, leader: Database | None) -> None:
        metrics: list[world.Metric] = []
        if database.socket is not None:
            ((count,),) = await database.ask(_CONNECTIONS)
            metrics += _connections(database.cluster, count)
            metrics += _load(database.cluster, self._share(database.pid or 0))
        if database.follows and database.running and leader is not None and leader.running:
            lag_s = await asyncio.to_thread(self._lag_s, resource, leader, database)
            metrics += _lag(database.cluster, leader.cluster.region, lag_s)
        if metrics:
            self._control.publish(metrics)

    def _share(self, pid: int) -> float:
        """Return the part of a core that a server has used since it was last asked, at most 1."""
        now, used_s = time.monotonic(), processor_s(pid)
        before, used_before_s = self._used.get(pid, (now, used_s))
        self._used = {**self._used, pid: (now, used_s)}
        return min(1.0, (used_s - used_before_s) / (now - before)) if now > before else 0.0

    def _lag_s(self, resource: str, leader: Database, follower: Database) -> float:
        """Measure a follower's lag (blocking); of one that does not move, how long it has not."""
        with follower.connected() as connection:
            waiting = self._waiting.get(resource)
            if waiting is None:
                with leader.connected() as asking:
                    ((position,),) = asking.run(_MARK)
                waiting = self._waiting[resource] = position, time.monotonic()
            position, marked_at = waiting
            give_up_at = time.monotonic() + self._period_s
            while connection.run(_REPLAYED.format(position)) != [[True]]:
                if time.monotonic() > give_up_at:
                    return time.monotonic() - marked_at
                time.sleep(_POLL_S)
        del self._waiting[resource]
        if resource not in self._followed:
            self._followed.add(resource)
            cluster = follower.cluster
            self._truth.log("database_caught_up", region=cluster.region, cluster=cluster.id)
        return time.monotonic() - marked_at


def _connections(cluster: world.Cluster, count: int) -> Iterator[world.Metric]:
    places: tuple[tuple[tuple[str, str], ...], ...] = (
        (("DBClusterIdentifier", cluster.id),),
        (("DBClusterIdentifier", cluster.id), ("Role", "WRITER")),
        *((("DBInstanceIdentifier", name),) for name in cluster.instances[:1]),
    )
    for dimensions in places:
        yield world.Metric(cluster.region, NAMESPACE, "DatabaseConnections", dimensions, float(count))


def _load(cluster: world.Cluster, share: float) -> Iterator[world.Metric]:
    own = (("DBClusterIdentifier", cluster.id),)
    writer = tuple((("DBInstanceIdentifier", name),) for name in cluster.instances[:1])
    for dimensions in (own, *writer):
        yield world.Metric(cluster.region, NAMESPACE, "CPUUtilization", dimensions, 100 * share, "Percent")
        if cluster.max_acu:
            capacity = max(cluster.min_acu, share * cluster.max_acu)
            used = 100 * capacity / cluster.max_acu
            yield world.Metric(
                cluster.region, NAMESPACE, "ServerlessDatabaseCapacity", dimensions, capacity, "Count"
            )
            yield world.Metric(cluster.region, NAMESPACE, "ACUUtilization", dimensions, used, "Percent")


def _lag(cluster: world.Cluster, source_region: str, lag_s: float) -> Iterator[world.Metric]:
    own = (("DBClusterIdentifier", cluster.id),)
    for dimensions in (own, (*own, ("SourceRegion", source_region))):
        yield world.Metric(
            cluster.region,
            NAMESPACE,
            "AuroraGlobalDBReplicationLag",
            dimensions,
            1000 * lag_s,
            "Milliseconds",
        )
