"""A global table whose replication runs in a loop, for the tests of tables."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drill.aws import Aws
from infra.lab import truth
from infra.lab.control_plane import ControlPlane, table_writes
from infra.lab.profile import Profile
from infra.lab.tables import Tables
from infra.lab.truth import TruthLog
from tests.infra.lab.tablelab import EAST, QUICK, WEST, get, put, template, until


@dataclass(slots=True)
class World:
    """A global table whose replication runs."""

    aws: Aws
    plane: ControlPlane
    tables: Tables
    truth_log: TruthLog
    log: Path
    arn: str

    def with_lag(self, median_s: float, sigma: float, folder: Path) -> "World":
        """Return the same world with another lag; this one hears of no more writes."""
        self.truth_log.close()
        profile = replace(QUICK, replication_median_s=median_s, replication_sigma=sigma)
        return replicating(self.plane, self.aws, folder / "lagging.jsonl", self.arn, profile)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what the truth log says of one kind."""
        return [event for event in truth.read(self.log) if event["kind"] == kind]

    async def put(self, token: str, nonce: str, region: str = EAST) -> None:
        """Write an item from a thread, as the control plane does."""
        await asyncio.to_thread(put, self.aws, token, nonce, region)

    async def nonce(self, token: str, region: str = WEST) -> str | None:
        """Return what a region holds of an item."""
        item = await asyncio.to_thread(get, self.aws, token, region)
        return None if item is None else str(item["nonce"])

    async def shows(self, token: str, nonce: str, region: str = WEST) -> None:
        """Wait until a region holds this of an item."""

        async def holds() -> bool:
            return await self.nonce(token, region) == nonce

        await until(holds)

    async def replicated(self, count: int) -> None:
        """Wait until so many writes have reached another region."""

        async def holds() -> bool:
            return len(self.events("item_replicated")) >= count

        await until(holds)

    async def pause(self, region: str = EAST) -> str:
        """Pause a region's replication; return the experiment's id."""
        arn = self.arn.replace(EAST, region)
        client = self.aws.client("fis", region)
        made = await asyncio.to_thread(client.create_experiment_template, **template(arn))
        started = await asyncio.to_thread(
            client.start_experiment, experimentTemplateId=made["experimentTemplate"]["id"]
        )
        self.tables.reconcile(self.plane.snapshot())
        return str(started["experiment"]["id"])

    async def resume(self, experiment_id: str, region: str = EAST) -> None:
        """Stop a pause."""
        await asyncio.to_thread(self.aws.client("fis", region).stop_experiment, id=experiment_id)
        self.tables.reconcile(self.plane.snapshot())


def replicating(plane: ControlPlane, aws: Aws, log: Path, arn: str, profile: Profile) -> World:
    """Give the replication of a table, which has not begun; it hears of every write from now on."""
    truth_log = TruthLog(log)
    tables = Tables(plane, profile, truth_log)
    table_writes.listen(lambda: tables)
    return World(aws, plane, tables, truth_log, log, arn)


def run(world: World, story: Coroutine[Any, Any, None]) -> None:
    """Run a story while the replication runs."""

    async def whole() -> None:
        await world.tables.start()
        world.tables.reconcile(world.plane.snapshot())
        try:
            await story
        finally:
            await world.tables.close()
            world.truth_log.close()

    asyncio.run(whole())
