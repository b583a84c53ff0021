"""The page of planted failures is a real run's, and of the matrix as it is now."""

import pytest

from drill.audit import catalogue
from drill.audit.contract import Check
from tests.defects import page
from tests.defects.bench import Defect
from tests.defects.matrix import DEFECTS, ROWS

LINES = page.PAGE.read_text(encoding="utf-8").splitlines() if page.PAGE.exists() else []


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_planted_failure_came_out_as_the_matrix_demands(defect: Defect) -> None:
    """Its row is the only root, and its drill ended as it must and named it; else: make defects."""
    (row,) = [line for line in LINES if f"| {defect.name} |" in line]
    _, _, found, _, *drilled = page.columns(row)

    assert found == defect.row
    if defect.drill is None:
        assert drilled == [f"none: {defect.undrilled}", "", ""]
    else:
        ended = page.WORDS[defect.drill.exit_code]
        assert drilled == [f"`{defect.drill.command}`", ended, defect.row]


@pytest.mark.parametrize("check", catalogue.every(), ids=lambda check: check.id)
def test_a_check_names_the_drill_that_showed_it(check: Check) -> None:
    """The first of its row that is drilled, with its options; none where none was."""
    shown = [one.drill.command for one in DEFECTS if one.row == check.id and one.drill]

    assert check.drill == (shown[0] if shown else "")


def test_every_row_of_the_seed_is_planted() -> None:
    """Each that an audit can find has a failure of its own, and each failure a drill or a reason for none."""
    assert {one.row for one in DEFECTS} >= set(ROWS)
    assert [str(one) for one in DEFECTS if (one.drill is None) == (not one.undrilled)] == []
