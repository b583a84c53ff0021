"""The write-ahead undo log: what is about to be broken is on disk before it is.

One JSON object a line. Every line carries ``seq`` (from 1), ``at_ns`` (monotonic), ``wall``,
``kind`` and ``before_hash``, the SHA-256 of the line before it (zeros for the first), so that a
changed or missing line shows. Kinds:

============  ======================================================================
``opened``    the run: ``run_id scenario target``, who runs it: ``process fence``
``reopened``  another process goes on with it: ``process fence``, ``torn_bytes`` it cut off
``phase``     the engine entered a phase: ``name``
``intend``    a step is about to be injected: ``step fault args captured``
``injected``  it answered: ``step sent_ns done_ns``
``failed``    it was refused, nothing happened: ``step sent_ns done_ns error``
``unknown``   its answer was lost: ``step sent_ns done_ns error``; undone as if it happened
``ready``     a step of the recovery procedure was complete: ``step sent_ns done_ns``
``arming``    dead-man's undos of this run may exist from now on: ``step``
``disarmed``  none of them does any more
``undone``    put back and checked: ``step sent_ns done_ns``, ``drift`` that was left, ``remains``
``undo_failed``  could not be put back: ``step sent_ns done_ns error``
``closed``    nothing is left to undo
============  ======================================================================

The writer holds an exclusive lock on the file; it is released when its process ends,
however it ends, and a second process can then go on where it stopped. Before each line the
writer's fence is checked (:mod:`drill.lease`): whom another has taken over from writes nothing.

Room on the disk is kept for the lines of a rollback, in a file beside it: when the disk is full
nothing is injected any more, and what was injected can still be undone and noted.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drill import clock, redaction
from drill.errors import DrillError
from drill.faults.contract import Intent
from drill.model import Json
from drill.process import Process

FILE = "journal.jsonl"
RESERVE = "journal.reserve"
# Some hundreds of lines: the undo of every step, tried again and again.
_RESERVE_BYTES = 256 * 1024
_FIRST = "0" * 64


def _unfenced() -> None:
    """Let every line pass: there is no lease to lose."""


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


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes a journal.

    Attributes:
        process: Its process.
        fence: The number of the lease that it holds.
        check: Raises when another holds the target.

    """

    process: Process
    fence: int = 0
    check: Callable[[], None] = _unfenced

    @classmethod
    def own(cls, fence: int = 0, check: Callable[[], None] = _unfenced) -> Self:
        """Return this process, with its lease."""
        return cls(Process.own(), fence, check)

    def fields(self) -> dict[str, Json]:
        """Return what a line says of it."""
        return {"process": self.process.fields(), "fence": self.fence}


class Journal:
    """The journal of one run, opened for appending by one process at a time."""

    def __init__(self, path: Path, descriptor: int, writer: Writer) -> None:
        """Take over an open, locked descriptor; use :meth:`create` or :meth:`reopen`."""
        self._path = path
        self._descriptor = descriptor
        self._writer = writer
        self._entries: list[Entry] = []
        self._last_hash = _FIRST

    @classmethod
    def create(cls, folder: Path, scenario: str, target: str, writer: Writer | None = None) -> Self:
        """Create the journal of a new run, named by its folder, and write its first line.

        Raises:
            DrillError: The folder can't be written to, or has no room for a rollback's lines.

        """
        path = folder / FILE
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            msg = f"journal {path} can't be created: {problem.strerror}; choose a folder with: --runs DIR"
            raise DrillError(msg) from problem
        _lock(descriptor, path)
        _keep_room(folder)
        journal = cls(path, descriptor, writer or Writer.own())
        journal._append(
            "opened", run_id=folder.name, scenario=scenario, target=target, **journal._writer.fields()
        )
        # The folder's own entry too: after a power cut the journal must be found.
        _fsync_folder(folder)
        _fsync_folder(folder.parent)
        return journal

    @classmethod
    def reopen(cls, folder: Path, writer: Writer | None = None) -> Self:
        """Open an existing journal to go on with it; a torn last line is cut off, and that is noted.

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
        journal = cls(path, descriptor, writer or Writer.own())
        try:
            entries, whole_bytes, journal._last_hash = _parse(path)
        except DrillError:
            os.close(descriptor)
            raise
        journal._entries = list(entries)
        torn_bytes = os.fstat(descriptor).st_size - whole_bytes
        os.ftruncate(descriptor, whole_bytes)
        if journal.pending() or journal.armed():
            journal._append("reopened", torn_bytes=torn_bytes, **journal._writer.fields())
        return journal

    def intend(self, step: str, fault: str, args: Mapping[str, Json], captured: Mapping[str, Json]) -> Intent:
        """Put the undo of a step on disk, and only then return the leave to inject it."""
        _keep_room(self._path.parent)
        self._append("intend", step=step, fault=fault, args=args, captured=captured)
        return Intent(self._path.parent.name, step)

    def note(self, kind: str, step: str, sent_ns: int, done_ns: int, **more: Json) -> None:
        """Append what became of a step: ``injected failed unknown undone undo_failed``.

        Args:
            kind: One of these.
            step: The step.
            sent_ns: When it was begun.
            done_ns: When it had ended.
            more: ``error`` and ``drift``; those that say nothing are left out.

        """
        said = {name: value for name, value in more.items() if value}
        if "error" in said:
            said["error"] = redaction.redacted(str(said["error"]))
        self._append(kind, step=step, sent_ns=sent_ns, done_ns=done_ns, **said)

    def arming(self, step: str) -> None:
        """Append that a dead-man's undo of a step is about to be made."""
        self._append("arming", step=step)

    def disarmed(self) -> None:
        """Append that none of the run's dead-man's undos is left."""
        self._append("disarmed")

    def armed(self) -> bool:
        """Say whether dead-man's undos may still exist; asks no disk."""
        return armed(tuple(self._entries))

    def phase(self, name: str) -> None:
        """Append that the engine entered a phase."""
        self._append("phase", name=name)

    def mark_closed(self) -> None:
        """Append that nothing is left to undo, and give the kept room free."""
        self._append("closed")
        (self._path.parent / RESERVE).unlink(missing_ok=True)

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
        self._writer.check()
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
        try:
            try:
                self._write(raw)
            except OSError as problem:
                if problem.errno != errno.ENOSPC or kind == "intend":
                    raise
                # The room that was kept for this.
                (self._path.parent / RESERVE).unlink(missing_ok=True)
                self._write(raw)
        except OSError as problem:
            msg = f"journal {self._path} could not be written: {problem.strerror}; free some space first"
            raise DrillError(msg) from problem
        self._entries.append(Entry(len(self._entries) + 1, instant.monotonic_ns, instant.wall, kind, fields))
        self._last_hash = hashlib.sha256(raw).hexdigest()

    def _write(self, raw: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, raw) != len(raw):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 (undone just below)
            os.fsync(self._descriptor)
        except OSError:
            # Half a line, or one that may not be on the disk, must not stand before the next one.
            os.ftruncate(self._descriptor, size)
            raise


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


def armed(entries: tuple[Entry, ...]) -> bool:
    """Say whether dead-man's undos of the run may still exist."""
    kinds = [entry.kind for entry in entries if entry.kind in {"arming", "disarmed"}]
    return bool(kinds) and kinds[-1] == "arming"


def unfinished(entries: tuple[Entry, ...]) -> bool:
    """Say whether something is left: a step to be undone, or an armed dead-man's undo."""
    return bool(pending(entries)) or armed(entries)


def writer(entries: tuple[Entry, ...]) -> tuple[Process | None, int | None]:
    """Return the process that wrote a journal last, and the fence under which it did."""
    last = next((entry for entry in reversed(entries) if entry.kind in {"opened", "reopened"}), None)
    if last is None:
        return None, None
    fence = last.fields.get("fence")
    return Process.of(last.fields.get("process")), fence if isinstance(fence, int) else None


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


def _keep_room(folder: Path) -> None:
    """Keep room on the disk for the lines of a rollback.

    Raises:
        DrillError: There is none.

    """
    path = folder / RESERVE
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
        finally:
            os.close(descriptor)
    except OSError as problem:
        msg = (
            f"{folder} has no room for the lines of a rollback ({problem.strerror}), so nothing is touched; "
            "free some space, or choose a folder with: --runs DIR"
        )
        raise DrillError(msg) from problem


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(descriptor)
        run_id = path.parent.name
        msg = f"run {run_id} is still going (its journal is locked); stop it with: drill abort {run_id}"
        raise DrillError(msg) from problem


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
