"""The finished run: all that a report shows, as JSON with a schema version.

A record holds no secret and no AWS credentials: nothing that it is made of ever reads one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from drill.clock import Instant
from drill.errors import UsageError
from drill.model import Between, Finding, Json, Judgement, Marks, Measured, Outcome, ProbeSpec

SCHEMA = 1


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
        UsageError: There is none, or it is damaged or of another schema.

    """
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError as problem:
        msg = f"{path.parent.name} has no record: it did not finish; see: drill rollback {path.parent.name}"
        raise UsageError(msg) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        msg = f"record {path} is damaged or of another version: {key}: {first['msg']}"
        raise UsageError(msg) from problem
