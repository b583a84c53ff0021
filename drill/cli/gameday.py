"""``drill gameday``: days of several drills, on a calendar, with people, gates and a result."""

import contextlib
import json
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill import clock
from drill.cli import options
from drill.errors import UsageError
from drill.exit_codes import BREACHED, INCONCLUSIVE, MET, REFUSED, ROLLBACK_INCOMPLETE

if TYPE_CHECKING:
    from drill.gameday.answers import Answer
    from drill.gameday.folder import Held
    from drill.gameday.scheduler import Service

days_folder = click.option(
    "--days",
    "days_root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("gamedays"),
    show_default=True,
    envvar="DRILL_GAMEDAYS",
    help="Folder of all game days.",
)
store = click.option(
    "--store",
    default="",
    envvar="DRILL_GAMEDAY_STORE",
    metavar="URL",
    help="PostgreSQL database of the schedulers; an SQLite file in the days' folder by default.",
)
_file = click.argument("file", type=click.Path(path_type=Path))
_files = click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
_HOW_TO_INSTALL = "game days need more: pip install 'drill[gameday]'"


@click.group(no_args_is_help=True)
def command() -> None:
    """Hold game days: a date, people, a target, several drills in order, and a result."""


def served(body: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that serves."""
    for option in (store, options.runs_folder, days_folder):
        body = option(body)
    return body


@command.command()
@_files
def check(files: tuple[Path, ...]) -> int:
    """Check game-day files and explain the next ten dates of each; nothing is started."""
    room = _room("check")
    now = _now()
    read = [(path, room.day(path)) for path in files]
    for path, day in read:
        room.overlapping(path, day, read, now)
        click.echo(f"{day.name}: {path} is right; {len(day.drills)} drills, at most {_span(day.lasts_s)}")
        for planned in room.dates_upto(day, now, ()):
            why = f"  SKIPPED: {planned.skipped}" if planned.skipped else ""
            click.echo(f"  {planned.local:%a %Y-%m-%d %H:%M %Z} ({planned.at:%Y-%m-%d %H:%M} UTC){why}")
        if day.schedule is None:
            click.echo("  no schedule: it is held by hand, with: drill gameday run")
    return MET


@command.command(name="next")
@_files
def next_(files: tuple[Path, ...]) -> int:
    """Say when the next day of each file is held, the soonest first."""
    room = _room("check")
    now = _now()
    found = []
    for path in files:
        day = room.day(path)
        dates = (one for one in room.dates_upto(day, now, ()) if not one.skipped)
        found += [(one.at, f"{one.local:%a %Y-%m-%d %H:%M %Z}  {day.name}") for one in list(dates)[:1]]
    for _, line in sorted(found):
        click.echo(line)
    return MET


@command.command()
@_file
@served
def run(file: Path, days_root: Path, root: Path, store: str) -> int:
    """Hold a day now, whatever its schedule says; ends with the worst of its drills' exit codes."""
    scheduler, workflow, folder = _room("scheduler"), _room("workflow"), _room("folder")
    day = _room("check").day(file)
    service = _service(scheduler, (), days_root, root, store)
    planned_at = _now().replace(microsecond=0)
    identifier = folder.day_id(day.name, planned_at)
    with _ending() as stop, scheduler.holding(service, wait=False, stop=stop) as held:
        if not held:
            msg = f"another process serves the game days of {days_root}; end it first, or name other --days"
            raise UsageError(msg)
        folder.begin(days_root, identifier, day)
        workflow.launch(service.url, days_root, root, service.report)
        workflow.start(day, planned_at)
        click.echo(f"{identifier} begins; notes with: drill note 'what you see'")
        told = 0
        while not stop.is_set() and (identifier in workflow.going() or not told):
            told = _tell_events(folder.read(days_root / identifier), told)
            stop.wait(0.3)
        _tell_events(folder.read(days_root / identifier), told)
        if not stop.is_set():
            click.echo(f"report: {_report(days_root / identifier, days_root, root).resolve().as_uri()}")
        workflow.shut_down()
    return _exit_code(folder.read(days_root / identifier))


@command.command()
@_files
@served
@click.option("--health", default="", metavar="ADDRESS:PORT", help="Answer GET /health there, on loopback.")
def serve(files: tuple[Path, ...], days_root: Path, root: Path, store: str, health: str) -> int:
    """Hold each day when it is due, until told to end; any number may serve one store, one at a time does."""
    from drill.gameday.health import answering

    scheduler = _room("scheduler")
    for path in files:
        _room("check").day(path)
    service = _service(scheduler, files, days_root, root, store)
    seen = scheduler.Seen()
    with _ending() as stop, answering(health, seen) as where:
        click.echo(f"serving {len(files)} game days of {days_root}" + (f"; health: {where}" if where else ""))
        scheduler.serve(service, stop, seen)
    return MET


@command.command()
@_files
@served
def tick(files: tuple[Path, ...], days_root: Path, root: Path, store: str) -> int:
    """Hold what is due now and go on with what was cut off; for cron, systemd or EventBridge."""
    scheduler = _room("scheduler")
    with _ending() as stop:
        problems = scheduler.tick(_service(scheduler, files, days_root, root, store), stop)
    for problem in problems:
        click.echo(problem, err=True)
    return BREACHED if problems else MET


@command.command()
@days_folder
@options.runs_folder
@click.option("--name", default="", help="Only the days of this name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def history(days_root: Path, root: Path, name: str, as_json: bool) -> int:
    """List the days that were held or skipped, what each came to, and what is open."""
    folder, before = _room("folder"), _room("before")
    for held in folder.listed(days_root, name):
        outcomes = [f"{one['scenario']}: {one['outcome']}" for one in held.drills]
        unsigned = len(before.unsigned(held, root))
        left = [f"{len(held.open_actions)} actions open"] if held.open_actions else []
        left += [f"{unsigned} reports not signed off"] if unsigned else []
        why = folder.reason(held)
        if as_json:
            line = {"id": held.id, "state": held.state, "drills": list(held.drills), "open": left, "why": why}
            click.echo(json.dumps(line))
        else:
            click.echo(
                "  ".join(part for part in (held.id, held.state, ", ".join(outcomes), why, *left) if part)
            )
    return MET


@command.command()
@click.argument("day")
@click.option("--drill", "number", type=click.IntRange(min=1), help="Which drill of it; the one that waits.")
@click.option("--no", "refuse", is_flag=True, help="Say no: the day ends there.")
@days_folder
@store
def approve(day: str, number: int | None, refuse: bool, days_root: Path, store: str) -> int:
    """Let the drill of DAY begin that waits for an approval."""
    from drill.gameday import answers

    held = _found(days_root, day)
    answer = answers.approval(held, number - 1 if number else None, agreed=not refuse)
    answering(days_root, store)(answer, options.operator())
    click.echo(answer.words)
    return MET


@command.command()
@click.argument("day")
@days_folder
@store
def veto(day: str, days_root: Path, store: str) -> int:
    """Keep DAY from being held; until it begins."""
    from drill.gameday import answers

    answer = answers.veto(_found(days_root, day))
    answering(days_root, store)(answer, options.operator())
    click.echo(answer.words)
    return MET


@command.command()
@click.argument("text")
@click.option("--owner", required=True, help="Who does it.")
@click.option("--due", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Until when.")
@click.option("--day", default="latest", show_default=True, help="Of which day.")
@days_folder
def action(text: str, owner: str, due: datetime, day: str, days_root: Path) -> int:
    """Write down what was decided, with owner and date; close it with: drill gameday done TEXT."""
    from drill.gameday.form import Action

    folder = _room("folder")
    place = folder.find(days_root, day)
    folder.write_action(place, Action(what=text, owner=owner, due=due.date()))
    click.echo(f"written down on {place.name}")
    return MET


@command.command()
@click.argument("text")
@click.option("--day", default="latest", show_default=True, help="Of which day.")
@days_folder
def done(text: str, day: str, days_root: Path) -> int:
    """Close the action TEXT of a day."""
    folder = _room("folder")
    place = folder.find(days_root, day)
    found = next((one for one in folder.read(place).actions if one.what == text), None)
    if found is None:
        listed = ", ".join(repr(one.what) for one in folder.read(place).open_actions) or "none is open"
        msg = f"{place.name} has no action {text!r}: {listed}; see: drill gameday history"
        raise UsageError(msg)
    folder.write_action(place, found.model_copy(update={"done": True}))
    click.echo(f"done on {place.name}")
    return MET


@command.command()
@click.argument("day", default="latest")
@days_folder
@options.runs_folder
def report(day: str, days_root: Path, root: Path) -> int:
    """Write DAY's report again and say where it is."""
    place = _room("folder").find(days_root, day)
    click.echo(_report(place, days_root, root).resolve().as_uri())
    return MET


@command.command()
def schema() -> int:
    """Print the game-day file's JSON Schema, for editors."""
    from drill.gameday.form import json_schema

    click.echo(json.dumps(json_schema(), indent=1, sort_keys=True))
    return MET


def answering(days_root: Path, url: str) -> "Callable[[Answer, str], None]":
    """Return what gives a day an answer in somebody's name, in the store of the schedulers."""

    def give(answer: "Answer", by: str) -> None:
        _room("workflow").give(_room("store").address(days_root, url), answer, by)

    return give


def _found(days_root: Path, day: str) -> "Held":
    folder = _room("folder")
    found: Held = folder.read(folder.find(days_root, day))
    return found


def _room(name: str) -> Any:  # noqa: ANN401 (a module)
    """Import a part of the game days, which need what not every installation has."""
    from importlib import import_module

    try:
        return import_module(f"drill.gameday.{name}")
    except ModuleNotFoundError as problem:
        if problem.name in {"cronsim", "dateutil", "dbos", "sqlalchemy"}:
            raise UsageError(_HOW_TO_INSTALL) from problem
        raise


def _service(scheduler: Any, files: tuple[Path, ...], days_root: Path, root: Path, url: str) -> "Service":  # noqa: ANN401 (a module)
    store_url = _room("store").address(days_root, url)
    found: Service = scheduler.Service(files, days_root, root, store_url, _report)
    return found


def _report(place: Path, days_root: Path, root: Path) -> Path:
    from reports.gameday import write

    return write(place, days_root, root)


def _tell_events(held: "Held", told: int) -> int:
    for event in held.events[told:]:
        said = [
            str(event[key])
            for key in ("scenario", "outcome", "reason", "occasion", "text", "by")
            if event.get(key)
        ]
        click.echo(f"  {str(event['at'])[11:19]}  {event['kind']}  {'  '.join(said)}".rstrip())
    return len(held.events)


def _exit_code(held: "Held") -> int:
    """Return the worst of a day's drills: what was left broken before all, then what was not met."""
    codes = [int(one["exit_code"]) for one in held.drills]
    if ROLLBACK_INCOMPLETE in codes:
        return ROLLBACK_INCOMPLETE
    if held.state == "skipped":
        return REFUSED
    if BREACHED in codes:
        return BREACHED
    whole = len(codes) == len(held.day.drills) and held.state == "ended"
    return max(codes, default=MET) if any(codes) else (MET if whole else INCONCLUSIVE)


@contextlib.contextmanager
def _ending() -> Any:  # noqa: ANN401 (an iterator of one event)
    """Yield what is set by SIGINT and SIGTERM."""
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _now() -> datetime:
    return datetime.fromisoformat(clock.now().wall)


def _span(seconds: float | None) -> str:
    minutes = (seconds or 0) / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
