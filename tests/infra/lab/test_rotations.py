"""The physics of rotation schedules."""

import asyncio
import threading
import time

import pytest

from drill.aws import Aws
from infra.lab import world
from infra.lab.control_plane import ControlPlane
from infra.lab.rotations import Rotations
from tests.infra.lab.planelab import EAST, WEST, Lab
from tests.infra.lab.processes import until
from tests.infra.lab.secretlab import STEPS, Rotating


class Control:
    """Notes what it is asked to rotate."""

    def __init__(self) -> None:
        """Rotate at once."""
        self.asked: list[tuple[str, str]] = []
        self.go = threading.Event()
        self.go.set()
        self.problem: Exception | None = None

    def rotate_due(self, region: str, arn: str) -> None:
        """Note one."""
        self.asked.append((region, arn))
        self.go.wait(10)
        if self.problem is not None:
            raise self.problem


def due(*after_s: float) -> world.Snapshot:
    """Return a snapshot with secrets that are due so many seconds from now."""
    now = time.time()
    return world.Snapshot(
        rotations=tuple(
            world.SecretRotation(f"arn-{number}", EAST, now + later) for number, later in enumerate(after_s)
        )
    )


def test_what_is_due_is_rotated_once() -> None:
    """Only what is due is rotated, and not a second time while it is under way."""

    async def scenario() -> None:
        control = Control()
        control.go.clear()
        rotations = Rotations(control)  # type: ignore[arg-type]  # they ask for no more than this
        await rotations.start()
        snapshot = due(-1, 60)
        for _ in range(3):
            rotations.reconcile(snapshot)
            await until(lambda: bool(control.asked))
        assert control.asked == [(EAST, "arn-0")]
        control.go.set()
        await until(lambda: not rotations._tasks)
        rotations.reconcile(snapshot)
        await until(lambda: len(control.asked) == 2)
        await rotations.close()

    asyncio.run(scenario())


def test_one_that_breaks_does_not_end_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """What rotating one secret raises is logged, and the next look rotates it again."""

    async def scenario() -> None:
        control = Control()
        control.problem = RuntimeError("no such luck")
        rotations = Rotations(control)  # type: ignore[arg-type]  # see above
        rotations.reconcile(due(-1, -1))
        await until(lambda: not rotations._tasks)
        assert "a scheduled rotation broke" in "".join(capsys.readouterr())
        rotations.reconcile(due(-1))
        await until(lambda: len(control.asked) == 3)
        await rotations.close()

    asyncio.run(scenario())


def test_closing_does_not_wait_for_a_step() -> None:
    """A lab that ends does not wait for a function that takes its time."""

    async def scenario() -> None:
        control = Control()
        control.go.clear()
        rotations = Rotations(control)  # type: ignore[arg-type]  # see above
        rotations.reconcile(due(-1))
        await until(lambda: bool(control.asked))
        try:
            await asyncio.wait_for(rotations.close(), 5)
        finally:
            control.go.set()

    asyncio.run(scenario())


def test_a_schedule_rotates_again_and_again() -> None:
    """On a fast clock a secret with an interval of a day is rotated by itself, each time anew."""

    async def scenario() -> None:
        with ControlPlane("127.0.0.1", 0, (EAST, WEST), clock_scale=3e-6) as plane:
            one = Rotating(Lab(plane, Aws(plane.endpoint_url, timeout_s=30, attempts=1)))
            rotations = Rotations(plane)
            await asyncio.to_thread(one.rotate, RotationRules={"AutomaticallyAfterDays": 1})
            try:
                async with asyncio.timeout(20):
                    while len(one.rotator.events) < 3 * len(STEPS):
                        rotations.reconcile(await asyncio.to_thread(plane.snapshot))
                        await asyncio.sleep(0.02)
            finally:
                await rotations.close()
            steps = [event["Step"] for event in one.rotator.events]
            assert steps[: 3 * len(STEPS)] == STEPS * 3
            tokens = {event["ClientRequestToken"] for event in one.rotator.events[: 3 * len(STEPS)]}
            assert len(tokens) == 3

    asyncio.run(scenario())
