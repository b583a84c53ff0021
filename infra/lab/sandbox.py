"""One execution environment of a function: a real process under AWS's own runtime client.

The process is all that is real here: it is spawned, imports and initialises as on AWS.
There is no micro-VM around it and its memory limit is not enforced.
"""

import asyncio
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.lab import spawn, world
from infra.lab.runtime_api import Event, RuntimeApi

RUNTIME = Path(__file__).with_name("runtime")
HOST = "127.0.0.1"
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_S = 10.0
_END_S = 5.0


class InitFailed(Exception):
    """A process did not initialise; ``payload`` is the error's JSON."""

    def __init__(self, payload: bytes) -> None:
        """Take the JSON that the invoker gets."""
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function's processes run.

    Attributes:
        code: The folder of its unpacked archive.
        log: The file that its output is appended to.
        endpoints: Where the AWS API answers it, as environment variables of the SDKs.
        resolver: ``address:port`` of its VPC's resolver.

    """

    code: Path
    log: Path
    endpoints: Mapping[str, str]
    resolver: str


class Sandbox:
    """One process, which handles one invocation at a time.

    Attributes:
        provisioned: Whether it is kept warm.
        started_s: How long its start took, until it asked for its first event.
        idle_since: When its last invocation ended, on the loop's clock.

    """

    def __init__(self, function: world.Function, place: Place, *, provisioned: bool) -> None:
        """Take what it runs and where; nothing is started yet."""
        self.provisioned = provisioned
        self.started_s = 0.0
        self.idle_since = 0.0
        self._function = function
        self._place = place
        self._api = RuntimeApi()
        self._process: asyncio.subprocess.Process | None = None
        self.ended: asyncio.Task[int] | None = None

    async def start(self) -> None:
        """Start the process and wait until its handler is imported.

        Raises:
            InitFailed: It posted an error, ended, or took longer than Lambda grants.

        """
        began = time.monotonic()
        kind = "provisioned-concurrency" if self.provisioned else "on-demand"
        environment = {
            **_environment(self._function, self._place),
            "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
            "AWS_LAMBDA_RUNTIME_API": await self._api.open(HOST),
        }
        arguments = (sys.executable, "-m", "awslambdaric", self._function.handler)
        program = spawn.Program(arguments, environment, self._place.code, self._place.log)
        self._process = await spawn.spawn(program)
        self.ended = asyncio.create_task(self._process.wait())
        first: set[asyncio.Future[Any]] = {self._api.initialised, self.ended}
        await asyncio.wait(first, timeout=INIT_S, return_when=asyncio.FIRST_COMPLETED)
        if not self._api.initialised.done():
            error = _exited("INIT", self.ended.result()) if self.ended.done() else _timed_out("INIT", INIT_S)
        elif (posted := self._api.initialised.result()) is not None:
            error = posted
        else:
            self.started_s = time.monotonic() - began
            return
        await self.end()
        raise InitFailed(error)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.ended is not None and not self.ended.done()

    async def invoke(self, payload: bytes) -> world.Invocation:
        """Run one invocation to its end; the process is killed at the function's time-out."""
        if self.ended is None:
            msg = "a sandbox is started before it is invoked"
            raise RuntimeError(msg)
        request_id = str(uuid.uuid4())
        limit_s = self._function.timeout_s
        event = Event(request_id, self._function.arn, int((time.time() + limit_s) * 1000), payload)
        answer = asyncio.create_task(self._api.deliver(event))
        first: set[asyncio.Future[Any]] = {answer, self.ended}
        await asyncio.wait(first, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            got = answer.result()
            return world.Invocation(got.payload, "Unhandled" if got.failed else "")
        answer.cancel()
        if self.ended.done():
            return world.Invocation(_exited(request_id, self.ended.result()), "Unhandled")
        await self.end()
        return world.Invocation(_timed_out(request_id, limit_s), "Unhandled")

    async def end(self) -> None:
        """Kill the process, as Lambda does, and close its Runtime API."""
        if self._process is not None and self.ended is not None:
            spawn.kill(self._process)
            await self.ended
        await self._api.close()


def _environment(function: world.Function, place: Place) -> Mapping[str, str]:
    """Return what Lambda gives a function, and its own variables; nothing of the daemon's but PATH."""
    resolved = function.runtime or f"python{sys.version_info.major}.{sys.version_info.minor}"
    return {
        **function.environment,
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        # Without a home of its own the SDK would read the configuration of whoever started the lab.
        "HOME": str(place.code),
        "PYTHONPATH": f"{RUNTIME}{os.pathsep}{place.code}",
        "LAMBDA_TASK_ROOT": str(place.code),
        "LAMBDA_RUNTIME_DIR": str(RUNTIME),
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{resolved}",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"[{function.version}]",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_SESSION_TOKEN": "lab",
        **place.endpoints,
        "LAB_RESOLVER": place.resolver,
    }


def _timed_out(request_id: str, seconds: float) -> bytes:
    text = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": text}).encode()


def _exited(request_id: str, code: int) -> bytes:
    how = f"exit status {code}" if code >= 0 else f"signal: {signal.Signals(-code).name}"
    text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
    return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": text}).encode()
