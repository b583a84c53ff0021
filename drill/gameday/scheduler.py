"""Serves game days: begins each at its notice, and goes on with what was cut off. One of many serves.

Whoever holds the store's lock serves: a file lock beside an SQLite store, an advisory lock of a
PostgreSQL one (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Both
are let go of when their process dies, and another takes over then.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from drill import clock
from drill.errors import DrillError, UsageError
from drill.gameday import check, workflow
from drill.gameday import folder as days
from drill.gameday.form import GameDay

_LOG = structlog.get_logger()
LOOK_S = 0.5
# Dates that were missed are looked for so far back.
_BACK = timedelta(days=31)
# Any number, the same for all schedulers: "drill" in ASCII.
_ADVISORY = 0x6472696C6C


@dataclass(frozen=True, slots=True)
class Service:
    """What is served.

    Attributes:
        files: The game-day files; read anew at each look, so that a change counts at once.
        root: The folder of all days.
        runs: The folder of all runs.
        url: The store.
        report: Writes a day's report, from its folder, that of all days and that of all runs.

    """

    files: tuple[Path, ...]
    root: Path
    runs: Path
    url: str
    report: Callable[[Path, Path, Path], object]


@contextlib.contextmanager
def holding(service: Service, *, wait: bool, stop: threading.Event) -> Iterator[bool]:
    """Hold the store's lock; yield whether it is held.

    Args:
        service: Whose store.
        wait: Wait until whoever holds it is gone.
        stop: Ends the waiting.

    """
    with contextlib.ExitStack() as stack:
        attempt = _advisory(service, stack) if service.url.startswith("postgres") else _file(service, stack)
        held = attempt()
        while wait and not held and not stop.wait(LOOK_S):
            held = attempt()
        yield held


def look(service: Service) -> list[str]:
    """Begin every day whose notice is due, also those that were missed; return what can't be served.

    A missed day's own workflow tells that it was missed, once.
    """
    problems = []
    now = datetime.fromisoformat(clock.now().wall)
    for path in service.files:
        try:
            day = check.day(path)
            for planned in _due(day, service, now):
                identifier = days.day_id(day.name, planned)
                if not (service.root / identifier / days.DAY).exists():
                    days.begin(service.root, identifier, day)
                    _LOG.info("game day", day=identifier)
                workflow.start(day, planned)
        except DrillError as problem:
            problems.append(str(problem))
            _LOG.error("a game day can't be served", file=str(path), error=str(problem))
    return problems


def _due(day: GameDay, service: Service, now: datetime) -> list[datetime]:
    """Return the dates of a day whose notice is due and that are not over."""
    if day.schedule is None:
        return []
    until = now + timedelta(seconds=day.notice_s + LOOK_S)
    since = max(_served_since(service.root, day.name, now), now - _BACK)
    found = []
    for planned in check.dates(day, since):
        if planned.at > until:
            break
        folder = service.root / days.day_id(day.name, planned.at)
        if planned.skipped:
            _skip(folder, day, planned.skipped)
        elif not (folder / days.DAY).exists() or days.read(folder).state not in days.OVER:
            found.append(planned.at)
    return found


def _skip(folder: Path, day: GameDay, why: str) -> None:
    """Note a date that is not held, once."""
    if not (folder / days.DAY).exists():
        days.begin(folder.parent, folder.name, day)
        days.note(folder, "skipped", reason=why)


def _served_since(root: Path, name: str, now: datetime) -> datetime:
    """Return when a day was first served; what was before was never missed."""
    marker = root / f"{name}.since"
    if not marker.exists():
        root.mkdir(parents=True, exist_ok=True)
        marker.write_text(now.astimezone(UTC).isoformat(), encoding="utf-8")
    return datetime.fromisoformat(marker.read_text(encoding="utf-8"))


def _file(service: Service, stack: contextlib.ExitStack) -> Any:  # noqa: ANN401 (a function that tries)
    service.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(service.root / "store.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    stack.callback(os.close, descriptor)

    def attempt() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    return attempt


def _advisory(service: Service, stack: contextlib.ExitStack) -> Any:  # noqa: ANN401 (a function that tries)
    import psycopg  # noqa: PLC0415 (only where the store is a PostgreSQL database)

    try:
        address = service.url.replace("+psycopg", "", 1)
        connection = stack.enter_context(psycopg.connect(address, autocommit=True))
    except psycopg.Error as problem:
        said = " ".join(str(problem).split())
        msg = f"the store can't be reached: {said}; correct --store or DRILL_GAMEDAY_STORE"
        raise UsageError(msg) from None

    def attempt() -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_ADVISORY,)).fetchone()
        return bool(row and row[0])

    return attempt


def serve(service: Service, stop: threading.Event, seen: "Seen") -> None:
    """Serve until told to stop.

    Args:
        service: What.
        stop: Ends it.
        seen: Where the health endpoint reads how it goes.

    """
    with holding(service, wait=True, stop=stop) as held:
        if not held:
            return
        workflow.launch(service.url, service.root, service.runs, service.report)
        _LOG.info("serving", files=[str(path) for path in service.files])
        while not stop.is_set():
            seen.problems = look(service)
            seen.looked_ns, seen.serving = clock.monotonic_ns(), True
            stop.wait(LOOK_S)
        workflow.shut_down()


def tick(service: Service, stop: threading.Event) -> Sequence[str]:
    """Begin what is due and stay until it is over; return what could not be served.

    Another that serves keeps this one from doing anything.
    """
    with holding(service, wait=False, stop=stop) as held:
        if not held:
            return ()
        workflow.launch(service.url, service.root, service.runs, service.report)
        problems = look(service)
        while workflow.going() and not stop.wait(LOOK_S):
            pass
        workflow.shut_down()
        return problems


@dataclass(slots=True)
class Seen:
    """How serving goes, for the health endpoint.

    Attributes:
        serving: It holds the lock; one that waits for it is well too.
        looked_ns: When it looked last.
        problems: What can't be served.

    """

    serving: bool = False
    looked_ns: int = 0
    problems: Sequence[str] = ()
