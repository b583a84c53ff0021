"""The finished run: all that a report shows, as JSON with a schema version.

Its form is published in ``docs/schemas/record.json``. A record of another version is not guessed at.

A record holds no secret and no AWS credentials: nothing that it is made of ever reads one.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from drill.clock import Instant
from drill.errors import UsageError
from drill.model import Audit, Between, Finding, Json, Judgement, Marks, Measured, Outcome, ProbeSpec

SCHEMA = 1
# One attempt of so many may be missing.
_OF = 20


class OtherSchema(UsageError):
    """The record is whole, and of a version that this program does not read."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that was done to the system, and how it was undone.

    Attributes:
        step: The step's name.
        fault: The fault's kind.
        description: One line.
        status: ``injected``, ``failed`` or ``unknown`` (the answer was lost).
        sent_ns: When the injection's call was sent.
        done_ns: When it answered.
        undo_status: ``undone``, ``undo_failed`` or ``pending``.
        undo_sent_ns: When the undo was sent.
        undo_done_ns: When it was checked.
        error: What went wrong, in AWS's words; empty if nothing did.
        drift: What somebody else had changed meanwhile, and was left as they made it.
        remains: What the undo could not make as it was; it is among the findings.
        recovery: It belongs to the recovery procedure under test, and is no injection.
        ready: When it was complete, where that was awaited.
        told: What its fault tells of what it captured.

    """

    step: str
    fault: str
    description: str
    status: str
    sent_ns: int | None
    done_ns: int | None
    undo_status: str
    undo_sent_ns: int | None
    undo_done_ns: int | None
    error: str = ""
    drift: tuple[str, ...] = ()
    remains: tuple[Finding, ...] = ()
    recovery: bool = False
    ready: Between | None = None
    told: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProbeHealth:
    """How well one probe kept its schedule (a starved probe proves nothing).

    Attributes:
        probe: Its name.
        due: Attempts that were due.
        sent: Attempts that were sent.
        worst_gap_s: The longest stretch between two attempts sent.
        lag_p99_s: 99th percentile of sent minus due.

    """

    probe: str
    due: int
    sent: int
    worst_gap_s: float
    lag_p99_s: float

    @property
    def starved(self) -> bool:
        """Whether too little was sent: less than 95 % of what was due, and more than one attempt is missing.

        A probe with less than twenty attempts would be starved by any one of them, though its
        neighbours' bounds hold what it did not see; a hole at an edge is looked for besides.
        """
        missing = self.due - self.sent
        return missing * _OF > self.due and (missing > 1 or not self.sent)


@dataclass(frozen=True, slots=True)
class Record:
    """One finished drill.

    Attributes:
        schema: Version of this form.
        run_id: Unique id; the name of the run's folder.
        scenario: The scenario's name.
        title: Its title.
        hypothesis: What should have happened.
        covers: What it proves.
        notes: Limits of the method, for the reader.
        params: The parameters it ran with.
        target: The target's name.
        environment: ``kind`` (``aws`` or ``lab``), ``profile``, ``account``, ``primary``,
            ``standby``; for the header.
        versions: Of the program, of Python, of what was used.
        operator: Who ran it.
        command: What was typed.
        started: When the plan was made.
        ended: When it was judged.
        outcome: The worst of its parts.
        exit_code: What the command returned.
        reason: One sentence: why this outcome.
        took_effect: Whether the fault was seen to bite; None if nothing was injected.
        stopped_by: The stop condition or signal that ended it early; empty if none did.
        marks: When the engine did what.
        probes: What watched.
        probe_health: How well each kept its schedule.
        judgements: Objectives against measurements.
        measured: Measurements, phases, ledgers, findings.
        actions: What was done and undone, in order.
        rolled_back: Whether everything was put back and checked.
        audit: What an audit said of the system before; None if there was none.

    """

    schema: int
    run_id: str
    scenario: str
    title: str
    hypothesis: str
    covers: tuple[str, ...]
    notes: tuple[str, ...]
    params: Mapping[str, Json]
    target: str
    environment: Mapping[str, str]
    versions: Mapping[str, str]
    operator: str
    command: str
    started: Instant
    ended: Instant
    outcome: Outcome
    exit_code: int
    reason: str
    took_effect: bool | None
    stopped_by: str
    marks: Marks
    probes: tuple[ProbeSpec, ...]
    probe_health: tuple[ProbeHealth, ...]
    judgements: tuple[Judgement, ...]
    measured: Measured
    actions: tuple[Action, ...]
    rolled_back: bool
    audit: Audit | None = None


_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


def write(record: Record, path: Path) -> None:
    """Write a record so that a crash leaves the old file or the new one, never half of one."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(_ADAPTER.dump_json(record, indent=1))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read(path: Path) -> Record:
    """Read a record.

    Raises:
        OtherSchema: It is of another version.
        UsageError: There is none, or it is damaged.

    """
    try:
        return _validated(path.read_bytes(), path)
    except FileNotFoundError as problem:
        msg = f"{path.parent.name} has no record: it did not finish; see: drill recover {path.parent.name}"
        raise UsageError(msg) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        msg = f"record {path} is damaged: {key}: {first['msg']}; see: drill verify {path.parent.name}"
        raise UsageError(msg) from problem


def json_schema() -> dict[str, object]:
    """Return the JSON Schema of a record, which is part of what this version promises."""
    schema = _ADAPTER.json_schema(mode="serialization")
    schema["properties"]["schema"] = {"const": SCHEMA, "title": "Schema", "type": "integer"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:drill:record:{SCHEMA}",
        **schema,
        "title": f"A drill's record, version {SCHEMA}",
    }


def as_json(record: Record) -> str:
    """Return a record as JSON in ASCII, so that nothing in it can do anything to a terminal."""
    return json.dumps(_ADAPTER.dump_python(record, mode="json"), indent=1)


def _validated(raw: bytes, path: Path) -> Record:
    try:
        found = _ADAPTER.validate_json(raw)
    except ValidationError:
        _refuse_other(_version(raw), path)
        raise
    _refuse_other(found.schema, path)
    return found


def _refuse_other(version: int | None, path: Path) -> None:
    if version is not None and version != SCHEMA:
        newer = "update drill" if version > SCHEMA else "use the drill that made it"
        msg = f"record {path} has version {version}, and this drill reads version {SCHEMA}: {newer}"
        raise OtherSchema(msg)


def _version(raw: bytes) -> int | None:
    try:
        found = json.loads(raw)["schema"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None
