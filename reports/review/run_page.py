"""All that the page of one run shows; made of files, and kept until one of them changes."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drill import record as records
from drill import runs
from drill.errors import DrillError
from drill.record import Record
from reports import render, view
from reports.comparison import earlier
from reports.review import index
from reports.review.index import Source
from reports.review.proof import Proof, prove
from reports.review.trail import DECISIONS, Entry, Trail
from reports.wording import wall_time

_KEPT = 8
_WORDS: Mapping[str, str] = {
    "comment": "commented",
    "dispute": "disputed",
    "sign-off": "signed off",
    "approve": "approved",
    "refuse": "refused",
    "veto": "vetoed",
    "undelivered": "did not reach",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the trail as the page shows it."""

    seq: int
    kind: str
    verb: str
    who: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What people said of a run, and what can be proved.

    Attributes:
        state: ``open``, ``sign-off`` or ``dispute``.
        decision: The decision that holds; None if there is none.
        said: Everything that was said, the oldest first.
        seen: The last line of the trail about it.
        proof: What could be shown.
        own: Whether the one who signed it off ran the drill, too.

    """

    state: str
    decision: Said | None
    said: tuple[Said, ...]
    seen: int
    proof: Proof
    own: bool


class Reports:
    """The pages of reports that were asked for last."""

    def __init__(self, source: Source) -> None:
        """Begin with none."""
        self._source = source
        self._kept: dict[tuple[str, str], view.Page] = {}
        self._lock = threading.Lock()

    def page(self, folder: Path) -> view.Page:
        """Return the page of a run's report.

        Raises:
            DrillError: Its record can't be read.

        """
        key = (folder.name, index.stamp(folder))
        found = self._kept.get(key)
        if found is None:
            found = self._made(folder)
            with self._lock:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = found
        return found

    def _made(self, folder: Path) -> view.Page:
        record = records.read(folder / runs.RECORD)
        before = earlier(record, list(index.earlier(self._source, record)))
        try:
            return render.page(folder, record, before, render.observed(folder / runs.OBSERVATIONS))
        except DrillError as problem:
            return render.page(folder, record, before, None, (str(problem),))


def panel(folder: Path, source: Source, record: Record | None) -> Panel:
    """Return what was said of a run and what can be proved."""
    trail = Trail(source.path)
    proof = prove(folder, trail, source.ring, whole_trail=False)
    try:
        entries = trail.about(folder.name)
    except DrillError:
        entries = ()  # the proof says so
    return _panel(entries, proof, record.operator if record else "")


def _panel(entries: Sequence[Entry], proof: Proof, operator: str) -> Panel:
    said = tuple(shown(entry) for entry in entries)
    decision = next((one for one in reversed(said) if one.kind in DECISIONS), None)
    return Panel(
        state=decision.kind if decision else "open",
        decision=decision,
        said=said,
        seen=entries[-1].seq if entries else 0,
        proof=proof,
        own=bool(decision) and proof.signed is not None and proof.signed.who == operator,
    )


def shown(entry: Entry) -> Said:
    """Return a line of the trail as a page shows it."""
    return Said(
        entry.seq, entry.kind, _WORDS.get(entry.kind, entry.kind), entry.who, wall_time(entry.at), entry.text
    )
