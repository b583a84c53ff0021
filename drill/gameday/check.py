"""Checks a game-day file before anything depends on it, and explains its dates."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drill import catalogue, clock, plan, target
from drill.errors import DrillError, UsageError
from drill.gameday import form
from drill.gameday.dates import Planned, first, planned
from drill.gameday.form import GameDay
from drill.guards.hours import Span
from drill.guards.no_go import Event, events

SHOWN = 10
# Blackouts are read so far ahead.
_AHEAD = timedelta(days=800)


def day(path: Path) -> GameDay:
    """Read a game-day file and check all that it names; nothing is started.

    Raises:
        UsageError: Something is wrong, with line and column; the text says what to do.

    """
    read = form.load(path)
    chosen = target.load(read.target)
    if not chosen.disposable and read.confirm != chosen.name:
        raise _wrong(path, ("target",), f"the target must be confirmed: confirm: {chosen.name}")
    for number, drill in enumerate(read.drills):
        _check_drill(path, number, drill, chosen)
    for number, channel in enumerate(read.notify):
        missing = [name for name in channel.variables if not os.environ.get(name)]
        if missing:
            text = f"the environment variable {missing[0]} is not set"
            raise _wrong(path, ("notify", number), text)
    if read.schedule is not None:
        try:
            next(dates(read, datetime.fromisoformat(clock.now().wall)), None)
        except UsageError as problem:
            raise _wrong(path, ("schedule",), str(problem)) from problem
    lasts_s = expected_s(read, chosen)
    return read if read.lasts_s else read.model_copy(update={"lasts_s": lasts_s})


def _check_drill(path: Path, number: int, drill: form.PlannedDrill, chosen: target.Target) -> None:
    try:
        scenario = catalogue.find(drill.scenario)
    except DrillError as problem:
        raise _wrong(path, ("drills", number, "scenario"), str(problem)) from problem
    try:
        params = scenario.parameters(**drill.params)
    except ValidationError as problem:
        said = problem.errors(include_url=False)[0]
        key = str(said["loc"][0]) if said["loc"] else ""
        raise _wrong(path, ("drills", number, "params", key), f"{key}: {said['msg']}") from problem
    plan.make(scenario, params, plan.with_objectives(chosen, scenario.name, drill.objectives))


def expected_s(read: GameDay, chosen: target.Target) -> float:
    """Return how long a day takes at most, from what its drills take at most."""
    whole = 0.0
    for drill in read.drills:
        scenario = catalogue.find(drill.scenario)
        the_plan = plan.make(scenario, scenario.parameters(**drill.params), chosen)
        whole += the_plan.expected_s[1] + drill.cool_down_s
        whole += drill.approval_within_s if drill.gate == "approval" else 0.0
    return whole


def dates(read: GameDay, after: datetime, others: Sequence[tuple[str, Span]] = ()) -> Iterator[Planned]:
    """Yield a day's dates after an instant, with why one is skipped.

    Raises:
        UsageError: The blackout calendar can't be read.

    """
    if read.schedule is None:
        return iter(())
    length = timedelta(seconds=read.lasts_s or 0)
    return planned(read.schedule, after, length, _blackout(read, after), others)


def overlapping(path: Path, read: GameDay, others: Sequence[tuple[Path, GameDay]], after: datetime) -> None:
    """Refuse a day that is held beside another one on the same target.

    Raises:
        UsageError: One of its next dates is.

    """
    for beside_path, beside in others:
        if beside.target != read.target or beside_path == path:
            continue
        spans = [(beside.name, _span(one, beside)) for one in _next(beside, after) if not one.skipped]
        met = next(
            (one for one in dates_upto(read, after, spans) if one.skipped.startswith(beside.name)), None
        )
        if met is not None:
            text = f"on {met.local:%Y-%m-%d %H:%M} {beside.name} ({beside_path}) is held on the same target"
            raise _wrong(path, ("schedule",), text)


def dates_upto(read: GameDay, after: datetime, others: Sequence[tuple[str, Span]]) -> tuple[Planned, ...]:
    """Return a day's next dates, as many as are shown.

    Raises:
        UsageError: None ever comes.

    """
    return first(dates(read, after, others), SHOWN) if read.schedule is not None else ()


def _next(read: GameDay, after: datetime) -> tuple[Planned, ...]:
    return first(dates(read, after), 10 * SHOWN) if read.schedule is not None else ()


def _span(one: Planned, read: GameDay) -> Span:
    return Span(one.at, one.at + timedelta(seconds=read.lasts_s or 0))


def _blackout(read: GameDay, after: datetime) -> tuple[Event, ...]:
    rules = read.blackout
    if rules is None:
        return ()
    around = Span(after.astimezone(UTC), after.astimezone(UTC) + _AHEAD)
    try:
        text = rules.calendar.read_text(encoding="utf-8-sig")
        return tuple(events(text, rules.zone, around))
    # Whatever a broken calendar does to the library that reads it, no day may be held then.
    except Exception as problem:
        said = " ".join(str(problem).split()) or type(problem).__name__
        msg = f"the blackout calendar {rules.calendar} can't be read: {said}; correct blackout.calendar"
        raise UsageError(msg) from problem


def _wrong(path: Path, keys: tuple[Any, ...], text: str) -> UsageError:
    place = form.place_of(path, *keys)
    return UsageError(f"{place}: {text}; then: drill gameday check {path}")
