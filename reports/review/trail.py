"""The audit trail: every comment, dispute and sign-off, in the order in which they were made.

A line's ``body`` is JSON with sorted keys: ``seq at who kind run_id text before_hash`` and, in a
sign-off, the ``manifest`` of the run's files and its ``outcome``. ``before_hash`` is the SHA-256 of
the body before it (zeros for the first), and each body is signed: a changed, missing or added line
shows. The last decision about a run is what holds. What a game day
was answered is on it too, with the day's id as ``run_id`` and the number of the ``drill``, from 1.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drill import clock
from drill.errors import DrillError
from drill.model import Json
from reports.review import database
from reports.review.keys import Ring, Signature, Signer

COMMENT = "comment"
DISPUTE = "dispute"
SIGN_OFF = "sign-off"
DECISIONS = (DISPUTE, SIGN_OFF)
APPROVE, REFUSE, VETO = "approve", "refuse", "veto"
ANSWERS = (APPROVE, REFUSE, VETO)
# An answer that was written down and did not reach its day.
UNDELIVERED = "undelivered"
_FIRST = "0" * 64


class Outdated(DrillError):
    """Somebody else decided about the run since the page was opened; nothing was written."""

    def __init__(self, since: "Entry") -> None:
        """Say what was decided meanwhile."""
        super().__init__(f"{since.who} made a {since.kind} meanwhile; read it, and then decide again")
        self.since = since


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wants to put on the trail.

    Attributes:
        run_id: About which run, or which game day.
        kind: ``comment``, ``dispute`` or ``sign-off``; of a day ``comment``, ``approve``, ``refuse``,
            ``veto`` or ``undelivered``.
        who: The person's name.
        text: The comment, or the reason.
        more: What a sign-off, or an answer, says besides.

    """

    run_id: str
    kind: str
    who: str
    text: str
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail.

    Attributes:
        seq: Its number, from 1.
        at: When it was made, RFC 3339 in UTC.
        who: By whom.
        kind: As in :class:`Said`.
        run_id: About which run.
        text: The comment, or the reason.
        fields: All of its body.
        body: The text that was signed.
        signature: Its signature.

    """

    seq: int
    at: str
    who: str
    kind: str
    run_id: str
    text: str
    fields: Mapping[str, Json]
    body: str
    signature: Signature

    @property
    def hash(self) -> str:
        """Return the SHA-256 of its body."""
        return _hash(self.body)

    def line(self) -> str:
        """Return it as a line of JSON that can be proved on its own."""
        return json.dumps({"body": self.body, "key": self.signature.key, "signature": self.signature.hex})

    @classmethod
    def of(cls, body: str, key: str, signature: str) -> "Entry":
        """Read a line.

        Raises:
            DrillError: It is not one.

        """
        try:
            fields = json.loads(body)
            at, who, kind, run_id, text = (
                str(fields[name]) for name in ("at", "who", "kind", "run_id", "text")
            )
            return cls(
                int(fields["seq"]), at, who, kind, run_id, text, fields, body, Signature(key, signature)
            )
        except (ValueError, KeyError, TypeError) as problem:
            msg = "a line of the trail can't be read; bring the review's file back from a backup"
            raise DrillError(msg) from problem


class Trail:
    """The trail in the review's file."""

    def __init__(self, path: Path) -> None:
        """Name the file, which is made when something is written."""
        self.path = path

    def add(self, said: Said, signer: Signer, seen: int | None = None) -> Entry:
        """Add a line, signed, and return it.

        Args:
            said: What is said.
            signer: The key.
            seen: The last line that the person had seen; a decision about the run after it is refused.

        Raises:
            Outdated: There was such a decision.
            DrillError: The file can't be written.

        """
        with database.opened(self.path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if seen is not None:
                    _refuse_if_decided(connection, said.run_id, seen)
                entry = _made(connection, said, signer)
                connection.execute(
                    "INSERT INTO trail (seq, body, key, signature) VALUES (?, ?, ?, ?)",
                    (entry.seq, entry.body, entry.signature.key, entry.signature.hex),
                )
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        return entry

    def about(self, run_id: str) -> tuple[Entry, ...]:
        """Return the lines about a run, the oldest first.

        Raises:
            DrillError: The file, or a line, can't be read.

        """
        if not self.path.exists():
            return ()
        with database.opened(self.path) as connection:
            rows = connection.execute("SELECT * FROM trail WHERE run_id = ? ORDER BY seq", (run_id,))
            return tuple(_entry(row) for row in rows)

    def every(self) -> tuple[Entry, ...]:
        """Return all lines, the oldest first.

        Raises:
            DrillError: The file, or a line, can't be read.

        """
        if not self.path.exists():
            return ()
        with database.opened(self.path) as connection:
            return tuple(_entry(row) for row in connection.execute("SELECT * FROM trail ORDER BY seq"))

    def problems(self, ring: Ring) -> tuple[str, ...]:
        """Return every line that does not follow from the one before, or whose signature does not hold."""
        found = []
        expected = _FIRST
        for number, entry in enumerate(self.every(), 1):
            if entry.seq != number or entry.fields.get("before_hash") != expected:
                found.append(f"line {entry.seq} of the audit trail does not follow from the one before")
            problem = ring.problem(entry.body.encode(), entry.signature)
            if problem:
                found.append(f"line {entry.seq} of the audit trail proves nothing: {problem}")
            expected = entry.hash
        return tuple(found)


def _made(connection: sqlite3.Connection, said: Said, signer: Signer) -> Entry:
    last = connection.execute("SELECT seq, body FROM trail ORDER BY seq DESC LIMIT 1").fetchone()
    fields: dict[str, Json] = {
        **said.more,
        "seq": last["seq"] + 1 if last else 1,
        "at": clock.now().wall,
        "who": said.who,
        "kind": said.kind,
        "run_id": said.run_id,
        "text": said.text,
        "before_hash": _hash(last["body"]) if last else _FIRST,
    }
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    signature = signer.sign(body.encode())
    return Entry.of(body, signature.key, signature.hex)


def _refuse_if_decided(connection: sqlite3.Connection, run_id: str, seen: int) -> None:
    row = connection.execute(
        "SELECT * FROM trail WHERE run_id = ? AND kind != ? AND seq > ? ORDER BY seq LIMIT 1",
        (run_id, COMMENT, seen),
    ).fetchone()
    if row:
        raise Outdated(_entry(row))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry.of(row["body"], row["key"], row["signature"])


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
