"""Serves game days: begins each at its notice, and goes on with what was cut off.

Of all schedulers of one store the one serves that holds its lock; the others wait for it.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from drill import clock
from drill.errors import DrillError, UsageError
from drill.gameday import check, serving, store, workflow
from drill.gameday import folder as days
from drill.gameday.folder import Held
from drill.gameday.form import GameDay

_LOG = structlog.get_logger()
LOOK_S = 0.5
_TELL_S = 0.3
# Dates that were missed are looked for so far back.
_BACK = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Service:
    """What is served.

    Attributes:
        files: The game-day files; read anew at each look, so that a change counts at once.
        root: The folder of all days.
        runs: The folder of all runs.
        url: The store; it may hold a password.
        report: Writes a day's report, from its folder, that of all days and that of all runs.

    """

    files: tuple[Path, ...]
    root: Path
    runs: Path
    url: str = field(repr=False)
    report: Callable[[Path, Path, Path], object]


@contextlib.contextmanager
def holding(service: Service, *, wait: bool, stop: threading.Event) -> Iterator[store.Lock | None]:
    """Hold the store's lock; yield it, or None if another has it.

    Args:
        service: Whose store.
        wait: Wait until whoever holds it is gone.
        stop: Ends the waiting.

    Raises:
        UsageError: The store can't be reached.

    """
    with store.lock(service.url) as lock:
        held = lock.take()
        if held is None:
            msg = f"the store can't be reached: {lock.why}; correct --store or {store.VARIABLE}"
            raise UsageError(msg)
        while wait and not held and not stop.wait(LOOK_S):
            held = lock.take()
        yield lock if held else None


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
    return problems


def _due(day: GameDay, service: Service, now: datetime) -> list[datetime]:
    """Return the dates of a day whose notice is due and that are not over."""
    if day.schedule is None:
        return []
    until = now + timedelta(seconds=day.notice_s + LOOK_S)
    since = max(_served_since(service.root, day.name, now), now - _BACK)
    found = []
    for planned in check.dates(day, since, until):
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


def serve(service: Service, stop: threading.Event, seen: "Seen") -> None:
    """Serve until told to stop.

    Args:
        service: What.
        stop: Ends it.
        seen: Where the health endpoint reads how it goes.

    """
    with holding(service, wait=True, stop=stop) as lock:
        if lock is None:
            return
        serving.launch(service.url, service.root, service.runs, service.report)
        _LOG.info("serving", files=[str(path) for path in service.files])
        seen.serving, seen.looked_ns = True, clock.monotonic_ns()
        try:
            while not stop.is_set():
                problems = [f"the store does not answer: {lock.why}"] if _away(lock) else look(service)
                for problem in problems:
                    if problem not in seen.problems:
                        _LOG.error("a game day can't be served", error=problem)
                seen.problems, seen.looked_ns = problems, clock.monotonic_ns()
                stop.wait(LOOK_S)
        finally:
            seen.stopping = True
            serving.shut_down()


def _away(lock: store.Lock) -> bool:
    """Say whether the store does not answer; its days wait until it does.

    Raises:
        DrillError: It answers again, and another took the lock meanwhile.

    """
    held = lock.take()
    if held is False:
        msg = "the store was away, and another scheduler serves it now; begin again with: drill gameday serve"
        raise DrillError(msg)
    return held is None


def tick(service: Service, stop: threading.Event) -> Sequence[str]:
    """Begin what is due and stay until it is over; return what could not be served.

    Another that serves keeps this one from doing anything.
    """
    with holding(service, wait=False, stop=stop) as lock:
        if lock is None:
            return ()
        serving.launch(service.url, service.root, service.runs, service.report)
        try:
            problems = look(service)
            while (_away(lock) or workflow.going()) and not stop.wait(LOOK_S):
                pass
        finally:
            serving.shut_down()
        return problems


def hold(service: Service, day: GameDay, stop: threading.Event, tell: Callable[[Held], object]) -> Held:
    """Hold a day now, stay until it is over, and return it.

    Args:
        service: Where.
        day: Which.
        stop: Ends it: a drill that is going is rolled back, and the day can be gone on with by a tick.
        tell: Called with the day as it goes.

    Raises:
        UsageError: Another process serves the store, or it can't be reached.

    """
    planned_at = datetime.fromisoformat(clock.now().wall).replace(microsecond=0)
    identifier = days.day_id(day.name, planned_at)
    place = service.root / identifier
    with holding(service, wait=False, stop=stop) as lock:
        if lock is None:
            msg = (
                f"another process serves the game days of {service.root}; end it first, or name other --days"
            )
            raise UsageError(msg)
        days.begin(service.root, identifier, day)
        serving.launch(service.url, service.root, service.runs, service.report)
        try:
            workflow.start(day, planned_at)
            while not stop.is_set() and (_away(lock) or identifier in workflow.going()):
                tell(days.read(place))
                stop.wait(_TELL_S)
        finally:
            serving.shut_down()
    held = days.read(place)
    tell(held)
    return held


@dataclass(slots=True)
class Seen:
    """How serving goes, for the health endpoint.

    Attributes:
        serving: It holds the lock; one that waits for it is well too.
        looked_ns: When it looked last.
        problems: What can't be served.
        stopping: It was told to end, and a drill that was going is rolled back first.

    """

    serving: bool = False
    looked_ns: int = 0
    problems: Sequence[str] = ()
    stopping: bool = False
