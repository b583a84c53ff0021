"""AWS Backup by the clock: a plan's rules run when they are due, and recovery points end in their time.

Rules follow the lab's clock, which the profile may let run faster, as do the days of a
lifecycle; what a rule then does is the control plane's part.
https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
"""

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from infra.lab.schedule_expressions import Cron, parse
from infra.lab.virtual_time import VirtualClock
from infra.lab.world import BackupRule, ControlPlane, RecoveryPoint, Snapshot

log = structlog.get_logger()

# Past any rounding between the two clocks.
_INSTANT_S = 0.001


@dataclass(slots=True)
class _Armed:
    """A rule that is followed; ``due_s`` is None when it will never be due again."""

    rule: BackupRule
    cron: Cron
    due_s: float | None = None


class Backups:
    """Follows the snapshots' rules and recovery points."""

    def __init__(self, control: ControlPlane, clock: VirtualClock) -> None:
        """Take whom to tell, and the lab's clock for what recurs."""
        self._control = control
        self._clock = clock
        self._rules: dict[tuple[str, str, str], _Armed] = {}
        self._ending: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Do nothing yet: rules come with the snapshots."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Run what is due; returns at once, in the loop's thread."""
        self._follow(snapshot.backup_rules)
        now = time.time()
        for (region, plan_id, rule_id), armed in self._rules.items():
            if armed.due_s is not None and armed.due_s <= now:
                armed.due_s = self._next(armed.cron, now)
                self._begin(functools.partial(self._control.run_backup_rule, region, plan_id, rule_id))
        self._end(snapshot.recovery_points, now)

    async def close(self) -> None:
        """Run no more; jobs that are under way end with the databases."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _follow(self, rules: tuple[BackupRule, ...]) -> None:
        wanted = {(rule.region, rule.plan_id, rule.rule_id): rule for rule in rules}
        for key in list(self._rules):
            if wanted.get(key) != self._rules[key].rule:
                del self._rules[key]
        for key in wanted.keys() - self._rules.keys():
            cron = parse(wanted[key].expression, wanted[key].timezone)
            if isinstance(cron, Cron):
                self._rules[key] = _Armed(wanted[key], cron, self._next(cron, time.time()))

    def _next(self, cron: Cron, after_s: float) -> float | None:
        found = cron.after(self._clock.shown_at(after_s + _INSTANT_S))
        return None if found is None else self._clock.real_s(found)

    def _end(self, points: tuple[RecoveryPoint, ...], now: float) -> None:
        self._ending &= {(point.region, point.arn) for point in points}
        for point in points:
            key = (point.region, point.arn)
            if point.delete_at_s <= now and key not in self._ending:
                self._ending.add(key)
                self._begin(functools.partial(self._control.expire_recovery_point, *key))

    def _begin(self, work: Callable[[], None]) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a backup by plan broke", exc_info=problem)
