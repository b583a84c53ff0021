"""Global tables: a write in one region reaches the others after a lag; the last writer wins.

Each pair of regions has a queue of its own for each table. A write is due after a lag drawn
from a log-normal distribution, never before an earlier write of the same key. While a
table's replication is paused (AWS FIS), its region exchanges nothing with the others, in
both directions; what waits is delivered when the pause ends. A table without write capacity
takes nothing either: what comes next waits until it has some, and all that is behind it too.
How long each write took is published as ``ReplicationLatency`` in the region that it came from.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import asyncio
import heapq
import itertools
import json
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drill import clock
from infra.lab.profile import Profile
from infra.lab.table_metrics import NAMESPACE
from infra.lab.truth import TruthLog
from infra.lab.world import ControlPlane, ItemWrite, Metric, ReplicaThrottled, Snapshot

SHORTEST_WAIT_S = 0.02
"""The least that replication waits before it tries a throttled table again."""

_Version = tuple[int, str]


@dataclass(order=True, slots=True)
class _Waiting:
    """A write on its way; ``number`` keeps the order of writes that are due together."""

    due_s: float
    number: int
    key: str = field(compare=False)
    write: ItemWrite = field(compare=False)


@dataclass(slots=True)
class _Link:
    """What waits to go from one region's table to another's."""

    table: str
    source: str
    target: str
    waiting: list[_Waiting] = field(default_factory=list)
    last_due_s: dict[str, float] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    throttled_until_s: float = 0.0


class Tables:
    """Replicates what global tables accept. A :class:`world.WriteListener`."""

    def __init__(self, control: ControlPlane, profile: Profile, truth: TruthLog) -> None:
        """Take what it works with; nothing happens before :meth:`start`."""
        self._control = control
        self._truth = truth
        self._lag_s = _lags(profile)
        self._numbers = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: deque[ItemWrite] = deque()
        self._of_new_tables: list[ItemWrite] = []
        self._regions: dict[tuple[str, str], tuple[str, ...]] = {}
        self._paused: frozenset[tuple[str, str]] = frozenset()
        self._links: dict[tuple[str, str, str], _Link] = {}
        # What each region's copy of an item was last written by; read and written with that
        # region's tables locked, from the control plane's threads and from the loop.
        self._newest: dict[tuple[str, str, str], _Version] = {}
        self._latencies: list[Metric] = []

    async def start(self) -> None:
        """Begin to replicate, in the running loop; what was written before goes first."""
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._take)

    async def close(self) -> None:
        """Stop; what waits stays undelivered."""
        self._loop = None
        for link in self._links.values():
            if link.timer is not None:
                link.timer.cancel()
                link.timer = None

    def written(self, write: ItemWrite) -> None:
        """Take note of a write; called from any thread with the region's tables locked."""
        self._newest[write.region, write.table, _canonical(write)] = (write.at_ns, write.region)
        self._inbox.append(write)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._take)

    def throttled(self, region: str, table: str, index: str, key: Mapping[str, object]) -> None:
        """Write down that a write was refused; called from any thread."""
        self._truth.log("write_throttled", region=region, table=table, index=index, key=key)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow the tables' replicas and the pauses of their replication."""
        self._take()
        self._regions = {(table.region, table.name): table.replicas for table in snapshot.tables}
        waited, self._of_new_tables = self._of_new_tables, []
        for write in waited:
            self._send(write)
        paused = frozenset((pause.region, pause.table) for pause in snapshot.pauses)
        before, self._paused = self._paused, paused
        for region, table in sorted(paused - before):
            self._truth.log("replication_paused", region=region, table=table)
        for region, table in sorted(before - paused):
            self._truth.log("replication_resumed", region=region, table=table)
        for link in self._links.values():
            ends = {(link.source, link.table), (link.target, link.table)}
            if ends & before and not self._is_paused(link):
                self._catch_up(link)
            self._plan(link)
        latencies, self._latencies = self._latencies, []
        if latencies:
            self._control.publish(latencies)

    def _take(self) -> None:
        """Send what was written on its way to the table's other regions."""
        while self._inbox and self._loop is not None:
            write = self._inbox.popleft()
            self._truth.log(
                "item_written",
                at_ns=write.at_ns,
                region=write.region,
                table=write.table,
                key=write.key,
                deleted=write.item is None,
            )
            self._send(write)

    def _send(self, write: ItemWrite) -> None:
        regions = self._regions.get((write.region, write.table))
        if regions is None:
            # Its table is younger than the last snapshot.
            self._of_new_tables.append(write)
            return
        for target in regions:
            if target != write.region:
                place = (write.table, write.region, target)
                link = self._links.setdefault(place, _Link(*place))
                self._queue(link, write, _canonical(write), self._now_s())
                self._plan(link)

    def _queue(self, link: _Link, write: ItemWrite, key: str, from_s: float) -> None:
        due_s = max(from_s + self._lag_s(), link.last_due_s.get(key, 0.0))
        link.last_due_s[key] = due_s
        heapq.heappush(link.waiting, _Waiting(due_s, next(self._numbers), key, write))

    def _catch_up(self, link: _Link) -> None:
        """Give what a pause held back a lag from now; the order of each key stays."""
        held = sorted(link.waiting, key=lambda one: one.number)
        link.waiting.clear()
        link.last_due_s.clear()
        for one in held:
            self._queue(link, one.write, one.key, self._now_s())

    def _plan(self, link: _Link) -> None:
        """Have the next delivery of a link happen when it is due; none while it is paused."""
        if link.timer is not None:
            link.timer.cancel()
            link.timer = None
        if self._loop is not None and link.waiting and not self._is_paused(link):
            at_s = max(link.waiting[0].due_s, link.throttled_until_s)
            link.timer = self._loop.call_at(at_s, self._deliver, link)

    def _deliver(self, link: _Link) -> None:
        link.timer = None
        now_s = self._now_s()
        while link.waiting and link.waiting[0].due_s <= now_s:
            one = link.waiting[0]
            try:
                self._apply(link, one)
            except ReplicaThrottled as refusal:
                link.throttled_until_s = now_s + max(refusal.wait_s, SHORTEST_WAIT_S)
                break
            heapq.heappop(link.waiting)
            if link.last_due_s.get(one.key) == one.due_s:
                del link.last_due_s[one.key]
        self._plan(link)

    def _apply(self, link: _Link, one: _Waiting) -> None:
        write, place = one.write, (link.target, link.table, one.key)
        version = (write.at_ns, write.region)
        there_ns = 0

        def superseded() -> bool:
            nonlocal there_ns
            if self._newest.get(place, (0, "")) > version:
                return True
            self._newest[place] = version
            # Who reads the table waits for its lock, which is held here: nobody sees the item before.
            there_ns = clock.monotonic_ns()
            return False

        if self._control.apply_replica(link.target, link.table, write.key, write.item, unless=superseded):
            lag_ms = (there_ns - write.at_ns) / 1e6
            dimensions = (("TableName", link.table), ("ReceivingRegion", link.target))
            self._latencies.append(
                Metric(link.source, NAMESPACE, "ReplicationLatency", dimensions, lag_ms, "Milliseconds")
            )
            self._truth.log(
                "item_replicated",
                at_ns=there_ns,
                region=link.target,
                source=link.source,
                table=link.table,
                key=write.key,
                written_ns=write.at_ns,
            )

    def _is_paused(self, link: _Link) -> bool:
        return bool({(link.source, link.table), (link.target, link.table)} & self._paused)

    def _now_s(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()


def _lags(profile: Profile) -> Callable[[], float]:
    draw = random.Random()
    mean = math.log(profile.replication_median_s)
    return lambda: draw.lognormvariate(mean, profile.replication_sigma)


def _canonical(write: ItemWrite) -> str:
    return json.dumps(write.key, sort_keys=True, default=str)
