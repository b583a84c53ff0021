"""Amazon EventBridge Scheduler: what is due is really called, through the lab's own AWS API.

``rate`` and ``cron`` follow the lab's clock, which the profile may let run faster; ``at`` is
real, like start and end dates. AWS invokes somewhere within the minute that is due; here it is
done at once. A call that fails is repeated, ever later, as the target's retry policy says, and
then told to its dead-letter queue; what has begun goes on when its schedule is changed or deleted.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import structlog

from infra.lab.profile import Profile
from infra.lab.schedule_calls import Caller, Invocation
from infra.lab.schedule_expressions import At, Expression, Rate, parse
from infra.lab.truth import TruthLog
from infra.lab.virtual_time import VirtualClock
from infra.lab.world import Schedule, Snapshot

log = structlog.get_logger()

T = TypeVar("T")

# AWS says that the time between two tries grows exponentially and names no figures; these are
# the lab's, in seconds of its clock.
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 300.0
# Past any rounding between the two clocks.
_INSTANT_S = 0.001
_AT_ONCE = 16


@dataclass(slots=True)
class _Armed:
    """A schedule that is being followed; ``timer`` is None when it is not due any more."""

    schedule: Schedule
    expression: Expression
    timer: asyncio.TimerHandle | None = None


class Schedules:
    """Follows the snapshots' schedules and invokes what is due."""

    def __init__(self, caller: Caller, profile: Profile, truth: TruthLog, clock: VirtualClock) -> None:
        """Take what it works with; nothing happens before :meth:`start`.

        Args:
            caller: Calls the targets.
            profile: The lab's time scale.
            truth: Where each call is noted.
            clock: The lab's clock for what recurs.

        """
        self._scale = profile.clock_scale
        self._truth = truth
        self._clock = clock
        self._caller = caller
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="schedules")
        self._armed: dict[str, _Armed] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Do nothing yet: schedules come with the snapshots."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow a snapshot; returns at once, in the loop's thread."""
        wanted = {schedule.arn: schedule for schedule in snapshot.schedules}
        for arn, armed in list(self._armed.items()):
            if wanted.get(arn) != armed.schedule:
                _disarm(self._armed.pop(arn))
        for arn in wanted.keys() - self._armed.keys():
            schedule = wanted[arn]
            armed = _Armed(schedule, parse(schedule.expression, schedule.timezone))
            self._armed[arn] = armed
            if schedule.enabled:
                self._arm(armed, schedule.modified_s - _INSTANT_S)

    async def close(self) -> None:
        """Stop following; calls that are under way end, and none is repeated."""
        for armed in self._armed.values():
            _disarm(armed)
        self._armed.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)

    def _arm(self, armed: _Armed, after_s: float) -> None:
        """Set the timer for the first time after an instant; without one, the schedule may go."""
        due_s = next_due_s(armed.schedule, armed.expression, self._clock, after_s)
        if due_s is None:
            armed.timer = None
            if armed.schedule.deleted_after:
                self._begin(self._delete(armed.schedule))
            return
        wait_s = max(0.0, due_s - time.time())
        armed.timer = asyncio.get_running_loop().call_later(wait_s, self._due, armed, due_s)

    def _due(self, armed: _Armed, due_s: float) -> None:
        self._begin(self._invoke(armed, due_s))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a schedule was given up", exc_info=problem)

    async def _invoke(self, armed: _Armed, due_s: float) -> None:
        schedule = armed.schedule
        last = isinstance(armed.expression, At)
        if not last:
            self._arm(armed, max(due_s, time.time()) + _INSTANT_S)
        await asyncio.sleep(random.uniform(0, schedule.window_s) * self._scale)
        await self._deliver(Invocation(schedule, due_s))
        if last:
            self._arm(armed, due_s)

    async def _deliver(self, invocation: Invocation) -> None:
        """Call the target until it takes the call or the retry policy is at its end."""
        schedule, policy = invocation.schedule, invocation.schedule.target["RetryPolicy"]
        over = time.monotonic() + policy["MaximumEventAgeInSeconds"] * self._scale
        attempt, wait_s = 0, _FIRST_RETRY_S
        while True:
            attempt += 1
            failure = await self._in_thread(self._caller.invoke, invocation, attempt)
            noted = {"schedule": schedule.arn, "target": schedule.target["Arn"], "due_s": invocation.due_s}
            if failure is None:
                self._truth.log("schedule_invoked", **noted, attempt=attempt)
                return
            self._truth.log("schedule_failed", **noted, attempt=attempt, error=failure.text)
            exhausted = ""
            if attempt > policy["MaximumRetryAttempts"]:
                exhausted = "MaximumRetryAttempts"
            elif time.monotonic() + wait_s * self._scale > over:
                exhausted = "MaximumEventAgeInSeconds"
            if exhausted:
                await self._in_thread(self._caller.bury, invocation, failure, attempt, exhausted)
                return
            await asyncio.sleep(wait_s * self._scale)
            wait_s = min(2 * wait_s, _LONGEST_RETRY_S)

    async def _delete(self, schedule: Schedule) -> None:
        await self._in_thread(self._caller.delete, schedule)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _disarm(armed: _Armed) -> None:
    if armed.timer is not None:
        armed.timer.cancel()


def next_due_s(
    schedule: Schedule, expression: Expression, clock: VirtualClock, after_s: float
) -> float | None:
    """Return the first instant after another at which a schedule is due; None when there is none.

    All instants are real seconds since 1970.
    """
    if isinstance(expression, At):
        # The dates of a schedule that is due once are ignored.
        at_s = expression.moment.timestamp()
        return at_s if at_s > after_s else None
    begin_s = schedule.modified_s if schedule.start_s is None else schedule.start_s
    if isinstance(expression, Rate):
        period_s = expression.period_s * clock.scale
        passed = math.floor((after_s - begin_s) / period_s) + 1
        due_s = begin_s + max(0, passed) * period_s
    else:
        found = expression.after(clock.shown_at(max(after_s, begin_s - _INSTANT_S)))
        if found is None:
            return None
        due_s = clock.real_s(found)
    return due_s if schedule.end_s is None or due_s < schedule.end_s else None
