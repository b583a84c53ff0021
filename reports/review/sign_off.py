"""Signing a run off: its files are looked at, and their hashes are signed; or disputing it."""

import os
from pathlib import Path

from drill import evidence, journal, record, runs
from drill.errors import Refused
from drill.signing import DISPUTES, SIGN_OFFS
from reports.review.keys import Signer
from reports.review.proof import manifest_fields, prove
from reports.review.trail import DISPUTE, SIGN_OFF, Entry, Said, Trail


def sign_off(folder: Path, trail: Trail, signer: Signer, who: tuple[str, str], seen: int) -> Entry:
    """Sign a run off and return the line of the trail.

    Args:
        folder: The run's folder.
        trail: The audit trail.
        signer: The key.
        who: The reviewer's name and the reason.
        seen: The last line of the trail that the reviewer had seen.

    Raises:
        Refused: The run is not over, something is still to be undone, or a file was changed.
        Outdated: Somebody decided about it meanwhile.
        DrillError: A file can't be read or written.

    """
    finished = record.read(folder / runs.RECORD)
    if journal.unfinished(journal.read(folder)):
        msg = f"something is still to be undone; put it back first: {runs.rollback_command(folder)}"
        raise Refused(msg)
    faults = prove(folder, trail, signer, whole_trail=False).faults
    if faults:
        msg = f"what was changed can't be signed off: {faults[0]}; see: drill verify {folder.name}"
        raise Refused(msg)
    name, reason = who
    more = {
        "manifest": manifest_fields(evidence.taken(folder)),
        "outcome": finished.outcome.value,
        "operator": finished.operator,
    }
    entry = trail.add(Said(folder.name, SIGN_OFF, name, reason, more), signer, seen)
    signer.remember(folder.name, entry.hash, entry.at)
    _keep(folder / SIGN_OFFS, entry)
    return entry


def dispute(folder: Path, trail: Trail, signer: Signer, who: tuple[str, str], seen: int) -> Entry:
    """Say that a run's report is wrong, which ends its sign-off; arguments as those of :func:`sign_off`.

    Raises:
        Outdated: Somebody decided about it meanwhile.
        DrillError: A file can't be written.

    """
    name, reason = who
    entry = trail.add(Said(folder.name, DISPUTE, name, reason, {}), signer, seen)
    _keep(folder / DISPUTES, entry)
    return entry


def _keep(path: Path, entry: Entry) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{entry.line()}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
