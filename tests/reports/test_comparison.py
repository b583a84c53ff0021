"""One drill against others, and what led to its verdict."""

from dataclasses import replace

import pytest

from drill.model import Measured, Measurement
from drill.record import Record
from reports import comparison, numbers, view
from reports.cause import cause
from reports.comparison import Earlier
from reports.numbers import Number
from tests.reports import factory
from tests.reports.review import stand


def number(low: float, high: float | None) -> Number:
    """Return a duration within bounds."""
    return Number("recovery_time", "", "recovery time", "s", low, high)


@pytest.mark.parametrize(
    ("mine", "other", "words"),
    [
        ((2.0, 2.2), (1.0, 1.1), "0.90 to 1.20 s longer"),
        ((1.0, 1.1), (2.0, 2.2), "0.90 to 1.20 s shorter"),
        ((1.0, 2.0), (1.9, 3.0), "can\u2019t be told apart"),
        ((1.9, 3.0), (1.0, 2.0), "can\u2019t be told apart"),
        ((5.0, None), (1.0, 2.0), "at least 3.00 s longer"),
        ((5.0, None), (9.0, None), "can\u2019t be told apart"),
        ((1.0, 2.0), (5.0, None), "at least 3.00 s shorter"),
        ((0.0, 0.0), (0.0, 0.0), "the same"),
    ],
)
def test_a_change_is_what_the_intervals_prove(
    mine: tuple[float, float | None], other: tuple[float, float | None], words: str
) -> None:
    """Overlapping intervals are no change; disjoint ones differ by what lies between, at least."""
    assert comparison.change(number(*mine), number(*other)) == words


def slower(record: Record, by_s: float) -> Record:
    """Return a drill whose every duration is longer."""
    measured = record.measured
    longer = tuple(
        replace(one, low=one.low + by_s, high=None if one.high is None else one.high + by_s)
        for one in measured.measurements
    )
    return replace(record, measured=replace(measured, measurements=longer))


def test_the_previous_and_the_best_drill_are_chosen() -> None:
    """Of those before with the same parameters: the newest, and the one that recovered quickest."""
    quick, slow, mine = (stand.at(day).record for day in (1, 5, 9))
    slow = slower(slow, 3.0)
    other_way = replace(stand.at(8).record, params={"blackout": False})
    later = stand.at(12).record
    found = comparison.earlier(mine, [later, slow, other_way, quick, mine])

    assert found == Earlier(previous=slow, best=quick)
    assert comparison.earlier(quick, [slow, mine]) == Earlier()


def test_a_report_says_whether_it_got_better() -> None:
    """The first screen has the change against the previous drill, the body has it number by number."""
    before, mine = slower(stand.at(1).record, 3.0), stand.at(9).record
    page = view.page(mine, None, view.Beside(Earlier(before, None)))
    assert page.compared is not None
    assert page.compared.sentence == (
        "Against the previous drill (2026-01-02 10:00): recovery time 2.81 to 3.19 s shorter."
    )
    labels = [row[0] for row in page.compared.numbers.rows]
    assert labels[:3] == [
        "recovery time",
        "recovery point, dynamodb at cutover",
        "writes lost, dynamodb at cutover",
    ]
    assert {phase.label for phase in mine.measured.phases} <= set(labels)


def test_no_change_is_claimed_that_the_intervals_do_not_prove() -> None:
    """The same numbers again are no change; where nothing was judged nothing is said."""
    before, mine = stand.at(1).record, stand.at(9).record
    alike = replace(before, measured=slower(before, 0.01).measured)
    found = comparison.compare(mine, {"previous": alike})
    assert found.sentence.endswith("recovery time no difference that the intervals prove.")
    assert comparison.compare(replace(mine, judgements=()), {"previous": alike}).sentence == ""


def test_a_number_that_only_one_drill_has_is_shown() -> None:
    """What was measured for the first time, or no longer, stands beside a dash."""
    mine = stand.at(9).record
    extra = Measurement("restore_time", 5.0, 6.0, "s", "how", "restore time")
    before = replace(stand.at(1).record, measured=Measured((extra,), (), (), ()))
    rows = {row[0]: row for row in comparison.compare(mine, {"previous": before}).numbers.rows}
    assert rows["restore time"][1:] == ("\u2013", "5.0 to 6.0 s", "\u2013")
    assert rows["failback"][2:] == ("\u2013", "\u2013")


def test_what_else_differs_is_told() -> None:
    """Verdict, findings, parameters and versions that differ have a row; what is the same has none."""
    mine, other = factory.breached().record, factory.blackout().record
    rows = {row[0]: row for row in comparison.compare(mine, {"other": other}).others.rows}
    assert rows["verdict"][1].startswith("breached: ")
    assert {"finding divergence", "objective rto", "kind", "target"} <= set(rows)
    assert "version of python" not in rows


def test_labs_of_any_name_are_one_series_and_targets_on_aws_are_not() -> None:
    """Each lab has a name of its own, so labs are told apart by profile; systems on AWS by name."""
    lab, aws = factory.blackout().record, factory.breached().record
    assert numbers.series(lab).key == numbers.series(replace(lab, target="lab-9f")).key
    assert numbers.series(aws).key != numbers.series(replace(aws, target="other")).key
    assert numbers.series(lab).key != numbers.series(replace(lab, params={"blackout": False})).key


def test_the_cause_is_the_longest_phase_and_the_weightiest_finding() -> None:
    """Where a time was breached both are named; where all was met only the time; else what was found."""
    told = cause(factory.breached().record)
    assert told.startswith(
        "\u201cdetection\u201d took longest: 22.85 to 23.24 s. The old primary acknowledged 3 writes"
    )
    assert "Mend: Fence the primary" in told
    assert cause(factory.blackout().record) == "\u201cdetection\u201d took longest: 530 to 920 ms."
    assert cause(factory.inconclusive().record) == ""
