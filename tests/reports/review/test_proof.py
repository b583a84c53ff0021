import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from drill import cli, evidence
from drill.errors import Refused, UsageError
from drill.exit_codes import INCONCLUSIVE, TAMPERED
from drill.journal import Journal
from drill.signing import SIGN_OFFS
from reports.review import database, keys
from reports.review.keys import Signer
from reports.review.proof import prove
from reports.review.sign_off import sign_off
from reports.review.trail import COMMENT, Outdated, Said, Trail
from tests.reports import factory
from tests.reports.review import stand

FILES = ("journal.jsonl", "observations.sqlite", "record.json")


@dataclass(frozen=True)
class Place:
    """A folder of runs with one run in it, and keys beside it."""

    root: Path
    folder: Path
    signer: Signer

    @property
    def trail(self) -> Trail:
        """Return the trail of the folder."""
        return Trail(self.root / database.FILE)

    def signed(self) -> "Place":
        """Sign the run off."""
        sign_off(self.folder, self.trail, self.signer, ("Nora", "Within both objectives."), 0)
        return self

    def faults(self) -> tuple[str, ...]:
        """Return what is seen to be changed."""
        return prove(self.folder, self.trail, self.signer).faults

    def verify(self, *more: str) -> int:
        """Type ``drill verify`` and return its exit code."""
        typed = ["verify", self.folder.name, "--runs", str(self.root), "--keys", str(self.signer.folder)]
        return cli.outcome_of([*typed, *more])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give a folder of runs with one run in it, and keys beside it."""
    root = tmp_path / "runs"
    folder = stand.save(root)
    return Place(root, folder, keys.signer(tmp_path / "keys", root))


def flip(path: Path, where: float = 0.5) -> None:
    """Change one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * where)] ^= 1
    path.write_bytes(bytes(raw))


def test_a_run_that_nobody_touched_is_intact(place: Place) -> None:
    """Nothing is seen to be changed, before the sign-off and after it."""
    assert place.verify() == 0
    assert place.verify("--signed") == INCONCLUSIVE
    assert place.signed().verify("--signed") == 0


@pytest.mark.parametrize("when", ["ended", "signed"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0.01, 0.5, 0.99])
def test_one_changed_byte_shows(place: Place, when: str, name: str, where: float) -> None:
    """A single bit anywhere in journal, observations or record makes the command end with 65."""
    if when == "signed":
        place.signed()
    flip(place.folder / name, where)
    assert place.verify() == TAMPERED
    assert any(name in words for words in place.faults())


def forge(folder: Path) -> None:
    """Change the record, and make the journal's chain and the manifest anew, as who knows them would."""
    record = folder / "record.json"
    record.write_text(record.read_text().replace('"breached"', '"met"').replace("sam", "pam"))
    lines, before = [], "0" * 64
    for line in (folder / "journal.jsonl").read_text().splitlines():
        fields = json.loads(line)
        fields.update(wall=f"2025{fields['wall'][4:]}", before_hash=before)
        raw = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        before = hashlib.sha256(raw).hexdigest()
        lines.append(raw)
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    evidence.seal(folder)


def test_a_chain_made_anew_from_the_first_line_is_caught_once_signed(place: Place) -> None:
    """A forged journal with a whole chain and a fitting manifest passes alone, not against a signature."""
    forge(place.folder)
    assert place.verify() == 0
    shutil.rmtree(place.root)
    stand.save(place.root)
    place.signed()
    forge(place.folder)
    assert place.verify() == TAMPERED
    assert {words.split()[0] for words in place.faults()} == {"journal.jsonl", "record.json"}


def test_a_missing_and_an_added_file_show(place: Place) -> None:
    """A file that is gone shows, and so does one that SQLite would read together with the observations."""
    place.signed()
    beside = place.folder / "observations.sqlite-wal"
    beside.write_bytes(b"planted")
    assert any(beside.name in words for words in place.faults())
    beside.unlink()
    assert place.faults() == ()
    (place.folder / "observations.sqlite").unlink()
    assert any("observations.sqlite is missing" in words for words in place.faults())


def test_a_copy_of_the_folder_is_proved_with_the_public_key_alone(place: Place, tmp_path: Path) -> None:
    """An auditor needs the run's folder and the public key, neither the trail nor the private key."""
    place.signed()
    shutil.copytree(place.folder, tmp_path / "copy" / place.folder.name)
    (tmp_path / "audit").mkdir()
    for path in place.signer.folder.glob("*.pub.pem"):
        shutil.copy(path, tmp_path / "audit")
    typed = ["verify", "latest", "--runs", str(tmp_path / "copy"), "--keys", str(tmp_path / "audit")]
    assert cli.outcome_of([*typed, "--signed"]) == 0
    flip(tmp_path / "copy" / place.folder.name / "record.json")
    assert cli.outcome_of(typed) == TAMPERED


def test_who_has_not_the_key_can_sign_nothing(place: Place, tmp_path: Path) -> None:
    """A sign-off with a key that is not in the ring proves nothing."""
    other = keys.rotate(tmp_path / "other")
    sign_off(place.folder, place.trail, other, ("Mallory", "Fine."), 0)
    assert place.verify() == TAMPERED
    assert any("not among the keys" in words for words in place.faults())


def test_a_sign_off_that_was_taken_away_shows(place: Place) -> None:
    """Deleting the review's file and the line beside the run leaves the list beside the key."""
    place.signed()
    for path in place.root.glob(f"{database.FILE}*"):
        path.unlink()
    assert place.verify() == TAMPERED
    assert any("the audit trail" in words and "is gone" in words for words in place.faults())
    (place.folder / SIGN_OFFS).unlink()
    assert place.verify() == TAMPERED
    assert any("taken away" in words for words in place.faults())


def test_the_trail_can_only_be_added_to(place: Place) -> None:
    """SQLite itself refuses a change; one made past it shows."""
    place.signed()
    connection = sqlite3.connect(place.root / database.FILE)
    for statement in ("UPDATE trail SET body = replace(body, 'Nora', 'Otto')", "DELETE FROM trail"):
        with pytest.raises(sqlite3.IntegrityError, match="only be added to"):
            connection.execute(statement)
    connection.execute("DROP TRIGGER trail_unchanged")
    connection.execute("UPDATE trail SET body = replace(body, 'Nora', 'Otto')")
    connection.commit()
    connection.close()
    assert any("Otto proves nothing" in words for words in place.faults())


def test_a_line_taken_out_of_the_trail_shows(place: Place) -> None:
    """A comment in the middle can't vanish: the line after it does not follow any more."""
    for text in ("first", "second", "third"):
        place.trail.add(Said(place.folder.name, COMMENT, "Nora", text, {}), place.signer)
    connection = sqlite3.connect(place.root / database.FILE)
    connection.execute("DROP TRIGGER trail_undeleted")
    connection.execute("DELETE FROM trail WHERE seq = 2")
    connection.commit()
    connection.close()
    assert place.verify() == TAMPERED


def test_a_line_put_in_another_s_place_shows(place: Place, tmp_path: Path) -> None:
    """A line of the same number, signed with the same key on another copy of the trail, does not fit."""
    place.trail.add(Said(place.folder.name, COMMENT, "Nora", "first", {}), place.signer)
    shutil.copy(place.trail.path, tmp_path / "fork.sqlite")
    fork = Trail(tmp_path / "fork.sqlite")
    other = fork.add(Said(place.folder.name, COMMENT, "Otto", "other", {}), place.signer)
    for text in ("second", "third"):
        place.trail.add(Said(place.folder.name, COMMENT, "Nora", text, {}), place.signer)
    assert place.verify() == 0
    connection = sqlite3.connect(place.trail.path)
    connection.execute("DROP TRIGGER trail_unchanged")
    connection.execute(
        "UPDATE trail SET body = ?, signature = ? WHERE seq = 2", (other.body, other.signature.hex)
    )
    connection.commit()
    connection.close()
    assert place.verify() == TAMPERED
    assert any("does not follow" in words for words in place.faults())


def test_an_older_trail_put_back_shows(place: Place) -> None:
    """Bringing back the trail of before a sign-off does not undo it: the run's folder has it still."""
    place.trail.add(Said(place.folder.name, COMMENT, "Nora", "first", {}), place.signer)
    old = place.trail.path.read_bytes()
    place.signed()
    for path in place.root.glob(f"{database.FILE}*"):
        path.unlink()
    place.trail.path.write_bytes(old)
    assert place.verify() == TAMPERED
    assert any("not in the audit trail" in words for words in place.faults())


def test_rotation_keeps_what_was_signed_provable(place: Place) -> None:
    """After a rotation the old sign-off still holds, and the new key signs."""
    place.signed()
    assert cli.outcome_of(["review", "rotate", "--keys", str(place.signer.folder)]) == 0
    new = keys.signer(place.signer.folder, place.root)
    assert new.key != place.signer.key
    assert set(new.ids) == {new.key, place.signer.key}
    assert place.verify("--signed") == 0


def test_a_key_among_the_runs_is_refused(place: Place) -> None:
    """Who can change a run must not be able to sign it."""
    with pytest.raises(UsageError, match="choose another folder with: --keys"):
        keys.signer(place.root / "keys", place.root)
    assert not (place.root / "keys").exists()


def test_a_key_that_others_can_read_is_refused(place: Place) -> None:
    """A private key is its owner's alone."""
    path = place.signer.folder / keys.PRIVATE
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        keys.signer(place.signer.folder, place.root)


def test_what_was_changed_cannot_be_signed_off(place: Place) -> None:
    """A reviewer can't put a name under files that are not what the run left."""
    flip(place.folder / "observations.sqlite")
    with pytest.raises(Refused, match="was changed"):
        place.signed()
    assert place.trail.every() == ()


def test_what_is_still_broken_cannot_be_signed_off(tmp_path: Path) -> None:
    """First the system is put back, then the report is signed."""
    folder = stand.save(tmp_path / "runs", factory.stopped())
    signer = keys.signer(tmp_path / "keys", tmp_path / "runs")
    with pytest.raises(Refused, match="drill recover"):
        sign_off(folder, Trail(tmp_path / "runs" / database.FILE), signer, ("Nora", "Fine."), 0)


def test_a_rollback_after_the_run_is_no_tampering(tmp_path: Path) -> None:
    """What a later rollback adds follows from the lines before; the manifest of the run's end holds."""
    folder = stand.save(tmp_path / "runs", factory.stopped())
    signer = keys.signer(tmp_path / "keys", tmp_path / "runs")
    trail = Trail(tmp_path / "runs" / database.FILE)
    with Journal.reopen(folder) as journal:
        journal.note("undone", "cut-network", 1, 2)
        journal.mark_closed()
    assert prove(folder, trail, signer).intact
    sign_off(folder, trail, signer, ("Nora", "Put back by hand."), 0)
    assert prove(folder, trail, signer).signed is not None


def test_two_reviewers_at_once_do_not_pass_each_other_by(place: Place) -> None:
    """Who decides on a page that is older than another's decision is told of it, and nothing is written."""
    place.signed()
    with pytest.raises(Outdated, match="Nora made a sign-off meanwhile"):
        sign_off(place.folder, place.trail, place.signer, ("Otto", "Mine."), 0)
    assert len(place.trail.every()) == 1


BROKEN: dict[str, Callable[[Path], object]] = {
    "record": lambda folder: (folder / "record.json").write_text("{"),
    "manifest": lambda folder: (folder / evidence.FILE).write_text("[]"),
    "journal": lambda folder: (folder / "journal.jsonl").unlink(),
    "sign-offs": lambda folder: (folder / SIGN_OFFS).write_text("?\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_damaged_file_is_a_finding_and_no_crash(place: Place, what: str) -> None:
    """Half a file, another form or none at all is told as what it is."""
    BROKEN[what](place.signed().folder)
    assert place.verify() == TAMPERED
