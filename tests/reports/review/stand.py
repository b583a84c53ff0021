"""Finished runs on disk, whole with their journals, for tests of the review."""

from dataclasses import replace
from pathlib import Path

from drill import evidence
from drill.clock import Instant
from drill.journal import Journal
from drill.record import Record
from tests.reports import factory
from tests.reports.factory import Drill


def save(root: Path, drill: Drill | None = None, run_id: str = "") -> Path:
    """Write a drill as a run leaves it: journal, observations, record and manifest; return its folder."""
    given = drill or factory.blackout()
    record = replace(given.record, run_id=run_id) if run_id else given.record
    folder = Drill(record, given.observations).save(root)
    write_journal(folder, record)
    evidence.seal(folder)
    return folder


def write_journal(folder: Path, record: Record) -> None:
    """Write the journal of a drill that was put back."""
    with Journal.create(folder, record.scenario, record.target) as journal:
        for action in record.actions:
            journal.intend(action.step, action.fault, {}, {})
            journal.note("injected", action.step, action.sent_ns or 0, action.done_ns or 0)
        for action in reversed(record.actions):
            if action.undo_status == "undone":
                journal.note("undone", action.step, action.undo_sent_ns or 0, action.undo_done_ns or 0)
        if record.rolled_back:
            journal.mark_closed()


def at(day: int, drill: Drill | None = None) -> Drill:
    """Return a drill as it would have been so many days after the first of January 2026."""
    given = drill or factory.blackout()
    date = f"2026-{day // 28 + 1:02d}-{day % 28 + 1:02d}"
    record = replace(
        given.record,
        run_id=f"{date.replace('-', '')}t100000-region-outage-{day:04x}",
        started=Instant(given.record.started.monotonic_ns, f"{date}T10:00:00.000000+00:00"),
        ended=Instant(given.record.ended.monotonic_ns, f"{date}T10:00:20.000000+00:00"),
    )
    return Drill(record, given.observations)
