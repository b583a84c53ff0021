"""The report of a game day: all its drills on one page, its time line, people's notes and decisions."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from drill import record as records
from drill import runs, target
from drill.errors import UsageError
from drill.gameday import folder as days
from drill.gameday.before import unsigned, warnings
from drill.gameday.folder import Held
from drill.gameday.form import Action
from drill.record import Record
from reports.render import environment, policy, source
from reports.wording import measured

_TEMPLATE = "gameday.html.j2"
_TONES = {"met": "met", "breached": "breached"}
_EARLIER = 5
_SAID = ("occasion", "scenario", "outcome", "text", "reason", "by")


@dataclass(frozen=True, slots=True)
class Row:
    """One drill of the day, as the page shows it."""

    place: str
    run_id: str
    scenario: str
    tone: str
    word: str
    reason: str
    link: str
    there: bool
    numbers: tuple[tuple[str, str], ...]
    signed: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """Something on the day's time line."""

    at: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page, ready to be written."""

    identifier: str
    name: str
    tone: str
    word: str
    reason: str
    owner: str
    target: str
    planned: str
    participants: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    moments: tuple[Moment, ...]
    actions: tuple[Action, ...]
    left: tuple[str, ...]
    heads: tuple[str, ...]
    earlier: tuple[tuple[str, tuple[str, ...]], ...]


def write(place: Path, days_root: Path, runs_root: Path) -> Path:
    """Render the report of a day into its folder and return where it is.

    Raises:
        UsageError: The day can't be read.

    """
    whole = text(place, days_root, runs_root)
    path = place / days.REPORT
    partial = path.with_suffix(".partial")
    partial.write_text(whole, encoding="utf-8")
    partial.replace(path)
    return path


def text(place: Path, days_root: Path, runs_root: Path) -> str:
    """Return the report of a day as one file of HTML.

    Raises:
        UsageError: The day can't be read.

    """
    made = environment()
    sheet = source(made, "report.css")
    return made.get_template(_TEMPLATE).render(
        page=page(days.read(place), place, days_root, runs_root),
        link=lambda row: row.link,
        style=Markup(sheet),  # noqa: S704  # our own file, and the policy below names its hash
        policy=policy(sheet),
    )


def page(held: Held, place: Path, days_root: Path, runs_root: Path) -> Page:
    """Return what a day's report shows."""
    finished = {str(one["run_id"]): _record(runs_root, one) for one in held.drills}
    rows = tuple(_row(held, one, finished[str(one["run_id"])], (place, runs_root)) for one in held.drills)
    word, tone, reason = _verdict(held)
    readable, _ = days.readable(days_root, held.day.name)
    earlier = [one for one in readable if one.planned_at <= held.planned_at]
    heads = tuple(drill.scenario for drill in held.day.drills)
    return Page(
        identifier=held.id,
        name=held.day.name,
        tone=tone,
        word=word,
        reason=reason,
        owner=held.day.owner,
        target=_target(held),
        planned=f"{held.planned_at:%A %Y-%m-%d %H:%M} UTC",
        participants=tuple((one.name, one.part) for one in held.day.participants),
        rows=rows,
        moments=_moments(held),
        actions=held.actions,
        left=warnings(held, days_root, runs_root),
        heads=heads,
        earlier=tuple((one.id, _outcomes(one, runs_root)) for one in earlier[-_EARLIER:]),
    )


def _target(held: Held) -> str:
    try:
        return target.load(held.day.target).name
    except UsageError:
        return held.day.target.name  # it was moved away since


def _verdict(held: Held) -> tuple[str, str, str]:
    reason = days.reason(held)
    number = held.waits_for
    if number is not None:
        scenario, until = held.day.drills[number].scenario, f"{held.waits_until:%Y-%m-%d %H:%M:%S} UTC"
        said = f"Drill {number + 1}, {scenario}, begins when somebody approves it; at {until} the day ends."
        return "Waits for an approval", "inconclusive", said
    if held.state != "ended":
        return held.state.capitalize(), "inconclusive", reason or "The day is not over."
    outcomes = [str(one["outcome"]) for one in held.drills]
    met = outcomes.count("met")
    said = f"{met} of {len(held.day.drills)} drills were met."
    if any(one["exit_code"] == 3 for one in held.drills):
        return "Not everything was put back", "broken", f"{said} {reason}"
    if met == len(held.day.drills):
        return "Met", "met", said
    worst = "breached" if "breached" in outcomes else "inconclusive"
    return worst.capitalize(), worst, " ".join(part for part in (said, reason) if part)


def _record(runs_root: Path, one: Mapping[str, Any]) -> Record | None:
    try:
        return records.read(runs_root / str(one["run_id"]) / runs.RECORD)
    except UsageError:
        return None  # it did not finish, or was moved away: its row says so by having no numbers


def _row(held: Held, one: Mapping[str, Any], finished: Record | None, where: tuple[Path, Path]) -> Row:
    place, runs_root = where
    outcome, run_id = str(one["outcome"]), str(one["run_id"])
    report = runs_root / run_id / runs.REPORT
    judgements = finished.judgements if finished else ()
    numbers = tuple((it.measurement.label, measured(it.measurement)) for it in judgements if it.measurement)
    return Row(
        place=f"{int(one['number']) + 1} of {len(held.day.drills)}",
        run_id=run_id,
        scenario=str(one["scenario"]),
        tone=_TONES.get(outcome, "inconclusive"),
        word=outcome,
        reason=str(one["reason"]),
        link=os.path.relpath(report, place) if report.exists() else "",
        there=(runs_root / run_id).is_dir(),
        numbers=numbers,
        signed=finished is not None and run_id not in unsigned(held, runs_root),
    )


def _moments(held: Held) -> tuple[Moment, ...]:
    every = [Moment(str(event["at"]), str(event["kind"]), _said(event)) for event in held.events]
    every += [Moment(str(note["at"]), "note", f"{note['by']}: {note['text']}") for note in held.notes]
    return tuple(
        Moment(one.at[11:19], one.kind, one.text) for one in sorted(every, key=lambda moment: moment.at)
    )


def _said(event: Mapping[str, Any]) -> str:
    parts = [str(event[key]) for key in _SAID if event.get(key)]
    failed = [f"not told: {one}" for one in event.get("failed", ())]
    return "; ".join([*parts, *failed])


def _outcomes(held: Held, runs_root: Path) -> tuple[str, ...]:
    """Return what each drill of a day came to, with its first number; for the trend."""
    by_number = {int(one["number"]): one for one in held.drills}
    cells = []
    for number in range(len(held.day.drills)):
        one = by_number.get(number)
        finished = _record(runs_root, one) if one else None
        judged = next((it for it in finished.judgements if it.measurement), None) if finished else None
        number_said = f" ({measured(judged.measurement)})" if judged and judged.measurement else ""
        cells.append(f"{one['outcome']}{number_said}" if one else "not begun")
    return tuple(cells)
