"""What tests of the lab's processes ask of the machine."""

import asyncio
from collections.abc import Callable
from pathlib import Path


async def until(holds: Callable[[], bool], deadline_s: float = 30) -> None:
    """Wait until ``holds``."""
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110 - what is awaited is outside of this loop
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and is not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
