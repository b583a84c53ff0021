"""The processes of one version of a function: which are free, which are kept warm.

An invocation that finds no free process waits for a new one, or for one that is given back
before that has started, as on AWS. Only a few start at once: a crowd of interpreters that
start together on a small machine would make each other, and everything else, slow for
seconds, which no drill asked for.
"""

import asyncio
import collections
from collections.abc import Awaitable, Callable

import structlog

from infra.lab import world
from infra.lab.sandbox import InitFailed, Place, Sandbox

RETRY_S = 1.0
RETRY_MAX_S = 30.0

log = structlog.get_logger()


class Pool:
    """Reuses free processes, starts new ones, and keeps the provisioned ones warm."""

    def __init__(
        self,
        function: world.Function,
        place: Callable[[world.Function], Awaitable[Place]],
        started: Callable[[world.Function, Sandbox], None],
        ready: Callable[[world.Function, int], Awaitable[None]],
        starts: asyncio.Semaphore,
    ) -> None:
        """Take the version; whom to ask where it runs; whom to tell of starts, of warm ones; a turnstile."""
        self.function = function
        self._starts = starts
        self._place = place
        self._started = started
        self._ready = ready
        self._wanted = 0
        self._drained = False
        self._all: set[Sandbox] = set()
        self._idle: list[Sandbox] = []
        self._waiting: collections.deque[asyncio.Future[Sandbox]] = collections.deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep_warm())

    def provision(self, wanted: int) -> None:
        """Keep ``wanted`` processes warm from now on; returns at once."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        warm = [sandbox for sandbox in self._all if sandbox.provisioned]
        for sandbox in warm[wanted:]:
            sandbox.provisioned = False
        self._wake.set()

    async def take(self) -> Sandbox:
        """Return a free process, a provisioned one first; without one, start one (a cold start).

        Raises:
            InitFailed: The new process did not initialise.

        """
        free = [sandbox for sandbox in self._idle if sandbox.alive]
        if free:
            taken = max(free, key=lambda sandbox: (sandbox.provisioned, sandbox.idle_since))
            self._idle.remove(taken)
            return taken
        waiter: asyncio.Future[Sandbox] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        starting = asyncio.create_task(self._grow())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        return await waiter

    async def give_back(self, sandbox: Sandbox) -> None:
        """Hand a process to the first who waits, or keep it; a dead one, or a drained pool's, is ended."""
        while self._waiting and sandbox.alive:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(sandbox)
                return
        if self._drained or not sandbox.alive:
            await sandbox.end()
            return
        sandbox.idle_since = asyncio.get_running_loop().time()
        self._idle.append(sandbox)

    async def sweep(self, idle_s: float) -> None:
        """End what was not provisioned and has been free for ``idle_s``."""
        oldest = asyncio.get_running_loop().time() - idle_s
        for sandbox in [each for each in self._idle if not each.provisioned and each.idle_since <= oldest]:
            self._idle.remove(sandbox)
            await sandbox.end()

    async def drain(self, *, now: bool = False) -> None:
        """End the free processes, and each busy one when it is given back, or ``now``."""
        self._drained = True
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        ending = tuple(self._all) if now else tuple(self._idle)
        self._idle.clear()
        await asyncio.gather(*(sandbox.end() for sandbox in ending))
        if now:
            for starting in self._starting:
                starting.cancel()
            await asyncio.gather(*self._starting, return_exceptions=True)
            for waiter in self._waiting:
                waiter.cancel()

    async def _grow(self) -> None:
        """Start a process for the first who still waits when it is this start's turn."""
        async with self._starts:
            if not self._waiting:
                return
            try:
                sandbox = await self._start(provisioned=False)
            except Exception as problem:  # noqa: BLE001 - whoever waits gets it, whatever it is
                self._refuse(problem)
                return
        if not sandbox.alive:
            self._refuse(InitFailed(b'{"errorType": "Runtime.ExitError", "errorMessage": "ended at once"}'))
        await self.give_back(sandbox)

    def _refuse(self, problem: Exception) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(problem)
                return

    async def _start(self, *, provisioned: bool) -> Sandbox:
        sandbox = Sandbox(self.function, await self._place(self.function), provisioned=provisioned)
        self._all.add(sandbox)
        try:
            await sandbox.start()
        except BaseException:
            self._all.discard(sandbox)
            await sandbox.end()
            raise
        if sandbox.ended is not None:
            sandbox.ended.add_done_callback(lambda _: self._died(sandbox))
        self._started(self.function, sandbox)
        return sandbox

    def _died(self, sandbox: Sandbox) -> None:
        self._all.discard(sandbox)
        if sandbox in self._idle:
            self._idle.remove(sandbox)
        if sandbox.provisioned and not self._drained:
            self._wake.set()

    async def _keep_warm(self) -> None:
        pause_s = RETRY_S
        while True:
            await self._wake.wait()
            self._wake.clear()
            warm = sum(1 for sandbox in self._all if sandbox.provisioned)
            await self._ready(self.function, warm)
            while warm < self._wanted:
                try:
                    async with self._starts:
                        sandbox = await self._start(provisioned=True)
                    await self.give_back(sandbox)
                    pause_s = RETRY_S
                except (InitFailed, OSError) as problem:
                    # Lambda tries again too; the invoker of an on-demand process gets this error.
                    log.warning("no warm process", function=self.function.name, problem=str(problem))
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, RETRY_MAX_S)
                warm = sum(1 for sandbox in self._all if sandbox.provisioned)
                await self._ready(self.function, warm)
