"""The game-day file: when, who, what, in which order, and who is told.

The file is YAML. Relative paths in it begin at its own folder. Secrets are never in it: it names
the environment variables that hold them.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from drill.errors import UsageError
from drill.model import Json
from drill.restraints import NoGo, Seconds, Zone
from drill.stop_expression import parse
from drill.target import Objectives

SCHEMA = 1
_HINT = "its keys: drill gameday schema"
_TOPIC = r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Participant(_Part):
    """Somebody who takes part.

    Attributes:
        name: Who.
        part: ``facilitator`` leads, ``operator`` acts, ``observer`` looks on and takes notes.

    """

    name: Annotated[str, Field(min_length=1)]
    part: Literal["facilitator", "operator", "observer"] = "observer"


class Schedule(_Part):
    """When it takes place.

    A local time that a change of clocks skips is taken when the clocks are past it; one that comes
    twice is taken once, the first time.

    Attributes:
        cron: Five fields, as cron has them: minute, hour, day of the month, month, day of the week
            (``2#1`` is the first Tuesday).
        rrule: An iCalendar recurrence rule instead, https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10.
        start: The first instant of an ``rrule``, in local time without an offset.
        zone: The time zone of all of them.
        late_s: A date that was missed, because nobody served then, is skipped and told of. Within so
            many seconds it is still held.

    """

    cron: str | None = None
    rrule: str | None = None
    start: datetime | None = None
    zone: Zone
    late_s: float = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Schedule":
        if (self.cron is None) is (self.rrule is None):
            msg = "a schedule has either cron or rrule"
            raise ValueError(msg)
        if self.rrule is not None and (self.start is None or self.start.tzinfo is not None):
            msg = "an rrule needs start, a local time without an offset, as 2027-01-05T10:00:00"
            raise ValueError(msg)
        return self


class PlannedDrill(_Part):
    """One drill of the day.

    Attributes:
        scenario: Which.
        params: Its parameters.
        objectives: What is wanted; what is left out comes from the target file.
        gate: ``approval``: a person must say yes before it begins; ``none``.
        approval_within_s: Without a yes by then the day ends.
        on_breach: Whether the day goes on when it was not met.
        cool_down_s: How long the system is left alone before it; the drill's own warm-up comes on top.
        stop_when: What ends it early, besides the target's own stop conditions.

    """

    scenario: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    params: Mapping[str, bool | int | float | str] = {}
    objectives: Objectives = Objectives()
    gate: Literal["none", "approval"] = "none"
    approval_within_s: Seconds = 900
    on_breach: Literal["continue", "stop"] = "continue"
    cool_down_s: float = Field(0, ge=0)
    stop_when: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_read(self) -> "PlannedDrill":
        for text in self.stop_when:
            parse(text)
        return self


Occasion = Literal["before", "approval", "start", "breach", "stop", "skipped", "end"]


class Channel(_Part):
    """Whom to tell, and how: one of ``sns``, ``webhook_env`` and ``email``.

    Attributes:
        on: When; all occasions by default.
        sns: ARN of a topic, https://docs.aws.amazon.com/sns/latest/api/API_Topic.html; a standard one,
            since FIFO topics take no message without a group.
        webhook_env: Environment variable with the address of a Slack-compatible webhook.
        email: Addresses.
        sender: Whom the mail is from.
        smtp: ``host:port`` of the mail server.
        smtp_user: Who logs in there; nobody if empty.
        smtp_password_env: Environment variable with the password.

    """

    on: tuple[Occasion, ...] = ("before", "approval", "start", "breach", "stop", "skipped", "end")
    sns: Annotated[str, Field(pattern=_TOPIC)] | None = None
    webhook_env: str | None = None
    email: tuple[str, ...] = ()
    sender: str = "drill@localhost"
    smtp: Annotated[str, Field(pattern=r"^\S+:\d{1,5}$")] = "localhost:25"
    smtp_user: str = ""
    smtp_password_env: str = ""

    @model_validator(mode="before")
    @classmethod
    def _on(cls, written: Any) -> Any:  # noqa: ANN401 (whatever the file holds)
        # YAML 1.1 takes the key "on" without quotes for the boolean, https://yaml.org/type/bool.html
        if isinstance(written, dict):
            return {"on" if key is True else key: value for key, value in written.items()}
        return written

    @model_validator(mode="after")
    def _one(self) -> "Channel":
        if sum((self.sns is not None, self.webhook_env is not None, bool(self.email))) != 1:
            msg = "a channel has exactly one of sns, webhook_env and email"
            raise ValueError(msg)
        return self

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it needs."""
        return tuple(name for name in (self.webhook_env, self.smtp_password_env) if name)


class GameDay(_Part):
    """A game day.

    Attributes:
        schema_version: Version of this file's form, ``schema`` in the file.
        name: Part of each day's id.
        owner: Who answers for it.
        participants: Who takes part.
        target: The target file.
        confirm: The target's name, where it is not disposable.
        schedule: When; None for a day that is only held by hand.
        blackout: When it is not held: any event of this calendar, which is read again before each drill.
        lasts_s: How long the whole day may take, not less than its drills, cool-downs and approvals add
            up to; None for that.
        drills: In order.
        stop_when: What ends any of its drills early, and the day with it.
        notify: Whom to tell.
        notice_s: So long before, everybody is told and may veto.
        signed_off: Whether the reports of the last day must be signed off before the next is held.
        open_actions: Whether actions of the last day that are overdue keep the next from being held.

    """

    schema_version: Literal[1] = Field(1, alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    owner: Annotated[str, Field(min_length=1)]
    participants: tuple[Participant, ...] = ()
    target: Path
    confirm: str = ""
    schedule: Schedule | None = None
    blackout: NoGo | None = None
    lasts_s: Seconds | None = None
    drills: Annotated[tuple[PlannedDrill, ...], Field(min_length=1)]
    stop_when: tuple[str, ...] = ()
    notify: tuple[Channel, ...] = ()
    notice_s: float = Field(0, ge=0)
    signed_off: Literal["block", "warn"] = "warn"
    open_actions: Literal["block", "warn"] = "warn"


def load(path: Path) -> GameDay:
    """Read and check a game-day file.

    Raises:
        UsageError: It can't be read, or a key is missing, unknown or wrong: with line and column.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        msg = f"game-day file {path} can't be read: {problem}; {_HINT}"
        raise UsageError(msg) from problem
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        place = f":{where.line + 1}:{where.column + 1}" if where else ""
        said = " ".join(str(getattr(problem, "problem", None) or problem).split())
        msg = f"{path}{place}: not YAML: {said}; {_HINT}"
        raise UsageError(msg) from problem
    if not isinstance(document, dict):
        msg = f"{path}:1:1: must be a mapping of keys; {_HINT}"
        raise UsageError(msg)
    try:
        return _beside(GameDay.model_validate(document), path)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        line, column = position(root, first["loc"])
        more = f" ({problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        said = re.sub(r"^Value error, ", "", first["msg"])
        msg = f"{path}:{line}:{column}: {key}: {said}{more}; {_HINT}"
        raise UsageError(msg) from problem


def place_of(path: Path, *keys: str | int) -> str:
    """Return where in a game-day file something is, as ``file:line:column``."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line, column = position(root, keys)
    return f"{path}:{line}:{column}"


def position(node: yaml.Node | None, keys: tuple[str | int, ...]) -> tuple[int, int]:
    """Return line and column, from 1, of the deepest part of a document that the keys lead to."""
    if node is None:
        return 1, 1
    mark = node.start_mark
    for key in keys:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for name, value in node.value if name.value == str(key)), None)
            named = next((name for name, _ in node.value if name.value == str(key)), None)
            mark = named.start_mark if named is not None else mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            found = node.value[key]
            mark = found.start_mark
        if found is None:
            break
        node = found
    return mark.line + 1, mark.column + 1


def _beside(day: GameDay, path: Path) -> GameDay:
    """Return a game day whose files are found from anywhere."""
    folder = path.parent.resolve()
    changed: dict[str, Any] = {"target": folder / day.target}
    if day.blackout is not None:
        calendar = folder / day.blackout.calendar
        changed["blackout"] = day.blackout.model_copy(update={"calendar": calendar})
    return day.model_copy(update=changed)


def as_document(day: GameDay) -> dict[str, Json]:
    """Return a game day as JSON that :func:`from_document` reads."""
    return day.model_dump(mode="json", by_alias=True)


def from_document(document: Mapping[str, Any]) -> GameDay:
    """Read what :func:`as_document` returned."""
    return GameDay.model_validate(document)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the game-day file, as ``docs/schemas/gameday.json`` publishes it."""
    schema = GameDay.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "drill game-day file",
    }


class Action(_Part):
    """Something that people decided to do.

    Attributes:
        what: What.
        owner: Who does it.
        due: Until when.
        done: It is done.

    """

    what: str
    owner: str
    due: date
    done: bool = False
