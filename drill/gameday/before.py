"""What must be in order before a day is held: the last one's reports signed off, its actions done."""

from datetime import datetime
from pathlib import Path

from drill import clock, runs
from drill.errors import UsageError
from drill.gameday import folder as days
from drill.gameday.folder import Held
from drill.gameday.form import GameDay
from drill.signing import signed_off

# So late a day is begun all the same: a scheduler looks now and then, and a tick comes once a minute.
_TOLERANCE_S = 60.0


def may_be_late_s(day: GameDay) -> float:
    """Return how many seconds after its planned instant a day may still begin."""
    return max(day.schedule.late_s if day.schedule else 0.0, _TOLERANCE_S)


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
