"""What must hold of all drills of the truth test together, on made-up checks."""

import pytest

from tests.truth.case import Span
from tests.truth.draw import drill_of
from tests.truth.verdicts import ENOUGH, LESS, Verdict, problems

FOUND_OUT = frozenset({"recovery_time/fault", "recovery_time/impact", "failback"})


def verdict(wide: str = "", caught: frozenset[str] = FOUND_OUT) -> Verdict:
    """Return a drill with one interval of each of three parts, of which one may be wide."""
    checks = [
        Span(measure, part, 0, 3 if f"{measure}/{part}" == wide else 1, (1, 1), 2)
        for measure, part in (("recovery_time", "fault"), ("recovery_time", "impact"), ("failback", ""))
    ]
    return Verdict(drill_of(0), checks, caught=(caught, caught), asked=FOUND_OUT)


def test_nothing_is_said_of_drills_that_are_right() -> None:
    """All narrow, all shifts found out."""
    assert [] == problems([verdict()] * 2 * ENOUGH)


def test_a_part_that_is_wide_does_not_hide_among_the_others() -> None:
    """All others are narrow, so that 99 % are; the part is named all the same."""
    few = [verdict("recovery_time/fault")] * 3 + [verdict()] * (ENOUGH - 3)

    (told,) = problems(few)

    assert "recovery_time/fault" in told


@pytest.mark.parametrize(("wide", "told"), [(15, 0), (25, 1)], ids=["some", "too many"])
def test_the_exception_has_a_bound_too(wide: int, told: int) -> None:
    """A time from the impact may be wide more often, and not always; all together are judged beside it."""
    assert {"recovery_time/impact"} == set(LESS)
    some = [verdict("recovery_time/impact")] * wide + [verdict()] * (ENOUGH - wide)

    assert told == len([one for one in problems(some) if "of recovery_time/impact" in one])


def test_a_part_whose_shift_nobody_finds_out_does_not_hide_behind_another_part() -> None:
    """The measure's other part was found out."""
    blind = FOUND_OUT - {"recovery_time/impact"}

    told = problems([verdict(caught=blind)])

    assert len(told) == 2  # later, and earlier
    assert all("recovery_time/impact" in one for one in told)
