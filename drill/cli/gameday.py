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
from drill.cli import gameday_people, options
from drill.cli.gameday_options import days_folder, room, store
from drill.errors import UsageError
from drill.exit_codes import BREACHED, INCONCLUSIVE, MET, REFUSED, ROLLBACK_INCOMPLETE

if TYPE_CHECKING:
    from drill.gameday.folder import Held
    from drill.gameday.scheduler import Service

_file = click.argument("file", type=click.Path(path_type=Path))
_files = click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)


@click.group(no_args_is_help=True)
def command() -> None:
    """Hold game days: a date, people, a target, several drills in order, and a result."""


for people in gameday_people.COMMANDS:
    command.add_command(people)


def served(body: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that serves."""
    for option in (store, options.runs_folder, days_folder):
        body = option(body)
    return body


@command.command()
@_files
def check(files: tuple[Path, ...]) -> int:
    """Check game-day files and explain the next ten dates of each; nothing is started."""
    checked = room("check")
    now = _now()
    read = [(path, checked.day(path)) for path in files]
    for path, day in read:
        checked.overlapping(path, day, read, now)
        click.echo(f"{day.name}: {path} is right; {len(day.drills)} drills, at most {_span(day.lasts_s)}")
        for planned in checked.dates_upto(day, now):
            why = f"  SKIPPED: {planned.skipped}" if planned.skipped else ""
            click.echo(f"  {planned.local:%a %Y-%m-%d %H:%M %Z} ({planned.at:%Y-%m-%d %H:%M} UTC){why}")
        if day.schedule is None:
            click.echo("  no schedule: it is held by hand, with: drill gameday run")
    return MET


@command.command(name="next")
@_files
def next_(files: tuple[Path, ...]) -> int:
    """Say when the next day of each file is held, the soonest first."""
    checked = room("check")
    now = _now()
    found = []
    for path in files:
        day = checked.day(path)
        dates = (one for one in checked.dates_upto(day, now) if not one.skipped)
        found += [(one.at, f"{one.local:%a %Y-%m-%d %H:%M %Z}  {day.name}") for one in list(dates)[:1]]
    for _, line in sorted(found):
        click.echo(line)
    return MET


@command.command()
@_file
@served
def run(file: Path, days_root: Path, root: Path, store: str) -> int:
    """Hold a day now, whatever its schedule says; ends with the worst of its drills' exit codes."""
    scheduler = room("scheduler")
    day = room("check").day(file)
    service = _service(scheduler, (), days_root, root, store)
    told = 0

    def tell(held: "Held") -> None:
        nonlocal told
        if not told:
            click.echo(f"{held.id} begins; notes with: drill note 'what you see'")
        told = _tell_events(held, told)

    with _ending() as stop:
        held = scheduler.hold(service, day, stop, tell)
    if held.state in room("folder").OVER:
        click.echo(f"report: {_report(days_root / held.id, days_root, root).resolve().as_uri()}")
    return _exit_code(held)


@command.command()
@_files
@served
@click.option("--health", default="", metavar="ADDRESS:PORT", help="Answer GET /health there, on loopback.")
def serve(files: tuple[Path, ...], days_root: Path, root: Path, store: str, health: str) -> int:
    """Hold each day when it is due, until told to end; any number may serve one store, one at a time does."""
    from drill.gameday.health import answering

    scheduler = room("scheduler")
    checked = room("check")
    read = [(path, checked.day(path)) for path in files]
    for path, day in read:
        checked.overlapping(path, day, read, _now())
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
    scheduler = room("scheduler")
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
    folder, before = room("folder"), room("before")
    readable, problems = folder.readable(days_root, name)
    for held in readable:
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
    if problems:
        raise UsageError(problems[0])
    return MET


@command.command()
@click.argument("day", default="latest")
@days_folder
@options.runs_folder
def report(day: str, days_root: Path, root: Path) -> int:
    """Write DAY's report again and say where it is."""
    place = room("folder").find(days_root, day)
    click.echo(_report(place, days_root, root).resolve().as_uri())
    return MET


@command.command()
def schema() -> int:
    """Print the game-day file's JSON Schema, for editors."""
    from drill.gameday.form import json_schema

    click.echo(json.dumps(json_schema(), indent=1, sort_keys=True))
    return MET


def _service(scheduler: Any, files: tuple[Path, ...], days_root: Path, root: Path, url: str) -> "Service":  # noqa: ANN401 (a module)
    store_url = room("store").address(days_root, url)
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
