"""AWS calls for probes: never retried, timed at the wire's edge, errors as short words."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from drill import clock
from drill.aws import Aws
from drill.role import Role


@cache
def clients(endpoint_url: str | None, timeout_s: float, role: Role | None = None) -> Aws:
    """Return AWS clients that try once; probes with one time-out share them, since they are slow to make."""
    return Aws(endpoint_url, timeout_s, attempts=1, role=role)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one call.

    Attributes:
        sent_ns: When it was made.
        done_ns: When its result was known, or it was given up.
        document: The answer; empty after an error.
        error: Empty, or timeout, unreachable, closed, or AWS's own error code.
        refused: AWS answered with an error: nothing was done.

    """

    sent_ns: int
    done_ns: int
    document: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    refused: bool = False


async def call(method: Callable[..., Any], timeout_s: float, **parameters: object) -> Reply:
    """Call a method of a boto3 client in a thread, once, and give up after a while."""
    sent_ns = clock.monotonic_ns()
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(ask, method, parameters)
    except TimeoutError:
        return Reply(sent_ns, clock.monotonic_ns(), error="timeout")


def ask(method: Callable[..., Any], parameters: Mapping[str, object]) -> Reply:
    """Call a method of a boto3 client once, in this thread; it is given up as the client is configured."""
    sent_ns = clock.monotonic_ns()
    try:
        document = method(**parameters)
    except ClientError as problem:
        code = str(problem.response.get("Error", {}).get("Code", "ClientError"))
        return Reply(sent_ns, clock.monotonic_ns(), error=code, refused=True)
    except BotoCoreError as problem:
        return Reply(sent_ns, clock.monotonic_ns(), error=_short_word(problem))
    return Reply(sent_ns, clock.monotonic_ns(), document)


def _short_word(problem: BotoCoreError) -> str:
    if isinstance(problem, ConnectTimeoutError | ReadTimeoutError):
        return "timeout"
    if isinstance(problem, EndpointConnectionError):
        return "unreachable"
    if isinstance(problem, ConnectionClosedError):
        return "closed"
    return type(problem).__name__
