"""The journal line by line, and the hashes of the files that a report is made from; pure."""

from collections.abc import Mapping, Sequence

from drill.evidence import Manifest
from drill.journal import Entry
from drill.model import Json
from reports.series import Table
from reports.text import as_text
from reports.timeline import Axis
from reports.wording import instant

_KINDS: Mapping[str, str] = {
    "opened": "opened by a process",
    "reopened": "taken over by another process",
    "phase": "entered",
    "intend": "undo written down, about to inject",
    "injected": "injected",
    "failed": "refused, nothing happened",
    "unknown": "answer lost, undone as if it happened",
    "arming": "dead-man\u2019s undo about to be armed",
    "disarmed": "no dead-man\u2019s undo is left",
    "undone": "put back and checked",
    "undo_failed": "could not be put back",
    "closed": "nothing is left to undo",
}
_ABOUT = ("step", "name", "fault", "error", "drift")


def journal(entries: Sequence[Entry], axis: Axis) -> Table:
    """Return every line of the journal, in time relative to the fault."""
    rows = tuple(
        (
            str(entry.seq),
            instant(axis.at(entry.at_ns)),
            _KINDS.get(entry.kind, entry.kind),
            ", ".join(_text(entry.fields[name]) for name in _ABOUT if entry.fields.get(name)),
        )
        for entry in entries
    )
    caption = (
        f"Every line of the journal, in time relative to {axis.zero}; each holds the hash of the one before"
    )
    return Table(caption, ("Line", "When", "What", "Of what"), rows, frozenset({1}))


def hashes(manifest: Manifest | None) -> Table:
    """Return what the run's files were when it ended."""
    rows = tuple(
        (name, f"{file.bytes:,}", file.sha256) for name, file in (manifest.files.items() if manifest else ())
    )
    return Table(
        "The files that this report is made from", ("File", "Bytes", "SHA-256"), rows, frozenset({1})
    )


def _text(value: Json) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(as_text(one) for one in value)
    return as_text(value)
