"""What shows that a run's files are as they were when the run ended: a manifest of their hashes.

The manifest lies in the run's folder, so it shows what was changed by accident or carelessly. Who
changes a file on purpose can write the manifest anew as well: against that the review signs a
manifest with a key that lies elsewhere (``reports.review``).

The report is no evidence: it is rendered from these files, again whenever somebody asks.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from drill import journal, plan, record, runs
from drill.errors import DrillError

FILE = "manifest.json"
SCHEMA = 1
_FILES = (plan.FILE, journal.FILE, runs.OBSERVATIONS, runs.RECORD)
# What SQLite reads together with its file: planted, it would change what is read and not the file.
_BESIDE = ("-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Hashed:
    """One file: how long it is and the SHA-256 of all its bytes."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a run.

    Attributes:
        schema: Version of this form.
        run_id: The run.
        files: What each file was, by name; a file that the run has not is not in it.

    """

    schema: int
    run_id: str
    files: Mapping[str, Hashed]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the manifest says.

    Attributes:
        file: Which file.
        words: What is wrong with it.

    """

    file: str
    words: str


_ADAPTER: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def taken(folder: Path) -> Manifest:
    """Return the manifest of a run's files as they are now.

    Raises:
        DrillError: A file can't be read.

    """
    there = [name for name in _FILES if (folder / name).exists()]
    return Manifest(SCHEMA, folder.name, {name: _hashed(folder / name) for name in there})


def seal(folder: Path) -> Manifest:
    """Write the manifest of a run that has ended into its folder, and return it.

    Raises:
        DrillError: A file can't be read, or the manifest can't be written.

    """
    if (folder / runs.OBSERVATIONS).exists():
        _fold_in(folder / runs.OBSERVATIONS)
    manifest = taken(folder)
    path = folder / FILE
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(_ADAPTER.dump_json(manifest, indent=1))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as problem:
        msg = f"manifest {path} can't be written: {problem.strerror}; free some space, then: drill runs"
        raise DrillError(msg) from problem
    return manifest


def sealed(folder: Path) -> Manifest | None:
    """Return the manifest in a run's folder; None if there is none.

    Raises:
        DrillError: It can't be read.

    """
    path = folder / FILE
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as problem:
        msg = f"manifest {path} can't be read: {problem.strerror}; see: drill runs"
        raise DrillError(msg) from problem
    except ValidationError as problem:
        msg = f"manifest {path} is damaged or of another version; see: drill verify {folder.name}"
        raise DrillError(msg) from problem


def differences(folder: Path, manifest: Manifest, *, may_grow: bool = False) -> tuple[Difference, ...]:
    """Return where a run's files differ from a manifest; none if they don't.

    Args:
        folder: The run's folder.
        manifest: What its files were.
        may_grow: Whether lines may have been added to the journal, as a later rollback does. They
            must still follow from the ones before, which :func:`chain` shows.

    Raises:
        DrillError: A file can't be read.

    """
    return tuple(_differences(folder, manifest, may_grow=may_grow))


def chain(folder: Path) -> Difference | None:
    """Return what breaks the journal's chain of hashes; None if every line follows from the one before."""
    try:
        journal.read(folder)
    except DrillError as problem:
        return Difference(journal.FILE, str(problem))
    return None


def readable(folder: Path) -> Difference | None:
    """Return why the record is none, or is not this run's; None if all is well."""
    try:
        found = record.read(folder / runs.RECORD)
    except record.OtherSchema:
        return None  # whole, and for another version to read; whether it was changed its hash tells
    except DrillError as problem:
        return Difference(runs.RECORD, str(problem))
    if found.run_id != folder.name:
        return Difference(runs.RECORD, f"is that of another run: {found.run_id}")
    return None


def _differences(folder: Path, manifest: Manifest, *, may_grow: bool) -> Iterator[Difference]:
    if manifest.run_id != folder.name:
        yield Difference(FILE, f"is that of another run: {manifest.run_id}")
    for name, was in manifest.files.items():
        words = _changed(folder / name, was, may_grow=may_grow and name == journal.FILE)
        if words:
            yield Difference(name, words)
    for name in _FILES:
        if name not in manifest.files and (folder / name).exists():
            yield Difference(name, "was added: it was not there")
    for end in _BESIDE:
        beside = folder / f"{runs.OBSERVATIONS}{end}"
        if beside.exists() and beside.stat().st_size:
            yield Difference(beside.name, "lies beside the observations and would change what is read")


def _changed(path: Path, was: Hashed, *, may_grow: bool) -> str:
    """Return how a file differs from what it was; empty if it does not."""
    if not path.exists():
        return "is missing"
    grown = may_grow and path.stat().st_size > was.bytes
    now = _hashed(path, was.bytes if grown else None)
    if now.bytes != was.bytes:
        return f"was changed: it has {now.bytes:,} bytes, not {was.bytes:,}"
    return "" if now.sha256 == was.sha256 else "was changed: its bytes are not those that were hashed"


def _hashed(path: Path, first_bytes: int | None = None) -> Hashed:
    """Hash a file, or so many of its first bytes."""
    try:
        with path.open("rb") as file:
            if first_bytes is not None:
                return Hashed(first_bytes, hashlib.sha256(file.read(first_bytes)).hexdigest())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Hashed(file.tell(), digest)
    except OSError as problem:
        msg = f"{path} can't be read: {problem.strerror}; see: drill runs"
        raise DrillError(msg) from problem


def _fold_in(path: Path) -> None:
    """Bring what SQLite still keeps beside its file into it, so that the file is all there is."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=10)) as opened:
            _, kept, folded = opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as problem:
        msg = f"observations {path} can't be sealed: {problem}; see: drill runs"
        raise DrillError(msg) from problem
    # Another reader may keep the file beside it for a while; what counts is that all of it is in.
    if kept != folded:
        msg = f"observations {path} are still being written; see: drill runs"
        raise DrillError(msg)
