"""A game day as a durable workflow: whoever dies, the day is gone on with where it stood.

It runs on DBOS (https://docs.dbos.dev), whose store is an SQLite file or a PostgreSQL database. The
workflow's id is the day's: its name and its planned instant, so that each date is held once however
many schedulers there are. What a step did is kept when it returned; a step that was cut off is run
again, so each one here first looks what the earlier try left. The workflow itself may look at nothing
but what its steps returned: what it did must come out the same when it is gone on with.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID

from drill import clock, exit_codes, target
from drill.aws import Aws
from drill.errors import DrillError
from drill.gameday import drilling, notify, store
from drill.gameday import folder as days
from drill.gameday.answers import Answer
from drill.gameday.before import blocked
from drill.gameday.form import GameDay, Occasion, as_document, from_document
from drill.model import Json

# Kept the same as long as days that began under one version can be gone on with by the next.
_VERSION = "gameday-1"
VETO, APPROVAL = "veto", "approval"
YES, NO = "yes", "no"


@dataclass(slots=True)
class _Serving:
    """What this process serves with; DBOS calls plain functions, which read it here."""

    runs: Path = Path("runs")
    root: Path = days.DEFAULT
    stopping: threading.Event = field(default_factory=threading.Event)
    # How many drills are going; told of whenever one has ended and rolled back.
    going: int = 0
    ended: threading.Condition = field(default_factory=threading.Condition)
    report: Callable[[Path, Path, Path], object] = lambda *_: None


_SERVING = _Serving()


class Stopping(BaseException):
    """Ends this process's part of a day, which stays as it is for the next one to go on with."""


def launch(url: str, root: Path, runs_root: Path, report: Callable[[Path, Path, Path], object]) -> None:
    """Begin to serve: days that a process before left are gone on with at once.

    Args:
        url: The store.
        root: The folder of all days.
        runs_root: The folder of all runs.
        report: Writes a day's report, from its folder and these two.

    """
    _SERVING.runs, _SERVING.root, _SERVING.report = runs_root, root, report
    _SERVING.stopping.clear()
    config: DBOSConfig = {
        "name": "drill-gamedays",
        "system_database_url": url,
        "application_version": _VERSION,
        # One name for all: only who holds the store's lock serves, so what is pending is its to go on with.
        "executor_id": "drill",
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.2,
    }
    store.quiet()
    with store.explained():
        DBOS(config=config)
        DBOS.launch()


def shut_down() -> None:
    """Stop serving: a drill that is going is stopped, and awaited until it has rolled back.

    Its day, like one that waits for a person, stays in the store as it is, to be gone on with later.
    """
    _SERVING.stopping.set()
    with _SERVING.ended:
        _SERVING.ended.wait_for(lambda: not _SERVING.going)
    DBOS.destroy(workflow_completion_timeout_sec=1)


def left() -> bool:
    """Say whether a thread of a day that waits is left behind, which nothing but the process's end ends."""
    return any(one.name.startswith("dbos-executor-") for one in threading.enumerate())


def start(day: GameDay, planned_at: datetime) -> str:
    """Begin a day unless it has begun; return its id.

    One that an earlier process left is gone on with by DBOS itself: begun once more beside that, it
    would be at odds with its own steps.
    """
    identifier = days.day_id(day.name, planned_at)
    if DBOS.list_workflows(workflow_ids=[identifier]):
        return identifier
    with SetWorkflowID(identifier):
        DBOS.start_workflow(_held, as_document(day), planned_at.astimezone(UTC).isoformat())
    return identifier


def going() -> list[str]:
    """Return the ids of the days that are not over."""
    return [one.workflow_id for one in DBOS.list_workflows(status=["PENDING", "ENQUEUED"])]


def give(url: str, answer: Answer, by: str) -> None:
    """Give a day an answer, from any process.

    Args:
        url: The store.
        answer: The answer.
        by: Whose it is.

    Raises:
        UsageError: The store can't be used, or knows nothing of the day.

    """
    topic = VETO if answer.number is None else f"{APPROVAL}-{answer.number}"
    said = {"answer": YES if answer.agreed else NO, "by": by}
    store.there(url)
    with store.explained():
        client = DBOSClient(system_database_url=url, retry_connection_errors=False)
        try:
            client.send(answer.day, said, topic=topic)
        finally:
            client.destroy()


@DBOS.workflow()
def _held(document: dict[str, Any], planned: str) -> str:
    """Hold one day, from its notice to its report."""
    day, planned_at = from_document(document), datetime.fromisoformat(planned)
    identifier = days.day_id(day.name, planned_at)
    why = _may_begin(day, identifier, planned_at)
    if why:
        _over(identifier, "skipped", why)
        return "skipped"
    _tell(identifier, "start", f"{len(day.drills)} drills on {day.target.name}")
    outcomes: list[Mapping[str, Any]] = []
    stopped = ""
    for number in range(len(day.drills)):
        stopped = _gate(day, identifier, number)
        if stopped:
            break
        one = _drill(identifier, number)
        outcomes.append(one)
        stopped = _after(day, identifier, number, one)
        if stopped:
            break
    _over(identifier, "ended", stopped)
    return "ended"


def _may_begin(day: GameDay, identifier: str, planned_at: datetime) -> str:
    """Wait for the planned instant, listening for a veto; return why the day is not held, or nothing."""
    late_s = day.schedule.late_s if day.schedule else 0.0
    why = _begun(identifier, late_s)
    if why:
        return why
    _tell(
        identifier,
        "before",
        f"it begins at {planned_at:%Y-%m-%d %H:%M} UTC; veto it with: drill gameday veto {identifier}",
    )
    said = _heard(VETO, (planned_at - _now()).total_seconds())
    return f"vetoed by {said['by']}" if said is not None else _blocked(identifier)


def _gate(day: GameDay, identifier: str, number: int) -> str:
    """Cool down and wait for the approval; return why the day ends here, or nothing."""
    drill = day.drills[number]
    if _too_late(identifier, number):
        return f"drill {number + 1} ({drill.scenario}) would begin after the day's time is over"
    if drill.cool_down_s:
        DBOS.sleep(drill.cool_down_s)
    if drill.gate == "none":
        return ""
    typed = f"drill gameday approve {identifier}"
    _tell(identifier, "approval", f"{drill.scenario} waits for an approval: {typed}", number)
    said = _heard(f"{APPROVAL}-{number}", drill.approval_within_s)
    if said is None:
        return f"nobody approved {drill.scenario} within {drill.approval_within_s:g} s"
    agreed = said["answer"] == YES
    _noted(identifier, "approved" if agreed else "refused", number, str(said["by"]))
    return "" if agreed else f"{drill.scenario} was not approved by {said['by']}"


def _after(day: GameDay, identifier: str, number: int, one: Mapping[str, Any]) -> str:
    """Tell what a drill came to; return why the day ends here, or nothing."""
    drill, code = day.drills[number], one["exit_code"]
    if code == exit_codes.MET:
        return ""
    _tell(identifier, "breach", f"{drill.scenario}: {one['outcome']}: {one['reason']}")
    if code == exit_codes.ROLLBACK_INCOMPLETE:
        return f"{drill.scenario} left something broken; put it back with: drill recover"
    if code == exit_codes.STOPPED or one["outcome"] == "failed":
        return f"{drill.scenario} was stopped: {one['reason']}"
    return f"{drill.scenario} was {one['outcome']}" if drill.on_breach == "stop" else ""


@DBOS.step()
def _begun(identifier: str, late_s: float) -> str:
    held = days.read(_SERVING.root / identifier)
    behind_s = (_wall() - held.planned_at).total_seconds()
    if behind_s > max(late_s, 60.0) and held.state == "planned":
        return f"it was missed: nobody served at {held.planned_at:%Y-%m-%d %H:%M} UTC"
    return ""


@DBOS.step()
def _blocked(identifier: str) -> str:
    folder = _SERVING.root / identifier
    why = blocked(days.read(folder), _SERVING.root, _SERVING.runs)
    if not why and days.read(folder).state == "planned":
        days.note(folder, "begun")
    return why


@DBOS.step()
def _too_late(identifier: str, number: int) -> bool:
    held = days.read(_SERVING.root / identifier)
    if number == 0 or held.day.lasts_s is None:
        return False
    late_s = held.day.schedule.late_s if held.day.schedule else 0.0
    return (_wall() - held.planned_at).total_seconds() > held.day.lasts_s + late_s


@DBOS.step()
def _drill(identifier: str, number: int) -> Mapping[str, Any]:
    folder = _SERVING.root / identifier
    held = days.read(folder)
    done = next((one for one in held.drills if one["number"] == number), None)
    if done is not None:
        return dict(done)
    place = drilling.Place(_SERVING.runs, folder, held.day, number)
    with _under_way():
        became = drilling.run(place, lambda: not _SERVING.stopping.is_set())
    _check_stopping()
    return became


@contextmanager
def _under_way() -> Iterator[None]:
    """Count a drill as going, unless this process is about to end: then none is begun."""
    with _SERVING.ended:
        _check_stopping()
        _SERVING.going += 1
    try:
        yield
    finally:
        with _SERVING.ended:
            _SERVING.going -= 1
            _SERVING.ended.notify_all()


@DBOS.step()
def _tell(identifier: str, occasion: Occasion, text: str, number: int | None = None) -> None:
    """Tell everybody who wants to hear of an occasion; who can't be told does not hold up the day."""
    folder = _SERVING.root / identifier
    held = days.read(folder)
    report = (folder / days.REPORT).resolve().as_uri()
    told = f"{text}\n{report}" if occasion == "end" else text
    failed = _not_told(held, occasion, told)
    about: dict[str, Json] = {} if number is None else {"number": number}
    days.note(folder, "notified", occasion=occasion, text=text, failed=failed, **about)


def _not_told(held: days.Held, occasion: Occasion, told: str) -> list[Json]:
    """Tell those who want to hear of an occasion; return why some could not be told."""
    wanted = [channel for channel in held.day.notify if occasion in channel.on]
    try:
        aws = Aws.of(target.load(held.day.target))
    except DrillError as problem:
        return [str(problem)]
    subject = f"game day {held.id}: {occasion}"
    return [why for channel in wanted if (why := notify.tell(channel, aws, subject, told))]


@DBOS.step()
def _noted(identifier: str, kind: str, number: int, by: str) -> None:
    days.note(_SERVING.root / identifier, kind, number=number, by=by)


@DBOS.step()
def _closed(identifier: str, kind: str, why: str) -> None:
    folder = _SERVING.root / identifier
    if days.read(folder).state not in days.OVER:
        days.note(folder, kind, reason=why)


@DBOS.step()
def _reported(identifier: str) -> None:
    _SERVING.report(_SERVING.root / identifier, _SERVING.root, _SERVING.runs)


@DBOS.step()
def _told_time() -> str:
    return _wall().isoformat()


def _over(identifier: str, kind: str, why: str) -> None:
    _closed(identifier, kind, why)
    _reported(identifier)
    if kind == "skipped":
        _tell(identifier, "skipped", why)
        return
    if why:
        _tell(identifier, "stop", why)
    _tell(identifier, "end", "the day is over")


def _heard(topic: str, seconds: float) -> Mapping[str, Any] | None:
    """Wait for an answer; a day that is gone on with waits no longer than it would have."""
    said: Mapping[str, Any] | None = DBOS.recv(topic, timeout_seconds=max(0.0, seconds))
    return said


def _check_stopping() -> None:
    if _SERVING.stopping.is_set():
        raise Stopping


def _now() -> datetime:
    """Return the time as the workflow saw it first."""
    return datetime.fromisoformat(_told_time())


def _wall() -> datetime:
    return datetime.fromisoformat(clock.now().wall)
