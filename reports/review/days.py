"""Game days as the review shows them: which wait for a person, what is left, what a reader may answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from drill import clock
from drill.errors import UsageError
from drill.gameday import folder
from drill.gameday.answers import Answer
from drill.gameday.before import last_before, unsigned
from drill.gameday.folder import Held
from drill.gameday.form import Action
from reports.review.run_page import Said, shown
from reports.review.trail import ANSWERS, UNDELIVERED, Entry
from reports.wording import wall_time

_TONES: Mapping[str, str] = {"met": "met", "breached": "breached"}
_LENGTH = 10


@dataclass(frozen=True, slots=True)
class GameDays:
    """Where the game days are.

    Attributes:
        root: The folder of all days.
        give: Gives a day an answer in somebody's name; raises a DrillError if it does not reach the day.

    """

    root: Path
    give: Callable[[Answer, str], object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    id: str
    state: str
    planned: str
    target: str
    outcomes: tuple[tuple[str, str, str], ...]
    reason: str
    unsigned: int
    open_actions: int
    asks: str


@dataclass(frozen=True, slots=True)
class Before:
    """What the last day of a name left to be done before the next one.

    Attributes:
        day: Its id.
        unsigned: Runs whose reports nobody signed off.
        actions: What is not done yet, and whether it is overdue.
        signed_off: ``block`` or ``warn``: whether the next day waits for the sign-offs.
        open_actions: The same of overdue actions.

    """

    day: str
    unsigned: tuple[str, ...]
    actions: tuple[tuple[Action, bool], ...]
    signed_off: str
    open_actions: str

    @property
    def blocks(self) -> bool:
        """Whether the next day would not be held now."""
        late = any(overdue for _, overdue in self.actions)
        return bool(self.unsigned and self.signed_off == "block") or (late and self.open_actions == "block")


@dataclass(frozen=True, slots=True)
class Overview:
    """All days.

    Attributes:
        lines: The newest first.
        before: What is left to be done, by the days' names.
        problems: Days that can't be read.

    """

    lines: tuple[Line, ...]
    before: tuple[Before, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """What people said of a day, and what it can be answered now.

    Attributes:
        asks: What it waits for, in words; empty if for nothing.
        number: Which drill waits, from 0; None if none does.
        vetoable: It is planned and may be vetoed.
        given: The answer that the scheduler has not taken up yet.
        said: Everything that was said here, the oldest first.
        seen: The last line of the trail about it.

    """

    asks: str
    number: int | None
    vetoable: bool
    given: Said | None
    said: tuple[Said, ...]
    seen: int


def overview(root: Path, runs_root: Path) -> Overview:
    """Return all days; one that can't be read hides no other."""
    read, problems = folder.readable(root)
    last = {held.day.name: held for held in read}
    left = tuple(found for held in last.values() if (found := _before(held, root, runs_root)) is not None)
    lines = tuple(_line(held, runs_root) for held in reversed(read))
    return Overview(lines, left, tuple(problems))


def waiting(root: Path) -> tuple[tuple[str, str], ...]:
    """Return the days that wait for an approval, with what they ask."""
    readable, _ = folder.readable(root)  # the list of days names the others
    return tuple((held.id, asks(held)) for held in readable if held.waits_for is not None)


def panel(held: Held, entries: Sequence[Entry]) -> Panel:
    """Return what was said of a day, and what it can be answered."""
    number = held.waits_for
    vetoable = held.state == "planned"
    answer = next((one for one in reversed(entries) if one.kind in (*ANSWERS, UNDELIVERED)), None)
    about = None if number is None else number + 1
    open_yet = vetoable or number is not None
    given = answer if answer and open_yet and answer.kind != UNDELIVERED else None
    if given is not None and given.fields.get("drill") != about:
        given = None
    return Panel(
        asks=asks(held),
        number=number,
        vetoable=vetoable,
        given=shown(given) if given else None,
        said=tuple(shown(entry) for entry in entries),
        seen=entries[-1].seq if entries else 0,
    )


def asks(held: Held) -> str:
    """Return what a day waits for, in words; empty if for nothing."""
    number = held.waits_for
    if number is not None:
        every = held.day.drills
        return f"drill {number + 1} of {len(every)}, {every[number].scenario}, waits for an approval"
    if held.state == "planned":
        return f"begins at {held.planned_at:%Y-%m-%d %H:%M} UTC unless it is vetoed"
    return ""


def _line(held: Held, runs_root: Path) -> Line:
    outcomes = tuple(
        (str(one["scenario"]), str(one["outcome"]), _TONES.get(str(one["outcome"]), "inconclusive"))
        for one in held.drills
    )
    return Line(
        id=held.id,
        state=held.state,
        planned=wall_time(held.planned_at.isoformat())[:16],
        target=held.day.target.name,
        outcomes=outcomes,
        reason=folder.reason(held),
        unsigned=len(unsigned(held, runs_root)),
        open_actions=len(held.open_actions),
        asks=asks(held),
    )


def _before(newest: Held, root: Path, runs_root: Path) -> Before | None:
    """Return what is left of the last day of a name that was held; the newest day's file has the rules."""
    try:
        held = newest if newest.state == "ended" else last_before(newest, root)
    except UsageError:
        return None  # the list names the day that can't be read
    if held is None:
        return None
    today = date.fromisoformat(clock.now().wall[:_LENGTH])
    late = folder.overdue(held, today)
    left = Before(
        day=held.id,
        unsigned=unsigned(held, runs_root),
        actions=tuple((one, one in late) for one in held.open_actions),
        signed_off=newest.day.signed_off,
        open_actions=newest.day.open_actions,
    )
    return left if left.unsigned or left.actions else None
