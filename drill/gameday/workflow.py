"""A game day as a durable workflow: whoever dies, the day is gone on with where it stood.

It runs on DBOS (https://docs.dbos.dev), whose store is an SQLite file or a PostgreSQL database. The
workflow's id is the day's: its name and its planned instant, so that each date is held once however
many schedulers there are. What a step did is kept when it returned; a step that was cut off is run
again, so each one here first looks what the earlier try left. The workflow itself may look at nothing
but what its steps returned: what it did must come out the same when it is gone on with.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, SetWorkflowID

from drill import clock, exit_codes, target
from drill.aws import Aws
from drill.errors import DrillError
from drill.gameday import blackout, drilling, notify
from drill.gameday import folder as days
from drill.gameday.before import beside, blocked, may_be_late_s, missed
from drill.gameday.form import GameDay, Occasion, as_document, from_document
from drill.gameday.serving import APPROVAL, SERVING, VETO, YES, check_stopping, under_way
from drill.model import Json

# What DBOS says of a workflow that waits, goes or has ended as it should; all else is a failure.
_WELL = frozenset({"PENDING", "ENQUEUED", "DELAYED", "SUCCESS"})
# Of two days of one target that are due in the same instant, the second sees that the first has begun.
# All that begin do so in this process: it holds the store's lock.
_BEGINNING = threading.Lock()


def start(day: GameDay, planned_at: datetime) -> str:
    """Begin a day unless it has begun; return its id.

    One that an earlier process left is gone on with by DBOS itself: begun once more beside that, it
    would be at odds with its own steps.

    Raises:
        DrillError: It has begun, and its workflow failed.

    """
    identifier = days.day_id(day.name, planned_at)
    if found := DBOS.list_workflows(workflow_ids=[identifier]):
        if found[0].status not in _WELL:
            place = SERVING.root / identifier
            msg = f"game day {identifier} failed ({found[0].status}): look at {place}; then: drill recover"
            raise DrillError(msg)
        return identifier
    with SetWorkflowID(identifier):
        DBOS.start_workflow(_held, as_document(day), planned_at.astimezone(UTC).isoformat())
    return identifier


def going() -> list[str]:
    """Return the ids of the days that are not over."""
    return [one.workflow_id for one in DBOS.list_workflows(status=["PENDING", "ENQUEUED"])]


@DBOS.workflow()
def _held(document: dict[str, Any], planned: str) -> str:
    """Hold one day, from its notice to its report."""
    day, planned_at = from_document(document), datetime.fromisoformat(planned)
    identifier = days.day_id(day.name, planned_at)
    why = _may_begin(identifier, planned_at)
    if why:
        _over(identifier, "skipped", why)
        return "skipped"
    _tell(identifier, "start", f"{len(day.drills)} drills on {day.target.name}")
    try:
        stopped = _drills(day, identifier)
    except DrillError as problem:  # a drill that was cut off could not be put back, as its text says
        stopped = str(problem)
    _over(identifier, "ended", stopped)
    return "ended"


def _drills(day: GameDay, identifier: str) -> str:
    """Hold a day's drills, one after the other; return why the day ended early, or nothing.

    Raises:
        DrillError: What a drill left could not be put back.

    """
    for number in range(len(day.drills)):
        stopped = _gate(day, identifier, number)
        stopped = stopped or _after(day, identifier, number, _drill(identifier, number))
        if stopped:
            return stopped
    return ""


def _may_begin(identifier: str, planned_at: datetime) -> str:
    """Wait for the planned instant, listening for a veto; return why the day is not held, or nothing."""
    why = _missed(identifier)
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
    if _too_late(identifier):
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
def _missed(identifier: str) -> str:
    return missed(days.read(SERVING.root / identifier), _wall())


@DBOS.step()
def _blocked(identifier: str) -> str:
    folder = SERVING.root / identifier
    with _BEGINNING:
        held, now = days.read(folder), _wall()
        # Once more: who gave the notice may have died before the day, and come back long after it.
        why = missed(held, now) or beside(held, now, SERVING.root)
        why = why or blocked(held, SERVING.root, SERVING.runs)
        # An event may have been added since the day was planned, and a late one may run into the next.
        why = why or blackout.forbids(held.day, now, held.day.lasts_s or 0)
        if not why and held.state == "planned":
            days.note(folder, "begun")
    return why


@DBOS.step()
def _too_late(identifier: str) -> bool:
    held = days.read(SERVING.root / identifier)
    if held.day.lasts_s is None:
        return False
    return (_wall() - held.planned_at).total_seconds() > held.day.lasts_s + may_be_late_s(held.day)


@DBOS.step()
def _drill(identifier: str, number: int) -> Mapping[str, Any]:
    folder = SERVING.root / identifier
    held = days.read(folder)
    done = next((one for one in held.drills if one["number"] == number), None)
    if done is not None:
        return dict(done)
    place = drilling.Place(SERVING.runs, folder, held.day, number)
    with under_way():
        became = drilling.run(place, lambda: not SERVING.stopping.is_set())
    check_stopping()
    return became


@DBOS.step()
def _tell(identifier: str, occasion: Occasion, text: str, number: int | None = None) -> None:
    """Tell everybody who wants to hear of an occasion; who can't be told does not hold up the day."""
    folder = SERVING.root / identifier
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
    days.note(SERVING.root / identifier, kind, number=number, by=by)


@DBOS.step()
def _closed(identifier: str, kind: str, why: str) -> None:
    folder = SERVING.root / identifier
    if days.read(folder).state not in days.OVER:
        days.note(folder, kind, reason=why)


@DBOS.step()
def _reported(identifier: str) -> None:
    folder = SERVING.root / identifier
    try:
        SERVING.report(folder, SERVING.root, SERVING.runs)
    except DrillError as problem:  # the day is over all the same, and people are told so
        days.note(folder, "unreported", reason=str(problem))


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


def _now() -> datetime:
    """Return the time as the workflow saw it first."""
    return datetime.fromisoformat(_told_time())


def _wall() -> datetime:
    return datetime.fromisoformat(clock.now().wall)
