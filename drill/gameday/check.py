"""Checks a game-day file before anything depends on it, and explains its dates."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drill import catalogue, clock, plan, target
from drill.errors import DrillError, UsageError
from drill.gameday import blackout, expected, form
from drill.gameday.before import same_target, span
from drill.gameday.dates import Planned, first, occurrences, planned
from drill.gameday.form import GameDay
from drill.guards.hours import Span

SHOWN = 10
# So many dates of another day are looked at for one that is beside: every day of ten years, and no more.
_BESIDE = 4000


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
    takes_s = expected.day_s(read, chosen)
    if read.lasts_s is not None and read.lasts_s < takes_s:
        text = (
            f"its drills, cool-downs and approvals take up to {takes_s:g} s; give it as long, or leave it out"
        )
        raise _wrong(path, ("lasts_s",), text)
    checked = read.model_copy(update={"lasts_s": read.lasts_s or takes_s})
    _check_time(path, checked)
    return checked


def _check_time(path: Path, read: GameDay) -> None:
    now = datetime.fromisoformat(clock.now().wall)
    if read.schedule is not None:
        try:
            next(occurrences(read.schedule, now), None)
        except UsageError as problem:
            raise _wrong(path, ("schedule",), str(problem)) from problem
    try:
        blackout.read(read.blackout, span(read, now))
    except UsageError as problem:
        raise _wrong(path, ("blackout", "calendar"), str(problem)) from problem


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


def dates(read: GameDay, after: datetime, until: datetime) -> Iterator[Planned]:
    """Yield a day's dates after an instant, up to and with another, with why one is skipped.

    Raises:
        UsageError: The blackout calendar can't be read.

    """
    if read.schedule is None:
        return iter(())
    dark = blackout.read(read.blackout, Span(after, span(read, until).ends_at))
    every = planned(read.schedule, after, span(read, after).length, dark)
    return takewhile(lambda one: one.at <= until, every)


def overlapping(path: Path, read: GameDay, others: Sequence[tuple[Path, GameDay]], after: datetime) -> None:
    """Refuse a day that is held beside another one on the same target.

    Raises:
        UsageError: One of its next dates is.

    """
    shown = [one for one in _next(read, after) if not one.skipped]
    for beside_path, beside in others:
        if not shown or beside_path == path or not same_target(beside, read):
            continue
        near = islice(dates(beside, after, _span(shown[-1], read).ends_at), _BESIDE)
        spans = [_span(one, beside) for one in near if not one.skipped]
        met = next((one for one in shown if any(other.meets(_span(one, read)) for other in spans)), None)
        if met is not None:
            text = f"on {met.local:%Y-%m-%d %H:%M} {beside.name} ({beside_path}) is held on the same target"
            raise _wrong(path, ("schedule",), text)


def dates_upto(read: GameDay, after: datetime) -> tuple[Planned, ...]:
    """Return a day's next dates, as many as are shown.

    Raises:
        UsageError: None ever comes.

    """
    return first(iter(_next(read, after)), SHOWN) if read.schedule is not None else ()


def _next(read: GameDay, after: datetime) -> tuple[Planned, ...]:
    if read.schedule is None:
        return ()
    last = max(islice(occurrences(read.schedule, after), SHOWN), default=after)
    return tuple(dates(read, after, last))


def _span(one: Planned, read: GameDay) -> Span:
    """Return how long a date takes that begins in time: one that is late begins beside no other."""
    return Span(one.at, one.at + timedelta(seconds=read.lasts_s or 0))


def _wrong(path: Path, keys: tuple[Any, ...], text: str) -> UsageError:
    place = form.place_of(path, *keys)
    return UsageError(f"{place}: {text}; then: drill gameday check {path}")
