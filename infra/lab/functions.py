"""Functions: every invocation runs in a real process, with a real cold start where none is free.

A version's code is unpacked once. A process handles one invocation at a time; a free one is
used again, and is ended when it has been free for a while. Provisioned ones are started
ahead and kept. A function with reserved concurrency has no more invocations under way than that,
over all its versions: one more is throttled.
"""

import asyncio
import collections
import concurrent.futures
import dataclasses
import io
import json
import os
import time
import zipfile
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from infra.lab import world
from infra.lab.addresses import Addresses
from infra.lab.pool import Pool
from infra.lab.profile import Profile
from infra.lab.sandbox import InitFailed, Place, Sandbox
from infra.lab.service_metrics import ServiceMetrics, invoked, throttled
from infra.lab.truth import TruthLog

LIMIT = 50
IDLE_S = 60.0

Key = tuple[str, str, str]


class EndpointsFor(Protocol):
    """Tells where functions reach the AWS API, as environment variables of the SDKs."""

    def __call__(self, region: str, *, inside: bool) -> Mapping[str, str]:
        """Return them for functions of a region, inside its VPC or outside."""


_THROTTLED = world.Invocation(b'{"message":"Rate Exceeded."}', "TooManyRequestsException", 429)
_CLOSED = world.Invocation(b'{"message":"The lab is ending."}', "ServiceException", 503)


class Functions:
    """Runs Lambda functions; an :class:`infra.lab.world.Invoker`."""

    def __init__(  # noqa: PLR0913 - what every part of the lab takes, and its two neighbours
        self,
        addresses: Addresses,
        profile: Profile,
        truth: TruthLog,
        control: world.ControlPlane,
        state_dir: Path,
        *,
        endpoints_for: EndpointsFor,
        dns_port: int,
        idle_s: float = IDLE_S,
        metrics: ServiceMetrics | None = None,
    ) -> None:
        """Take the lab's parts.

        Args:
            addresses: For the VPCs' resolvers.
            profile: Not used yet: nothing about a process is scaled.
            truth: Hears of every start.
            control: What to follow, and to tell of warm processes.
            state_dir: The folder for code and logs.
            endpoints_for: Returns where a region's functions, inside or outside its VPC, reach the AWS API.
            dns_port: The port of the VPCs' resolvers.
            idle_s: After how long a free process is ended, in seconds.
            metrics: What Lambda says of invocations; nothing without it.

        """
        self._addresses = addresses
        self._profile = profile
        self._truth = truth
        self._control = control
        self._state_dir = state_dir
        self._endpoints_for = endpoints_for
        self._dns_port = dns_port
        self._idle_s = idle_s
        self._metrics = metrics
        self._busy: collections.Counter[tuple[str, str]] = collections.Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._pools: dict[Key, Pool] = {}
        self._aliases: dict[Key, str] = {}
        self._reserved: dict[tuple[str, str], int] = {}
        self._unpacked: dict[str, asyncio.Task[Path]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[world.Invocation]] = set()

    async def start(self) -> None:
        """Remember the loop, in which all processes are started."""
        self._loop = asyncio.get_running_loop()
        self._background(self._sweep())

    def reconcile(self, snapshot: world.Snapshot) -> None:
        """Make the pools follow the functions; returns at once, in the loop's thread."""
        self._aliases = {(each.region, each.function, each.name): each.version for each in snapshot.aliases}
        self._reserved = {
            (each.region, each.name): each.reserved
            for each in snapshot.functions
            if each.reserved is not None
        }
        wanted = {(each.region, each.name, each.version): each for each in snapshot.functions}
        for key, pool in tuple(self._pools.items()):
            if key not in wanted or _settings(pool.function) != _settings(wanted[key]):
                del self._pools[key]
                self._background(pool.drain())
        for key, function in wanted.items():
            if key not in self._pools:
                self._pools[key] = Pool(function, self._place, self._started, self._ready, self._starts)
            self._pools[key].provision(function.provisioned)

    async def close(self) -> None:
        """End every process; invocations under way end with an error."""
        self._loop = None
        pools = tuple(self._pools.values())
        self._pools.clear()
        await asyncio.gather(*(pool.drain(now=True) for pool in pools))
        await asyncio.gather(*self._running, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def invoke(self, region: str, function: str, qualifier: str, payload: bytes) -> world.Invocation:
        """Run one invocation to its end (blocking, from any thread but the loop's)."""
        loop = self._loop
        if loop is None:
            return _CLOSED
        if _in_loop(loop):
            msg = "invoke blocks: in the loop's thread await run() instead"
            raise RuntimeError(msg)
        try:
            future = asyncio.run_coroutine_threadsafe(self.run(region, function, qualifier, payload), loop)
            return future.result()
        except concurrent.futures.CancelledError:
            return _CLOSED

    async def run(self, region: str, function: str, qualifier: str, payload: bytes) -> world.Invocation:
        """Run one invocation to its end, in the loop; as :meth:`invoke` otherwise."""
        pool = self._pool(region, function, qualifier)
        if pool is None:
            # The control plane may know of it already.
            self.reconcile(await asyncio.to_thread(self._control.snapshot))
            pool = self._pool(region, function, qualifier)
        if pool is None:
            text = f"Function not found: {function}:{qualifier or '$LATEST'}"
            return world.Invocation(json.dumps({"Message": text}).encode(), "ResourceNotFoundException", 404)
        if self._loop is None:
            return _CLOSED
        busy = (region, function)
        if len(self._running) >= LIMIT or self._busy[busy] >= self._reserved.get(busy, LIMIT):
            self._say(throttled(region, function, qualifier))
            return _THROTTLED
        self._busy[busy] += 1
        task = asyncio.create_task(self._measured(pool, qualifier, payload, self._busy[busy]))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._busy.subtract([busy]))
        return await task

    async def _measured(self, pool: Pool, qualifier: str, payload: bytes, running: int) -> world.Invocation:
        function = pool.function
        done = await _invoke(pool, payload)
        self._say(
            invoked(
                function.region,
                function.name,
                qualifier,
                failed=bool(done.invocation.error),
                duration_ms=done.seconds * 1000,
                running=running,
                spilled=not done.provisioned if function.provisioned else None,
            )
        )
        return done.invocation

    def _say(self, said: Iterable[world.Metric]) -> None:
        if self._metrics is not None:
            self._metrics.add(said)

    def _pool(self, region: str, function: str, qualifier: str) -> Pool | None:
        named = qualifier or "$LATEST"
        version = self._aliases.get((region, function, named), named)
        return self._pools.get((region, function, version))

    async def _place(self, function: world.Function) -> Place:
        sha = function.code_sha256
        if sha not in self._unpacked:
            folder = self._state_dir / "code" / sha.translate(str.maketrans("/+", "_-", "="))
            self._unpacked[sha] = asyncio.create_task(asyncio.to_thread(_unpack, function.code, folder))
        code = await asyncio.shield(self._unpacked[sha])
        log = self._state_dir / f"function-{function.region}-{function.name}.log"
        addresses = self._addresses
        inside = bool(function.subnet_ids)
        resolver = addresses.vpc_resolver(function.region) if inside else addresses.client_resolver
        endpoints = self._endpoints_for(function.region, inside=inside)
        return Place(code, log, endpoints, f"{resolver}:{self._dns_port}")

    def _started(self, function: world.Function, sandbox: Sandbox) -> None:
        self._truth.log(
            "function_started",
            region=function.region,
            function=function.name,
            version=function.version,
            seconds=sandbox.started_s,
            provisioned=sandbox.provisioned,
        )

    async def _ready(self, function: world.Function, ready: int) -> None:
        report = self._control.provisioned_ready
        await asyncio.to_thread(report, function.region, function.name, function.version, ready)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._idle_s / 10)
            for pool in tuple(self._pools.values()):
                await pool.sweep(self._idle_s)

    def _background(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclasses.dataclass(frozen=True, slots=True)
class _Done:
    """An invocation that ran: how long its code took, and whether in a provisioned process."""

    invocation: world.Invocation
    seconds: float
    provisioned: bool


async def _invoke(pool: Pool, payload: bytes) -> _Done:
    try:
        sandbox = await pool.take()
    except InitFailed as problem:
        return _Done(world.Invocation(problem.payload, "Unhandled"), 0.0, provisioned=False)
    began = time.monotonic()
    try:
        invocation = await sandbox.invoke(payload)
        return _Done(invocation, time.monotonic() - began, sandbox.provisioned)
    finally:
        await pool.give_back(sandbox)


def _settings(function: world.Function) -> world.Function:
    """Return a function without what may change under a running process."""
    return dataclasses.replace(function, provisioned=0, reserved=None, code=b"")


def _in_loop(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _unpack(archive: bytes, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as code:
            code.extractall(folder)
    except zipfile.BadZipFile as problem:
        # AWS refuses such code when it is uploaded.
        text = f"Could not unzip uploaded file: {problem}"
        error = {"errorType": "InvalidParameterValueException", "errorMessage": text}
        raise InitFailed(json.dumps(error).encode()) from problem
    return folder
