"""How far the clusters of global databases that follow are behind: measured, and published as RDS does.

A mark is committed where writes are taken, and awaited where they arrive.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from drill.errors import DrillError
from infra.lab import world
from infra.lab.database import Database
from infra.lab.truth import TruthLog

# RDS publishes once a minute; twice as often here, so that no minute of an alarm is without a point.
INTERVAL_S = 30.0
_POLL_S = 0.001
_MARK = "SELECT pg_logical_emit_message(true, 'lag', '')"
_REPLAYED = "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn"

log = structlog.get_logger()


class ReplicationLag:
    """Measures and publishes, of each database that follows another one."""

    def __init__(self, control: world.ControlPlane, truth: TruthLog, clock_scale: float) -> None:
        """Take where to publish, the truth log, and how long a second of an interval is."""
        self._control = control
        self._truth = truth
        self._interval_s = INTERVAL_S * clock_scale
        self._marks: dict[str, tuple[str, float]] = {}
        self._caught_up: set[str] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self, databases: Mapping[str, Database]) -> None:
        """Begin; ``databases`` by resource, as they are at each time."""
        self._loop = asyncio.create_task(self._always(databases))

    async def close(self) -> None:
        """Stop."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _always(self, databases: Mapping[str, Database]) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            for resource, follower in list(databases.items()):
                leader = databases.get(follower.cluster.primary)
                if leader is not None and follower.follows and follower.running and leader.running:
                    await self._measure(resource, leader, follower)

    async def _measure(self, resource: str, leader: Database, follower: Database) -> None:
        try:
            lag_s = await asyncio.to_thread(self._lag_s, resource, leader, follower)
        except DrillError as problem:  # a server that is just going publishes nothing
            log.info("a lag was not measured", cluster=follower.cluster.id, problem=str(problem))
            return
        own = (("DBClusterIdentifier", follower.cluster.id),)
        places = (own, (*own, ("SourceRegion", leader.cluster.region)))
        region, name = follower.cluster.region, "AuroraGlobalDBReplicationLag"
        self._control.publish(
            [world.Metric(region, "AWS/RDS", name, place, 1000 * lag_s, "Milliseconds") for place in places]
        )

    def _lag_s(self, resource: str, leader: Database, follower: Database) -> float:
        """Measure a follower's lag (blocking); of one that does not move, how long it has not."""
        with follower.connected() as asking:
            if resource not in self._marks:
                with leader.connected() as writing:
                    ((position,),) = writing.run(_MARK)
                self._marks[resource] = position, time.monotonic()
            position, marked_at = self._marks[resource]
            give_up_at = time.monotonic() + self._interval_s
            while asking.run(_REPLAYED.format(position)) != [[True]]:
                if time.monotonic() > give_up_at:
                    return time.monotonic() - marked_at
                time.sleep(_POLL_S)
        del self._marks[resource]
        if resource not in self._caught_up:
            self._caught_up.add(resource)
            cluster = follower.cluster
            self._truth.log("database_caught_up", region=cluster.region, cluster=cluster.id)
        return time.monotonic() - marked_at
