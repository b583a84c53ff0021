"""Whether a run's files, its sign-offs and the audit trail are as they were."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drill import evidence
from drill.errors import DrillError
from drill.evidence import Difference, Hashed, Manifest
from drill.model import Json
from drill.signing import SIGN_OFFS
from reports.review.keys import Ring
from reports.review.trail import DECISIONS, SIGN_OFF, Entry, Trail

# Beside the run's files, so that a copy of the folder can be proved with the public key alone.


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        holds: Whether it is as it was; None if there is nothing that could tell.
        words: What was found.

    """

    holds: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What could be shown about a run.

    Attributes:
        checks: Everything that was looked at.
        signed: The sign-off that holds; None without one, or when a dispute came after it.

    """

    checks: tuple[Check, ...]
    signed: Entry | None

    @property
    def intact(self) -> bool:
        """Say whether nothing was seen to be changed."""
        return all(check.holds is not False for check in self.checks)

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what was changed, in words."""
        return tuple(check.words for check in self.checks if check.holds is False)


def prove(folder: Path, trail: Trail, ring: Ring, *, whole_trail: bool = True) -> Proof:
    """Look at everything that could show a change of a run.

    Args:
        folder: The run's folder.
        trail: The audit trail.
        ring: The public keys.
        whole_trail: Whether the lines of the trail about other runs are looked at too.

    """
    checks = [*_files(folder)]
    entries: tuple[Entry, ...] = ()
    try:
        entries = trail.about(folder.name)
        checks += _sign_offs(folder, entries, ring)
        checks += _beside_alone(folder, entries, ring, trail_there=trail.path.exists())
        if ring.signed() and not trail.path.exists():
            checks.append(Check(False, f"the audit trail {trail.path} is gone; bring it back from a backup"))
        checks += [Check(False, words) for words in (trail.problems(ring) if whole_trail else ())]
    except DrillError as problem:
        checks.append(Check(False, str(problem)))
    return Proof(tuple(checks), _signed_off(folder, entries, trail))


def _signed_off(folder: Path, entries: tuple[Entry, ...], trail: Trail) -> Entry | None:
    """Return the sign-off that holds: the trail's last decision, or in a copy without a trail its own."""
    try:
        decided = entries if trail.path.exists() else _beside(folder)
    except DrillError:
        return None
    decisions = [entry for entry in decided if entry.kind in DECISIONS]
    return decisions[-1] if decisions and decisions[-1].kind == SIGN_OFF else None


def manifest_fields(manifest: Manifest) -> dict[str, Json]:
    """Return a manifest as a sign-off carries it."""
    files: dict[str, Json] = {
        name: {"bytes": file.bytes, "sha256": file.sha256} for name, file in manifest.files.items()
    }
    return {"schema": manifest.schema, "run_id": manifest.run_id, "files": files}


def _files(folder: Path) -> Iterator[Check]:
    """Look at the files alone: the journal's chain, the record, the manifest made when the run ended."""
    broken = evidence.chain(folder)
    yield _told(broken, "every line of journal.jsonl follows from the one before")
    yield _told(evidence.readable(folder), "record.json is a whole record")
    try:
        manifest = evidence.sealed(folder)
        if manifest is None:
            yield Check(None, "no manifest was made when the run ended, so only a sign-off can show a change")
            return
        found = evidence.differences(folder, manifest, may_grow=True)
    except DrillError as problem:
        yield Check(False, str(problem))
        return
    yield from (_told(one, "") for one in found)
    if not found:
        yield Check(True, f"{_listed(manifest)} are as they were when the run ended")


def _sign_offs(folder: Path, entries: tuple[Entry, ...], ring: Ring) -> Iterator[Check]:
    """Look at what was signed, in the trail, beside the run's files and beside the key."""
    beside = _beside(folder)
    known = {entry.hash for entry in (*entries, *beside)}
    for entry in entries:
        yield from _in_trail(folder, entry, ring)
    for one in ring.signed():
        if one["run_id"] == folder.name and one["hash"] not in known:
            yield Check(
                False, f"a sign-off of {one['at'][:10]} was taken away; the list beside the key has it"
            )
    if not any(entry.kind == SIGN_OFF for entry in (*entries, *beside)):
        yield Check(None, "nobody has signed it off")


def _in_trail(folder: Path, entry: Entry, ring: Ring) -> Iterator[Check]:
    problem = ring.problem(entry.body.encode(), entry.signature)
    if problem:
        yield Check(False, f"the {entry.kind} of {entry.who} proves nothing: {problem}")
    elif entry.kind == SIGN_OFF:
        yield from _signed(folder, entry)


def _beside_alone(
    folder: Path, entries: tuple[Entry, ...], ring: Ring, *, trail_there: bool
) -> Iterator[Check]:
    """Look at the sign-offs beside the run's files that the trail has not; a copied folder has no trail."""
    known = {entry.hash for entry in entries}
    for entry in _beside(folder):
        if entry.hash in known:
            continue
        problem = ring.problem(entry.body.encode(), entry.signature)
        if problem or entry.run_id != folder.name:
            yield Check(False, f"a line of {SIGN_OFFS} proves nothing: {problem or 'it is of another run'}")
            continue
        yield from _signed(folder, entry)
        if trail_there:
            yield Check(False, f"the sign-off of {entry.who} of {entry.at[:10]} is not in the audit trail")


def _signed(folder: Path, entry: Entry) -> Iterator[Check]:
    """Compare a run's files with those that were signed."""
    try:
        found = evidence.differences(folder, _manifest(entry))
    except DrillError as problem:
        yield Check(False, str(problem))
        return
    by = f"{entry.who} signed them off on {entry.at[:10]}"
    yield from (Check(False, f"{one.file} {one.words}, since {by}") for one in found)
    if not found:
        yield Check(True, f"the files are those that were signed: {by} (key {entry.signature.key})")


def _manifest(entry: Entry) -> Manifest:
    try:
        fields = json.loads(entry.body)["manifest"]
        files = {name: Hashed(file["bytes"], file["sha256"]) for name, file in fields["files"].items()}
        return Manifest(fields["schema"], fields["run_id"], files)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        msg = f"the sign-off of {entry.who} names no files, so it proves nothing"
        raise DrillError(msg) from problem


def _beside(folder: Path) -> tuple[Entry, ...]:
    """Return the sign-offs that lie beside the run's files.

    Raises:
        DrillError: One can't be read.

    """
    path = folder / SIGN_OFFS
    if not path.exists():
        return ()
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return tuple(Entry.of(line["body"], line["key"], line["signature"]) for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        msg = f"{SIGN_OFFS} was changed: {problem}"
        raise DrillError(msg) from problem


def _told(found: Difference | None, well: str) -> Check:
    return Check(True, well) if found is None else Check(False, f"{found.file}: {found.words}")


def _listed(manifest: Manifest) -> str:
    names = sorted(manifest.files)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
