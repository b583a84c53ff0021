"""Target tracking of Application Auto Scaling: a table's capacity follows what is consumed of it.

Each minute of the lab's clock gives a point: the share of the provisioned capacity that was
consumed, or none where nothing was. Two points above the target add capacity, fifteen below it
take some away, both between the target's minimum and maximum, at most once in a cooldown. A
table that nobody uses keeps what it has: there are no points then.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html

Who changes a capacity to what is outside of minimum and maximum is not noticed until a policy acts:
without one it stays. https://docs.aws.amazon.com/autoscaling/application/userguide/getting-started.html
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.lab.profile import Profile
from infra.lab.world import ControlPlane, ScalingPolicy, ScalingTarget, Snapshot, Table, TableUse

PERIOD_S = 60.0
OUT_PERIODS, IN_PERIODS = 2, 15
# AWS's alarms for a target of 70 percent are at 70 and at 50.
LOW_SHARE = 50 / 70
# After a refusal it is tried again only this many periods later.
REFUSED_PERIODS = 5

_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """What was consumed in one period.

    Attributes:
        units: Per second.
        percent: Of the capacity that was provisioned.

    """

    units: float
    percent: float


@dataclass(frozen=True, slots=True)
class Step:
    """A change of capacity, and what AWS would give as its cause."""

    units: int
    cause: str
    out: bool


@dataclass(slots=True)
class _Followed:
    """What is known of a target: its points, the oldest first, and when it may be changed again."""

    points: deque[Point | None] = field(default_factory=lambda: deque(maxlen=IN_PERIODS))
    last_out_s: float = -math.inf
    last_in_s: float = -math.inf
    wanted: int = 0
    not_before_s: float = -math.inf


def wanted_step(
    target: ScalingTarget, policy: ScalingPolicy, points: list[Point | None], now: int
) -> Step | None:
    """Return the change that a policy asks for; pure.

    Args:
        target: What is scaled.
        policy: How.
        points: Of the last periods, the oldest first; None where nothing was consumed.
        now: The provisioned units.

    """
    latest = [one for one in points[-OUT_PERIODS:] if one is not None and one.percent > policy.target]
    if len(latest) == OUT_PERIODS:
        units = min(target.maximum, max(target.minimum, _units(latest[-1], policy)))
        more = Step(units, _cause(target, policy, "AlarmHigh"), out=True)
        return more if units > now else bounds_step(target, now)
    lowest = policy.target * LOW_SHARE
    low = [one for one in points if one is not None and one.percent < lowest]
    if len(low) == IN_PERIODS and not policy.in_disabled:
        units = min(target.maximum, max(target.minimum, *(_units(one, policy) for one in low)))
        less = Step(units, _cause(target, policy, "AlarmLow"), out=False)
        return less if units < now else bounds_step(target, now)
    return None


def _units(point: Point, policy: ScalingPolicy) -> int:
    return max(1, math.ceil(point.units * 100 / policy.target))


def _cause(target: ScalingTarget, policy: ScalingPolicy, alarm: str) -> str:
    index = f"/index/{target.index}" if target.index else ""
    return (
        f"monitor alarm TargetTracking-table/{target.table}{index}-{alarm} in state ALARM "
        f"triggered policy {policy.name}"
    )


def bounds_step(target: ScalingTarget, now: int) -> Step | None:
    """Return the change that brings a capacity between the target's minimum and maximum; pure.

    It is asked for when a policy acts and when the target is registered, and at no other time.
    """
    if now < target.minimum:
        return Step(target.minimum, f"minimum capacity was set to {target.minimum}", out=True)
    if now > target.maximum:
        return Step(target.maximum, f"maximum capacity was set to {target.maximum}", out=False)
    return None


class Scaling:
    """Follows the scalable targets of tables and changes their capacity."""

    def __init__(
        self, control: ControlPlane, profile: Profile, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what it works with; nothing happens before the first :meth:`reconcile`."""
        self._control = control
        self._scale = profile.clock_scale
        self._now_s = now_s
        self._period_s = PERIOD_S * profile.clock_scale
        self._began_s = now_s()
        self._used: dict[_Place, TableUse] = {}
        self._followed: dict[tuple[_Place, str], _Followed] = {}

    async def start(self) -> None:
        """Begin a period."""
        self._began_s = self._now_s()
        self._used = _by_place(self._control.table_use())

    async def close(self) -> None:
        """Stop; nothing is left to be done."""

    def reconcile(self, snapshot: Snapshot) -> None:
        """Look at what was consumed if a period is over."""
        now_s = self._now_s()
        spent_s = now_s - self._began_s
        if spent_s < self._period_s:
            return
        used = _by_place(self._control.table_use())
        tables = {(one.region, one.name): one for one in snapshot.tables}
        known = {(_place(one), one.kind) for one in snapshot.scaling}
        self._followed = {key: one for key, one in self._followed.items() if key in known}
        # One update of a table at a time, whichever of its regions asks for it.
        changed: set[str] = set()
        for target in snapshot.scaling:
            table = tables.get((target.region, target.table))
            if table is None or table.billing != "PROVISIONED":
                continue
            self._look(target, table, _consumed(target, used, self._used) / spent_s)
            if table.name not in changed and self._follow(target, table, now_s):
                changed.add(table.name)
        self._used, self._began_s = used, now_s

    def _look(self, target: ScalingTarget, table: Table, units: float) -> None:
        """Add the point of the period that is over."""
        followed = self._followed.setdefault((_place(target), target.kind), _Followed())
        now = _provisioned(target, table)
        followed.points.append(Point(units, 100 * units / now) if units > 0 and now else None)

    def _follow(self, target: ScalingTarget, table: Table, now_s: float) -> bool:
        """Change a capacity if its points ask for it; return whether that was begun."""
        followed, now = self._followed[_place(target), target.kind], _provisioned(target, table)
        steps = (wanted_step(target, one, list(followed.points), now) for one in target.policies)
        step = next((found for found in steps if found), None)
        if step is None or table.status != "ACTIVE" or now_s < followed.not_before_s:
            return False
        if self._is_held(target, followed, step, now_s):
            return False
        if not self._control.scale(target, step.units, step.cause):
            followed.not_before_s = now_s + REFUSED_PERIODS * self._period_s
            return False
        self._note(followed, step, now_s)
        return True

    def _is_held(self, target: ScalingTarget, followed: _Followed, step: Step, now_s: float) -> bool:
        """Say whether a step must wait: it is suspended, or a cooldown is not over.

        A cooldown after capacity was added lets more be added only beyond what was asked for.
        """
        if step.out:
            cooldown_s = max((one.out_cooldown_s for one in target.policies), default=0.0) * self._scale
            cooling = now_s < followed.last_out_s + cooldown_s and step.units <= followed.wanted
            return target.out_suspended or cooling
        cooldown_s = max((one.in_cooldown_s for one in target.policies), default=0.0) * self._scale
        return target.in_suspended or now_s < followed.last_in_s + cooldown_s

    def _note(self, followed: _Followed, step: Step, now_s: float) -> None:
        followed.wanted = step.units
        followed.points.clear()
        if step.out:
            # More demand ends the cooldown of a decrease.
            followed.last_out_s, followed.last_in_s = now_s, -math.inf
        else:
            followed.last_in_s = now_s


def _place(target: ScalingTarget) -> _Place:
    return target.region, target.table, target.index


def _by_place(use: tuple[TableUse, ...]) -> dict[_Place, TableUse]:
    return {(one.region, one.table, one.index): one for one in use}


def _consumed(
    target: ScalingTarget, now: Mapping[_Place, TableUse], before: Mapping[_Place, TableUse]
) -> float:
    """Return the units that were consumed between two looks."""
    found, former = now.get(_place(target)), before.get(_place(target))
    if found is None:
        return 0.0
    units = found.read_units if target.kind == "Read" else found.write_units
    then = 0.0
    if former is not None:
        then = former.read_units if target.kind == "Read" else former.write_units
    # Less than before: another table of the same name.
    return units - then if units >= then else units


def _provisioned(target: ScalingTarget, table: Table) -> int:
    whole = next((one for one in table.indexes if one.name == target.index), None) if target.index else table
    if whole is None:
        return 0
    return whole.read_capacity if target.kind == "Read" else whole.write_capacity
