"""Reserved concurrency: so many invocations of a function at once, and not one more."""

import asyncio
from dataclasses import replace
from pathlib import Path

from infra.lab import world
from tests.infra.lab.functionlab import Lab, make_function, running

THROTTLED = (429, "TooManyRequestsException")


async def outcome(lab: Lab, qualifier: str = "") -> tuple[int, str]:
    """Invoke once; return status and error."""
    got = await asyncio.to_thread(lab.functions.invoke, "us-east-1", "shop", qualifier, b"{}")
    return got.status, got.error


async def until_busy(lab: Lab, number: int) -> None:
    """Wait until so many invocations are under way."""
    while len(lab.functions._running) < number:  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.01)


def test_one_more_than_reserved_is_throttled_over_all_versions(tmp_path: Path) -> None:
    """With two reserved, two run at once whichever version they ask for, and the third is refused."""

    async def scenario() -> None:
        latest = make_function(reserved=2)
        first = make_function(reserved=2, version="1")
        live = world.FunctionAlias("shop", "us-east-1", "live", "1")
        async with running(tmp_path, latest, first, aliases=(live,)) as lab:
            busy = [
                asyncio.create_task(lab.invoke(qualifier, do="sleep", seconds=2))
                for qualifier in ("", "live")
            ]
            await until_busy(lab, 2)
            assert await outcome(lab) == THROTTLED
            assert await outcome(lab, "live") == THROTTLED
            await asyncio.gather(*busy)
            assert await outcome(lab) == (200, "")

    asyncio.run(scenario())


def test_none_reserved_throttles_everything_at_once(tmp_path: Path) -> None:
    """Zero refuses every invocation; taken away, the same warm process serves on."""

    async def scenario() -> None:
        function = make_function()
        async with running(tmp_path, function) as lab:
            before = await lab.invoke()
            lab.functions.reconcile(world.Snapshot(functions=(replace(function, reserved=0),)))
            assert await outcome(lab) == THROTTLED
            lab.functions.reconcile(world.Snapshot(functions=(function,)))
            after = await lab.invoke()
            assert (after["pid"], after["calls"]) == (before["pid"], before["calls"] + 1)

    asyncio.run(scenario())


def test_another_function_is_not_concerned(tmp_path: Path) -> None:
    """What one function reserved is its own limit alone."""

    async def scenario() -> None:
        other = make_function(name="other", reserved=0)
        async with running(tmp_path, make_function(), other) as lab:
            assert await outcome(lab) == (200, "")

    asyncio.run(scenario())
