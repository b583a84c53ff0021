"""What was asked of running databases: another instance or cluster takes over, or one becomes independent."""

import asyncio
import signal
from collections.abc import Mapping, Sequence

import structlog

from drill.errors import DrillError
from infra.lab import database_moves, world
from infra.lab.database import Database
from infra.lab.truth import TruthLog

UP_WITHIN_S = 60.0
_POLL_S = 0.02

log = structlog.get_logger()


class DatabaseTasks:
    """Does every task once, each in a task of its own."""

    def __init__(self, control: world.ControlPlane, truth: TruthLog) -> None:
        """Take whom to tell of their ends, and the truth log."""
        self._control = control
        self._truth = truth
        self._begun: dict[str, asyncio.Task[None]] = {}

    def reconcile(self, tasks: Sequence[world.DatabaseTask], databases: Mapping[str, Database]) -> None:
        """Begin those that are new; ``databases`` by resource."""
        for task in tasks:
            if task.id not in self._begun:
                work = self._run(task, databases.get(task.cluster), databases.get(task.former))
                self._begun[task.id] = asyncio.create_task(work)

    async def close(self) -> None:
        """Stop whatever is under way."""
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    async def _run(self, task: world.DatabaseTask, target: Database | None, former: Database | None) -> None:
        problem = ""
        try:
            await self._do(task, target, former)
        except DrillError as failure:
            problem = str(failure)
            log.error("a database did not do as asked", kind=task.kind, problem=problem)  # noqa: TRY400
        shown_ns = await self._tell(task, "done", problem)
        if task.kind == "restart" and target is not None and not problem:
            cluster = target.cluster
            self._truth.log("writer_changed", at_ns=shown_ns, region=cluster.region, cluster=cluster.id)

    async def _do(self, task: world.DatabaseTask, target: Database | None, former: Database | None) -> None:
        if target is None:
            msg = "a database that was to change is gone; look at: drill lab status"
            raise DrillError(msg)
        if task.kind == "restart":
            await database_moves.restart(target)
            await _until_up(target)
        elif task.kind == "detach":
            await self._promote(task, target)
        elif task.kind == "switchover" and former is not None:
            await self._switch_over(task, target, former)
        else:
            await self._fail_over(task, target, former)

    async def _switch_over(self, task: world.DatabaseTask, target: Database, former: Database) -> None:
        # What is written until the halt reaches only who listens.
        if former.running:
            await database_moves.streaming(target)
        end = await database_moves.halt(former, signal.SIGINT)
        try:
            await database_moves.catch_up(target, end)
            await self._promote(task, target)
        except DrillError:
            await database_moves.resume(former)
            raise
        await database_moves.lead(target, former, afresh=False)
        await database_moves.streaming(former)

    async def _fail_over(self, task: world.DatabaseTask, target: Database, former: Database | None) -> None:
        # Nobody may write to the former one any more, whether it is well or not.
        if former is not None:
            await database_moves.halt(former, signal.SIGQUIT)
        await self._promote(task, target)
        if former is not None:
            await database_moves.lead(target, former, afresh=True)
            await database_moves.streaming(former)

    async def _promote(self, task: world.DatabaseTask, target: Database) -> None:
        await database_moves.promote(target)
        self._truth.log("database_promoted", region=target.cluster.region, cluster=target.cluster.id)
        await self._tell(task, "promoted")

    async def _tell(self, task: world.DatabaseTask, state: str, problem: str = "") -> int:
        return await asyncio.to_thread(self._control.report_task, task.id, state, problem)


async def _until_up(database: Database) -> None:
    deadline = asyncio.get_running_loop().time() + UP_WITHIN_S
    while database.socket is None:
        if asyncio.get_running_loop().time() > deadline:
            msg = f"{database.cluster.id} did not come back in {UP_WITHIN_S:.0f} s; look at: drill lab status"
            raise DrillError(msg)
        await asyncio.sleep(_POLL_S)
