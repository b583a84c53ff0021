"""What is kept of a game day: one folder a day, ``<name>-<instant>``, with append-only JSON lines.

``day.json`` is the game-day file as it was when the day began. ``events.jsonl`` says what happened:
one object a line with ``at`` (UTC) and ``kind``: ``planned notified vetoed approved begun drill stopped
skipped ended unreported``. ``notes.jsonl`` are people's notes, ``actions.jsonl`` what they decided to do.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from drill import clock, redaction
from drill.errors import UsageError
from drill.gameday.form import Action, GameDay, as_document, from_document
from drill.model import Json

DEFAULT = Path("gamedays")
DAY, EVENTS, NOTES, ACTIONS, REPORT = (
    "day.json",
    "events.jsonl",
    "notes.jsonl",
    "actions.jsonl",
    "report.html",
)
_ID = re.compile(r"^[a-z0-9][a-z0-9-]*-\d{8}t\d{6}z$")
OVER = frozenset({"skipped", "ended"})


@dataclass(frozen=True, slots=True)
class Held:
    """One day as its folder tells it.

    Attributes:
        id: Its id.
        day: The game-day file as it was.
        events: What happened, in order.
        notes: What people wrote down: ``at by text``.
        actions: What they decided, in order; the last of a text counts.

    """

    id: str
    day: GameDay
    events: tuple[Mapping[str, Any], ...]
    notes: tuple[Mapping[str, Any], ...]
    actions: tuple[Action, ...]

    @property
    def state(self) -> str:
        """``planned``, ``going``, ``skipped`` or ``ended``."""
        kinds = {event["kind"] for event in self.events}
        return next(
            (kind for kind in ("ended", "skipped") if kind in kinds),
            "going" if "begun" in kinds else "planned",
        )

    @property
    def planned_at(self) -> datetime:
        """When it was to begin."""
        return when(self.id)

    @property
    def drills(self) -> tuple[Mapping[str, Any], ...]:
        """What became of each drill: ``number scenario run_id outcome exit_code reason``."""
        latest = {event["number"]: event for event in self.events if event["kind"] == "drill"}
        return tuple(latest[number] for number in sorted(latest))

    @property
    def answered(self) -> frozenset[int]:
        """Which drills somebody approved or refused, from 0."""
        return frozenset(int(one["number"]) for one in self.events if one["kind"] in {"approved", "refused"})

    @property
    def waits_for(self) -> int | None:
        """Which drill waits for an approval now, from 0; None if none does."""
        if self.state != "going":
            return None
        asked = [int(one["number"]) for one in self._asked]
        left = [number for number in asked if number not in self.answered and number >= len(self.drills)]
        return left[-1] if left else None

    @property
    def waits_until(self) -> datetime | None:
        """When the day ends if nobody answers what it waits for now; None if it waits for nobody."""
        number = self.waits_for
        if number is None:
            return None
        asked_at = datetime.fromisoformat(str(self._asked[-1]["at"]))
        return asked_at + timedelta(seconds=self.day.drills[number].approval_within_s)

    @property
    def _asked(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(
            one for one in self.events if one["kind"] == "notified" and one["occasion"] == "approval"
        )

    @property
    def open_actions(self) -> tuple[Action, ...]:
        """What is not done yet."""
        return tuple(one for one in self.actions if not one.done)


def day_id(name: str, at: datetime) -> str:
    """Return the id of a day: its name and its planned instant, so that each date has one."""
    return f"{name}-{at.astimezone(UTC):%Y%m%dt%H%M%Sz}"


def is_id(text: str) -> bool:
    """Say whether a text has the form of a day's id."""
    return _ID.match(text) is not None


def when(identifier: str) -> datetime:
    """Return the planned instant of an id."""
    return datetime.strptime(identifier[-16:], "%Y%m%dt%H%M%Sz").replace(tzinfo=UTC)


def begin(root: Path, identifier: str, day: GameDay) -> Path:
    """Make a day's folder unless it is there, and return it."""
    folder = root / identifier
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / DAY).exists():
        partial = folder / f"{DAY}.partial"
        partial.write_text(json.dumps(as_document(day), indent=1), encoding="utf-8")
        partial.replace(folder / DAY)
        note(folder, "planned", planned_at=when(identifier).isoformat())
    return folder


def note(folder: Path, kind: str, **fields: Json) -> None:
    """Append what happened to a day."""
    _append(folder / EVENTS, {"at": clock.now().wall, "kind": kind, **fields})


def write_note(folder: Path, by: str, text: str) -> None:
    """Append a person's note."""
    _append(folder / NOTES, {"at": clock.now().wall, "by": by, "text": text})


def write_action(folder: Path, action: Action) -> None:
    """Append an action, or a newer state of one."""
    _append(folder / ACTIONS, action.model_dump(mode="json"))


def read(folder: Path) -> Held:
    """Read a day's folder.

    Raises:
        UsageError: It is none, or it is damaged.

    """
    try:
        day = from_document(json.loads((folder / DAY).read_text(encoding="utf-8")))
        actions = {one["what"]: Action.model_validate(one) for one in _lines(folder / ACTIONS)}
        return Held(
            folder.name,
            day,
            tuple(_lines(folder / EVENTS)),
            tuple(_lines(folder / NOTES)),
            tuple(actions.values()),
        )
    except (OSError, ValueError) as problem:
        msg = f"game day {folder} can't be read: {problem}; see: drill gameday history"
        raise UsageError(msg) from problem


def ids(root: Path, name: str = "") -> list[str]:
    """Return the ids of all days, or of those of one name, the oldest first.

    A folder without ``day.json`` is no day yet: whoever made it was cut off, and it is begun anew.
    """
    if not root.is_dir():
        return []
    every = [one.name for one in root.iterdir() if is_id(one.name) and (one / DAY).exists()]
    return sorted((one for one in every if not name or one[:-17] == name), key=lambda one: (when(one), one))


def listed(root: Path, name: str = "") -> list[Held]:
    """Return all days, or those of one name, the oldest first.

    Raises:
        UsageError: One can't be read.

    """
    return [read(root / one) for one in ids(root, name)]


def readable(root: Path, name: str = "") -> tuple[list[Held], list[str]]:
    """Return all days that can be read, the oldest first, and what is wrong with the others."""
    found, problems = [], []
    for one in ids(root, name):
        try:
            found.append(read(root / one))
        except UsageError as problem:
            problems.append(str(problem))
    return found, problems


def find(root: Path, identifier: str) -> Path:
    """Return a day's folder; ``latest`` is the last planned one that is going, or else the last one.

    Raises:
        UsageError: There is none of that id.

    """
    if identifier == "latest":
        every = listed(root)
        going = [held for held in every if held.state not in OVER]
        chosen = (going or every)[-1:]
        if chosen:
            return root / chosen[0].id
        msg = f"no game day was held under {root}; see: drill gameday check FILE"
        raise UsageError(msg)
    if not is_id(identifier) or not (root / identifier).is_dir():
        msg = f"no game day {identifier!r} under {root}; list them with: drill gameday history"
        raise UsageError(msg)
    return root / identifier


def reason(held: Held) -> str:
    """Return why a day was skipped, or why it ended early; empty if it did not."""
    last = next((one for one in reversed(held.events) if one["kind"] in OVER), None)
    return str(last.get("reason") or "") if last else ""


def overdue(held: Held, today: date) -> tuple[Action, ...]:
    """Return a day's actions that should be done by now."""
    return tuple(one for one in held.open_actions if one.due < today)


def _append(path: Path, line: Mapping[str, Json]) -> None:
    raw = redaction.redacted(json.dumps(line, ensure_ascii=False)).encode() + b"\n"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, raw)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.exists():
        return
    # Not splitlines: a person's text may hold other ends of lines, as U+2028. What follows the last one
    # was torn by a crash, and says nothing.
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        yield json.loads(line)
