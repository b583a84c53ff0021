"""What must be in order before a day is held: none beside it, the last one signed off, its actions done."""

from datetime import datetime, timedelta
from pathlib import Path

from drill import clock, runs, target
from drill.errors import DrillError, UsageError
from drill.gameday import folder as days
from drill.gameday.folder import Held
from drill.gameday.form import GameDay
from drill.guards.hours import Span
from drill.signing import signed_off

# So late a day is begun all the same: a scheduler looks now and then, and a tick comes once a minute.
_TOLERANCE_S = 60.0


def may_be_late_s(day: GameDay) -> float:
    """Return how many seconds after its planned instant a day may still begin."""
    return max(day.schedule.late_s if day.schedule else 0.0, _TOLERANCE_S)


def span(day: GameDay, at: datetime) -> Span:
    """Return when a day that is planned for an instant may be going: it may begin late, and last its time."""
    return Span(at, at + timedelta(seconds=(day.lasts_s or 0) + may_be_late_s(day)))


def same_target(one: GameDay, other: GameDay) -> bool:
    """Say whether two days are held on one target: it is known by its name, whatever its file is called.

    Raises:
        TargetError: A target file can't be read.

    """
    return one.target == other.target or target.load(one.target).name == target.load(other.target).name


def beside(held: Held, now: datetime, root: Path) -> str:
    """Return which day that is going on the same target keeps one from beginning, or nothing.

    One whose time is over begins no drill any more, whatever became of it.
    """
    try:
        for other in days.readable(root)[0]:
            going = other.state == "going" and now < span(other.day, other.planned_at).ends_at
            if going and other.id != held.id and same_target(other.day, held.day):
                return f"{other.id} is held on the same target"
    except DrillError as problem:
        return str(problem)
    return ""


def missed(held: Held, now: datetime) -> str:
    """Return why a day that has not begun begins no more, or nothing."""
    behind_s = (now - held.planned_at).total_seconds()
    if held.state == "planned" and behind_s > may_be_late_s(held.day):
        return f"it was missed: nobody served at {held.planned_at:%Y-%m-%d %H:%M} UTC"
    return ""


def last_before(held: Held, root: Path) -> Held | None:
    """Return the day of the same name that was held before this one; None if there was none.

    Raises:
        UsageError: One before it can't be read, so nobody knows whether it was.

    """
    for identifier in reversed(days.ids(root, held.day.name)):
        if days.when(identifier) < held.planned_at:
            earlier = days.read(root / identifier)
            if earlier.state == "ended":
                return earlier
    return None


def unsigned(held: Held, runs_root: Path) -> tuple[str, ...]:
    """Return the ids of a day's finished runs that nobody has signed off, or that were disputed since."""
    every = [str(one["run_id"]) for one in held.drills]
    return tuple(
        run_id
        for run_id in every
        if (runs_root / run_id / runs.RECORD).exists() and not signed_off(runs_root / run_id)
    )


def warnings(held: Held, root: Path, runs_root: Path) -> tuple[str, ...]:
    """Return what is left of the day before, one line each."""
    try:
        return tuple(text for text, _ in _left(held, root, runs_root))
    except UsageError as problem:
        return (str(problem),)


def blocked(held: Held, root: Path, runs_root: Path) -> str:
    """Return why a day may not be held yet, or nothing; if nobody can say, it may not."""
    try:
        return "; ".join(text for text, blocks in _left(held, root, runs_root) if blocks)
    except UsageError as problem:
        return str(problem)


def _left(held: Held, root: Path, runs_root: Path) -> list[tuple[str, bool]]:
    before = last_before(held, root)
    if before is None:
        return []
    today = datetime.fromisoformat(clock.now().wall).date()
    left = []
    without = unsigned(before, runs_root)
    if without:
        text = f"not signed off: {', '.join(without)}; sign them off with: drill review"
        left.append((text, held.day.signed_off == "block"))
    late = days.overdue(before, today)
    if late:
        listed = ", ".join(f"{one.what!r} ({one.owner}, due {one.due})" for one in late)
        text = f"overdue actions of {before.id}: {listed}; close them with: drill gameday done"
        left.append((text, held.day.open_actions == "block"))
    return left
