"""Route 53's health checks: checkers that really connect, and the states that they come to.

Each endpoint check has a few checkers at staggered times. As AWS documents it, the interval
runs from an answer to the next request, so a time-out makes the round longer:
https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
"""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from infra.lab.addresses import Addresses
from infra.lab.alarm_rules import INSUFFICIENT
from infra.lab.checker import Look, look
from infra.lab.health_rules import ALARM_TYPE, ENDPOINT_TYPES, Opinion, by_stream, states
from infra.lab.profile import Profile
from infra.lab.truth import TruthLog
from infra.lab.world import CheckerReport, HealthCheck, Metric, Snapshot

# Where AWS's checkers are, in the order in which the lab's take their names.
_REGIONS = (
    "us-east-1",
    "eu-west-1",
    "ap-northeast-1",
    "us-west-2",
    "sa-east-1",
    "ap-southeast-1",
    "us-west-1",
)
_FIRST_CHECKER = 101

Resolve = Callable[[str], Sequence[str]]
Changed = Callable[[str, bool], None]


class Streams(Protocol):
    """Tells what the data behind alarms say."""

    def stream(self, check_id: str) -> str:
        """Return the state that the data behind a check's alarm come to."""

    def on_stream(self, changed: Callable[[], None]) -> None:
        """Have ``changed()`` called, in the loop's thread, when they come to another."""


@dataclass(slots=True)
class _Watch:
    """The checkers of one endpoint check."""

    check: HealthCheck
    opinions: list[Opinion]
    reports: dict[int, CheckerReport] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class HealthChecks:
    """Follows the snapshots' health checks; a new one starts healthy (an assumption of the lab).

    A disabled check is not looked at, but what its checkers held before is kept. Checks on an
    alarm have no checkers: what the data behind it say is asked of ``streams``.
    """

    def __init__(
        self,
        addresses: Addresses,
        profile: Profile,
        truth: TruthLog,
        resolve: Resolve,
        *,
        streams: Streams | None = None,
    ) -> None:
        """Take the lab's parts.

        Args:
            addresses: For the checkers' own.
            profile: Scales the intervals.
            truth: Hears of every change.
            resolve: How names are resolved: as the authoritative server answers the public.
            streams: What the data behind alarms say; without it they say nothing.

        """
        self._block = addresses.block
        self._profile = profile
        self._truth = truth
        self._resolve = resolve
        self._checks: dict[str, HealthCheck] = {}
        self._watches: dict[str, _Watch] = {}
        self._states: dict[str, bool] = {}
        self._listeners: list[Changed] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams = streams
        self._by_alarm: dict[str, bool] = {}
        if streams is not None:
            streams.on_stream(self._settle)

    async def start(self) -> None:
        """Do nothing yet: checkers come with the snapshots."""

    def healthy(self, check_id: str) -> bool:
        """Return the state that a check shows now; True for one that is not known."""
        return self._states.get(check_id, True)

    def on_change(self, changed: Changed) -> None:
        """Have ``changed(check_id, healthy)`` called, in the loop's thread, when a state changes."""
        self._listeners.append(changed)

    def reports(self, health_check_id: str) -> Sequence[CheckerReport]:
        """Return every checker's last report of an endpoint check; safe from any thread."""
        watch = self._watches.get(health_check_id)
        return () if watch is None else tuple(watch.reports.copy().values())

    def metrics(self) -> Iterator[Metric]:
        """Yield what Route 53 publishes of every check that is not disabled; all of it in us-east-1.

        https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html
        """
        for check in [check for check in self._checks.values() if not check.disabled]:
            said = {"HealthCheckStatus": (float(self.healthy(check.id)), "None")}
            watch = self._watches.get(check.id)
            if watch is not None:
                share = sum(opinion.healthy for opinion in watch.opinions) / len(watch.opinions)
                said["HealthCheckPercentageHealthy"] = (100 * share, "Percent")
            if check.type == "CALCULATED":
                healthy = sum(map(self.healthy, check.children))
                said["ChildHealthCheckHealthyCount"] = (float(healthy), "Count")
            for name, (value, unit) in said.items():
                dimensions = (("HealthCheckId", check.id),)
                yield Metric("us-east-1", "AWS/Route53", name, dimensions, value, unit)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow a snapshot; inverting or disabling a check shows at once."""
        self._checks = {check.id: check for check in snapshot.health_checks}
        for check_id in self._watches.keys() - self._checks.keys():
            _cancel(self._watches.pop(check_id))
        for check in self._checks.values():
            if check.type in ENDPOINT_TYPES:
                self._watch(check)
        self._settle()

    async def close(self) -> None:
        """Stop all checkers; leaves no task and no socket."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _watch(self, check: HealthCheck) -> None:
        opinions = [Opinion()] * self._profile.checkers
        watch = self._watches.setdefault(check.id, _Watch(check, opinions))
        watch.check = check
        if check.disabled:
            _cancel(watch)
        elif not watch.tasks:
            watch.tasks = [self._started(watch, number) for number in range(self._profile.checkers)]

    def _started(self, watch: _Watch, number: int) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._check(watch, number))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a checker stopped", "exception": problem, "task": task}
            )

    async def _check(self, watch: _Watch, number: int) -> None:
        interval_s = watch.check.interval_s * self._profile.check_scale
        source = f"127.{self._block}.0.{_FIRST_CHECKER + number}"
        await asyncio.sleep(number * interval_s / self._profile.checkers)
        attempt = 0
        while True:
            seen = await self._look(watch.check, source, attempt)
            attempt += 1
            self._note(watch, number, good=seen.good)
            region = _REGIONS[number % len(_REGIONS)]
            watch.reports[number] = CheckerReport(region, source, seen.status, time.time())
            opinion = watch.opinions[number]
            watch.opinions[number] = opinion.after(good=seen.good, threshold=watch.check.threshold)
            self._settle()
            await asyncio.sleep(interval_s)

    def _note(self, watch: _Watch, number: int, *, good: bool) -> None:
        """Note in the truth log that a checker sees the endpoint otherwise than the last time."""
        before = watch.reports.get(number)
        if before is None or before.status.startswith("Success") != good:
            self._truth.log("checker_changed", health_check_id=watch.check.id, checker=number, good=good)

    async def _look(self, check: HealthCheck, source: str, attempt: int) -> Look:
        found = (check.host,) if _is_address(check.host) else self._resolve(check.host)
        if not found:
            return Look(good=False, status=f"Failure: {check.host} does not resolve")
        return await look(check, found[attempt % len(found)], source, self._profile)

    def _look_at_streams(self) -> Iterator[tuple[str, bool]]:
        for check in self._checks.values():
            if check.type == ALARM_TYPE:
                stream = INSUFFICIENT if self._streams is None else self._streams.stream(check.id)
                yield check.id, by_stream(check, stream, self._by_alarm.get(check.id, True))

    def _settle(self) -> None:
        """Work out every state again, and tell of those that changed."""
        opinions = {check_id: watch.opinions for check_id, watch in self._watches.items()}
        self._by_alarm = dict(self._look_at_streams())
        now = states(self._checks, opinions, self._by_alarm)
        before, self._states = self._states, now
        for check_id, healthy in now.items():
            if before.get(check_id, True) == healthy:
                continue
            self._truth.log("health_changed", health_check_id=check_id, healthy=healthy)
            for changed in self._listeners:
                changed(check_id, healthy)


def _cancel(watch: _Watch) -> None:
    for task in watch.tasks:
        task.cancel()
    watch.tasks = []


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
