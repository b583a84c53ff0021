"""The write-ahead undo log: what is about to be broken is on disk before it is.

One JSON object a line. Every line carries ``seq`` (from 1), ``at_ns`` (monotonic), ``wall``,
``kind`` and ``before_hash``, the SHA-256 of the line before it (zeros for the first), so that a
changed or missing line shows. Kinds:

============  ======================================================================
``opened``    the run: ``run_id scenario target``
``phase``     the engine entered a phase: ``name``
``intend``    a step is about to be injected: ``step fault args captured``
``injected``  it answered: ``step sent_ns done_ns``
``failed``    it was refused, nothing happened: ``step sent_ns done_ns error``
``unknown``   its answer was lost: ``step sent_ns done_ns error``; undone as if it happened
``undone``    put back and checked: ``step sent_ns done_ns``
``undo_failed``  could not be put back: ``step sent_ns done_ns error``
``closed``    nothing is left to undo
============  ======================================================================

The writer holds an exclusive lock on the file; it is released when its process ends,
however it ends, and a second process can then go on where it stopped.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drill import clock
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.model import Json

FILE = "journal.jsonl"
_FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    at_ns: int
    wall: str
    kind: str
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Pending:
    """A step that was intended and is not known to be undone."""

    step: str
    fault: str
    args: Mapping[str, Json]
    captured: Mapping[str, Json]


class Journal:
    """The journal of one run, opened for appending by one process at a time."""

    def __init__(self, path: Path, descriptor: int, entries: tuple[Entry, ...], last_hash: str) -> None:
        """Take over an open, locked descriptor; use :meth:`create` or :meth:`reopen`."""
        self._path = path
        self._descriptor = descriptor
        self._entries = list(entries)
        self._last_hash = last_hash
        self._run_id = str(entries[0].fields["run_id"]) if entries else ""

    @classmethod
    def create(cls, folder: Path, run_id: str, scenario: str, target: str) -> Self:
        """Create the journal of a new run and write its first line.

        Raises:
            DrillError: The folder can't be written to.

        """
        path = folder / FILE
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            msg = f"journal {path} can't be created: {problem.strerror}; choose a folder with: --runs DIR"
            raise DrillError(msg) from problem
        _lock(descriptor, path)
        journal = cls(path, descriptor, (), _FIRST)
        journal._run_id = run_id
        journal._append("opened", run_id=run_id, scenario=scenario, target=target)
        # The folder's own entry too: after a power cut the journal must be found.
        _fsync_folder(folder)
        _fsync_folder(folder.parent)
        return journal

    @classmethod
    def reopen(cls, folder: Path) -> Self:
        """Open an existing journal to go on with it; a torn last line is cut off.

        Raises:
            DrillError: It is missing, damaged, or its runner is still alive.

        """
        path = folder / FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as problem:
            msg = f"journal {path} can't be opened: {problem.strerror}; list the runs with: drill runs"
            raise DrillError(msg) from problem
        _lock(descriptor, path)
        entries, whole_bytes, last_hash = _parse(path)
        os.ftruncate(descriptor, whole_bytes)
        return cls(path, descriptor, entries, last_hash)

    def intend(self, step: str, fault: str, args: Mapping[str, Json], captured: Mapping[str, Json]) -> Intent:
        """Put the undo of a step on disk, and only then return the leave to inject it."""
        self._append("intend", step=step, fault=fault, args=args, captured=captured)
        return Intent(self._run_id, step)

    def note(self, kind: str, step: str, sent_ns: int, done_ns: int, error: str = "") -> None:
        """Append what became of a step: ``injected failed unknown undone undo_failed``."""
        extra: dict[str, Json] = {"error": error} if error else {}
        self._append(kind, step=step, sent_ns=sent_ns, done_ns=done_ns, **extra)

    def phase(self, name: str) -> None:
        """Append that the engine entered a phase."""
        self._append("phase", name=name)

    def mark_closed(self) -> None:
        """Append that nothing is left to undo."""
        self._append("closed")

    def pending(self) -> tuple[Pending, ...]:
        """Return the steps that are still to be undone, the last intended first; asks no disk."""
        return pending(tuple(self._entries))

    def close(self) -> None:
        """Release the file and its lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the file, whatever happened."""
        self.close()

    def _append(self, kind: str, **fields: Json) -> None:
        instant = clock.now()
        line = {
            "seq": len(self._entries) + 1,
            "at_ns": instant.monotonic_ns,
            "wall": instant.wall,
            "kind": kind,
            **fields,
            "before_hash": self._last_hash,
        }
        raw = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        size = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, raw) != len(raw):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 (undone just below)
            os.fsync(self._descriptor)
        except OSError as problem:
            # Half a line, or one that may not be on the disk, must not stand before the next one.
            os.ftruncate(self._descriptor, size)
            msg = f"journal {self._path} could not be written: {problem.strerror}; free some space first"
            raise DrillError(msg) from problem
        self._entries.append(Entry(len(self._entries) + 1, instant.monotonic_ns, instant.wall, kind, fields))
        self._last_hash = hashlib.sha256(raw).hexdigest()


def read(folder: Path) -> tuple[Entry, ...]:
    """Return every whole entry of a run's journal, without its torn tail if it has one.

    Raises:
        DrillError: It is missing or its chain of hashes is broken.

    """
    return _parse(folder / FILE)[0]


def pending(entries: tuple[Entry, ...]) -> tuple[Pending, ...]:
    """Return the steps that are still to be undone, the last intended first."""
    left: dict[str, Pending] = {}
    for entry in entries:
        step = str(entry.fields.get("step", ""))
        if entry.kind == "intend":
            left[step] = Pending(
                step, str(entry.fields["fault"]), _mapping(entry, "args"), _mapping(entry, "captured")
            )
        elif entry.kind == "undone":
            left.pop(step, None)
    return tuple(reversed(left.values()))


def _mapping(entry: Entry, name: str) -> Mapping[str, Json]:
    value = entry.fields[name]
    if not isinstance(value, Mapping):
        msg = f"journal entry {entry.seq}: {name} is no mapping"
        raise DrillError(msg)
    return value


def _parse(path: Path) -> tuple[tuple[Entry, ...], int, str]:
    """Return the whole entries, how many bytes they take, and the last line's hash."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        msg = f"journal {path} can't be read: {problem.strerror}; list the runs with: drill runs"
        raise DrillError(msg) from problem
    entries: list[Entry] = []
    expected = _FIRST
    whole_bytes = 0
    for line in raw.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        fields: dict[str, Any] = {}
        try:
            fields = json.loads(line)
            linked = fields.pop("before_hash") == expected and fields.pop("seq") == len(entries) + 1
        except (ValueError, KeyError, AttributeError):
            linked = False
        if not linked:
            msg = (
                f"journal {path} was changed: line {len(entries) + 1} does not follow from the one "
                "before; put back by hand what it names, then move its folder away"
            )
            raise DrillError(msg)
        entries.append(
            Entry(len(entries) + 1, fields.pop("at_ns"), fields.pop("wall"), fields.pop("kind"), fields)
        )
        expected = hashlib.sha256(line).hexdigest()
        whole_bytes += len(line)
    return tuple(entries), whole_bytes, expected


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(descriptor)
        msg = f"run {path.parent.name} is still going (its journal is locked); interrupt it with Ctrl-C there"
        raise DrillError(msg) from problem


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
