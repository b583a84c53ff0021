"""What became of the planted failures: as text, and as the page of the docs that a whole run writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from drill.exit_codes import BREACHED, INCONCLUSIVE, MET, REFUSED
from tests.defects.bench import Defect
from tests.defects.matrix import DEFECTS, ROWS

PAGE = Path(__file__).parents[2] / "docs" / "defects.md"
WORDS = {MET: "met", BREACHED: "breached", INCONCLUSIVE: "inconclusive", REFUSED: "refused"}
_HEAD = """\
# Failures planted one by one

Written by `make defects`, from what really came out: on a system deployed on the lab each of these
failures is planted by itself and put back. The [audit](audit.md) must tell its row as the only root, with
what follows from it as its consequence, and nothing before and after. Where a drill shows what it leads
to, that drill must end as it does here, and name the row as the cause: in its verdict's reason, from the
audit that it makes first, or, for a refusal, in what it said before. `make defects ARGS="-k DR04"` plants
some of them, and writes their rows anew.

| Row | Planted | The audit finds | As its consequence | Drill | Ends | Cause named |
| --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass
class Cell:
    """What became of one planted failure.

    Attributes:
        defect: Which.
        found: The roots that the audit told.
        follows: What it told as their consequences.
        ended: What the drill came to; empty where none was run.
        named: What the drill named as the cause.

    """

    defect: Defect
    found: str = ""
    follows: str = ""
    ended: str = ""
    named: str = ""

    @property
    def is_whole(self) -> bool:
        """Say whether it was planted, and drilled if a drill shows it."""
        return bool(self.found) and (self.defect.drill is None or bool(self.ended))


def printed(cells: Iterable[Cell]) -> str:
    """Return the matrix as text."""
    head = (
        f"{'row':<5} {'planted':<24} {'audit: root':<12} {'consequences':<17} {'ends':<13} {'names':<6} drill"
    )
    rows = [
        f"{one.defect.row:<5} {one.defect.name:<24} {one.found:<12} {one.follows:<17} {one.ended or '-':<13} "
        f"{one.named or '-':<6} {one.defect.drill.command if one.defect.drill else '-'}"
        for one in _ordered(cells)
    ]
    return "\n".join((head, *rows, tally(cells)))


def tally(cells: Iterable[Cell]) -> str:
    """Return how many rows of the seed were found, and how many drills showed one, in one sentence."""
    every = tuple(cells)
    found = {one.defect.row for one in every if one.found == one.defect.row}
    drilled = [one for one in every if one.ended]
    right = sum(one.named == one.defect.row for one in drilled)
    return (
        f"{len(found & set(ROWS))} of {len(ROWS)} rows of the seed found, each as the only root; "
        f"{right} of {len(drilled)} drills named the row as the cause."
    )


def write(cells: Iterable[Cell]) -> bool:
    """Write these into the page, beside what it has of others; return whether it is whole then.

    It is not written as long as one of the matrix is missing: a part of it proves little.
    """
    known = {**_read(), **{str(one.defect): one for one in cells if one.is_whole}}
    every = [known[str(one)] for one in DEFECTS if str(one) in known]
    if len(every) < len(DEFECTS):
        return False
    PAGE.write_text(_HEAD + "".join(map(_row, _ordered(every))) + f"\n{tally(every)}\n", encoding="utf-8")
    return True


def _read() -> dict[str, Cell]:
    """Return what the page has of failures whose drill is the same as now."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    rows = [columns(line) for line in lines if line.startswith("| [")]
    by_name = {row[1]: row for row in rows}
    kept = {}
    for defect in DEFECTS:
        _, _, found, follows, drill, ended, named = by_name.get(defect.name, ("",) * 7)
        if found and drill == _drilled(defect):
            kept[str(defect)] = Cell(defect, found, follows, ended, named)
    return kept


def columns(row: str) -> tuple[str, ...]:
    """Return the cells of a row of the page."""
    return tuple(column.strip() for column in row.strip("|").split("|"))


def _ordered(cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: str(cell.defect))


def _row(cell: Cell) -> str:
    defect = cell.defect
    row = f"[{defect.row}](audit.md#{defect.row.lower()})"
    shown = (row, defect.name, cell.found, cell.follows, _drilled(defect), cell.ended, cell.named)
    return f"| {' | '.join(shown)} |\n"


def _drilled(defect: Defect) -> str:
    return f"`{defect.drill.command}`" if defect.drill else f"none: {defect.undrilled}"
