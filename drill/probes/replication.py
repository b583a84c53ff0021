"""Kind ``replication``: a marker is put into a table in one region and awaited in the other.

One poller reads all markers that are still awaited in one call (BatchGetItem, strongly
consistent within its region), so that a region that receives nothing is not flooded.

Good: it was seen. Bad: it was missing until the time-out (its lag is censored). Unknown: it
was not certainly written, or the other region could not be read, or the drill ended first.

Options:
    table: The global table's name.
    source: The region in which markers are put.
    destination: The region in which they are awaited.
    poll_s: Between two reads (default: a tenth of the probe's interval).
    insist: Put a marker again, every ``poll_s``, while the table refuses it for want of capacity:
        a throttled put was certainly not done. The lag counts from the put that was taken.

Detail: ``written_sent_ns written_done_ns`` (the put's two ends; the second only if it was
acknowledged), ``miss_sent_ns`` (when the last read that missed it was sent; absent if the
first read saw it), ``hit_done_ns`` (when the first read that saw it was done; absent if none
did), ``error``.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar

from drill import clock
from drill.faults.contract import Call
from drill.model import REFUSED_FOR_CAPACITY, Goodness, ProbeSpec
from drill.probes import options
from drill.probes.calls import Reply, call, clients
from drill.probes.contract import Context, Probe, Seen, told
from drill.probes.table import on_table
from drill.probes.writer import token

MOST_KEYS = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html


@dataclass(slots=True)
class _Marker:
    written: Reply
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    miss_sent_ns: int | None = None
    hit_done_ns: int | None = None


class ReplicationProbe(Probe):
    """Puts a marker on each attempt and awaits it."""

    kind: ClassVar[str] = "replication"

    def __init__(self, spec: ProbeSpec, context: Context) -> None:
        """Read the options."""
        super().__init__(spec, context)
        self._table = options.text(spec, "table")
        self._source = options.text(spec, "source")
        self._destination = options.text(spec, "destination")
        self._poll_s = options.number(spec, "poll_s", spec.interval_s / 10)
        self._insists = options.flag(spec, "insist")
        self._customer = f"drill-marker#{context.run_id}"
        self._awaited: dict[str, _Marker] = {}
        self._poller: asyncio.Task[None] | None = None
        self._put: Any = None
        self._get: Any = None

    @classmethod
    def calls(cls, spec: ProbeSpec) -> tuple[Call, ...]:
        """Return writes in one region and reads in the other."""
        table = options.text(spec, "table")
        return (
            on_table("PutItem", options.text(spec, "source"), table),
            on_table("BatchGetItem", options.text(spec, "destination"), table),
        )

    async def open(self) -> None:
        """Make both clients and begin polling."""
        aws = clients(self.context.endpoint_url, self.spec.timeout_s, self.context.role)
        self._put = aws.client("dynamodb", self._source).put_item
        self._get = aws.client("dynamodb", self._destination).batch_get_item
        self._poller = asyncio.create_task(self._poll())

    async def attempt(self, number: int) -> Seen:
        """Put one marker and await it until the time-out, counted from the put."""
        begun_ns = clock.monotonic_ns()
        if self._poller is not None and self._poller.done():
            self._poller.result()  # it never ends by itself: this raises what ended it
        key = token(number)
        written = await self._written(key, number)
        left_s = self.spec.timeout_s - self._poll_s
        while self._insists and written.error in REFUSED_FOR_CAPACITY and _passed_s(begun_ns) < left_s:
            await asyncio.sleep(self._poll_s)
            written = await self._written(key, number)
        if written.error:
            return Seen(Goodness.UNKNOWN, None, told(written_sent_ns=written.sent_ns, error=written.error))
        marker = self._awaited[key] = _Marker(written)
        goodness = Goodness.BAD if await self._seen(marker, begun_ns) else Goodness.UNKNOWN
        del self._awaited[key]
        return self._conclusion(marker, goodness)

    async def _written(self, key: str, number: int) -> Reply:
        return await call(
            self._put,
            self.spec.timeout_s,
            TableName=self._table,
            Item=self._key(key) | {"number": {"N": str(number)}, "region": {"S": self._source}},
        )

    async def _seen(self, marker: _Marker, begun_ns: int) -> bool:
        """Await a marker; return False if the drill ended before its time-out."""
        left_s = self.spec.timeout_s - _passed_s(begun_ns)
        try:
            async with asyncio.timeout(left_s):
                await marker.seen.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            # The sampler ends; what is known of the marker by now is still worth keeping.
            return False
        return True

    def _conclusion(self, marker: _Marker, unseen: Goodness) -> Seen:
        hit_ns = marker.hit_done_ns
        if hit_ns is not None:
            goodness = Goodness.GOOD
        else:
            goodness = Goodness.UNKNOWN if marker.miss_sent_ns is None else unseen
        detail = told(
            written_sent_ns=marker.written.sent_ns,
            written_done_ns=marker.written.done_ns,
            miss_sent_ns=marker.miss_sent_ns,
            hit_done_ns=hit_ns,
            error="" if hit_ns is not None else "never_seen",
        )
        return Seen(goodness, None if hit_ns is None else self._destination, detail, hit_ns)

    async def _poll(self) -> None:
        while True:
            begun_ns = clock.monotonic_ns()
            keys = list(self._awaited)
            for first in range(0, len(keys), MOST_KEYS):
                await self._look(keys[first : first + MOST_KEYS])
            await asyncio.sleep(self._poll_s - (clock.monotonic_ns() - begun_ns) / 1e9)

    async def _look(self, keys: list[str]) -> None:
        """Read some awaited markers once and note which were there."""
        wanted = {"Keys": [self._key(key) for key in keys], "ConsistentRead": True}
        reply = await call(self._get, self.spec.timeout_s, RequestItems={self._table: wanted})
        if reply.error:
            return
        there = {item["token"]["S"] for item in reply.document["Responses"].get(self._table, [])}
        unread = reply.document.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        skipped = {key["token"]["S"] for key in unread}
        for key in keys:
            marker = self._awaited.get(key)
            if marker is None or key in skipped:
                continue
            if key in there:
                marker.hit_done_ns = reply.done_ns
                marker.seen.set()
            else:
                marker.miss_sent_ns = reply.sent_ns

    def _key(self, key: str) -> dict[str, dict[str, str]]:
        return {"customer": {"S": self._customer}, "token": {"S": key}}

    async def close(self) -> None:
        """Stop polling."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait((self._poller,))


def _passed_s(since_ns: int) -> float:
    return (clock.monotonic_ns() - since_ns) / 1e9
