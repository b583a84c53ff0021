"""Rotation schedules: a secret that is due is rotated, and a rotation that failed is tried again."""

import asyncio
import functools
import time

import structlog

from infra.lab import world

log = structlog.get_logger()


class Rotations:
    """Begins the rotations that are due; when that is, the control plane says, on the lab's clock."""

    def __init__(self, control: world.ControlPlane) -> None:
        """Take whom to ask."""
        self._control = control
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Do nothing yet: what is due comes with the snapshots."""

    def reconcile(self, snapshot: world.Snapshot) -> None:
        """Begin what is due; returns at once, in the loop's thread."""
        now = time.time()
        for rotation in snapshot.rotations:
            if rotation.due_at <= now and rotation.arn not in self._tasks:
                task = asyncio.create_task(
                    asyncio.to_thread(self._control.rotate_due, rotation.region, rotation.arn)
                )
                self._tasks[rotation.arn] = task
                task.add_done_callback(functools.partial(self._ended, rotation.arn))

    async def close(self) -> None:
        """Begin no more; the steps of one that is under way end with the functions."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _ended(self, arn: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(arn, None)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a scheduled rotation broke", secret=arn, exc_info=problem)
