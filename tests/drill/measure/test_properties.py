"""What holds of every measure, tried on whole made-up drills whose truth is known."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.columns import Columns
from drill.measure import KINDS, measure
from drill.model import History, Measured, Measurement
from drill.observations import Store
from tests.drill.measure.stories import SPECS, UNDONE, Part, Story, stories
from tests.drill.measure.worlds import holds, shifted, target

# The tests of these have worlds of their own: what they measure is in no story.
ELSEWHERE = {"time_to_alert"}
FEW = settings(max_examples=20)


def of(seen: History, *kinds: str) -> Measured:
    """Return what all measures, or some, make of a history."""
    return measure([SPECS[kind] for kind in kinds or SPECS], seen, target())


def by_part(found: Measured) -> dict[Part, Measurement]:
    """Return measurements by name and part."""
    return {(one.name, one.part): one for one in found.measurements}


def width(one: Measurement) -> float:
    """Return how wide an interval is; endless if nothing bounds it."""
    return float("inf") if one.high is None else one.high - one.low


def test_no_measure_is_left_out() -> None:
    """Every kind is measured here, or its own tests hold what is held here."""
    assert set(KINDS) == set(SPECS) | ELSEWHERE


@FEW
@given(story=stories(), mix=st.randoms(use_true_random=False))
def test_any_order_and_any_form_gives_the_same_answer(
    tmp_path_factory: pytest.TempPathFactory, story: Story, mix: object
) -> None:
    """Observations shuffled, as columns, or read from the run's file: the answer is one."""
    seen = story.seen()
    expected = of(seen)
    shuffled = {probe: list(every) for probe, every in seen.observations.items()}
    for every in shuffled.values():
        mix.shuffle(every)  # type: ignore[attr-defined]
    (read,) = seen.ledgers
    rows = list(read.rows)
    mix.shuffle(rows)  # type: ignore[attr-defined]

    assert of(replace(seen, observations=shuffled, ledgers=[replace(read, rows=rows)])) == expected
    columns = {probe: Columns.of(probe, every) for probe, every in shuffled.items()}
    assert of(replace(seen, observations=columns)) == expected
    with stored(tmp_path_factory.mktemp("run"), shuffled, read) as store:
        reader = store.reader(seen.probes)
        reader.more()
        assert of(replace(seen, observations=reader.seen, ledgers=store.ledgers())) == expected


def stored(folder: Path, observations: dict[str, list], read: object) -> Store:  # type: ignore[type-arg]
    """Return a store of observations that were added a few at a time, the probes mixed."""
    store = Store.create(folder / "observations.sqlite")
    every = [one for seen in observations.values() for one in seen]
    for begin in range(0, len(every), 97):
        store.add(every[begin : begin + 97])
    store.add_ledger(read)  # type: ignore[arg-type]
    return store


@FEW
@given(story=stories(), times=st.integers(1, 3))
def test_the_truth_is_inside_and_a_shift_loses_it(story: Story, times: int) -> None:
    """Every true value lies in its interval, and in none that is moved by the interval's own width."""
    found = by_part(of(story.seen(times)))
    for part, truth in story.truths().items():
        one = found[part]
        assert holds(one, truth), (part, one, truth)
        assert one.high is not None
        for by in (width(one) + 1e-6, -width(one) - 1e-6):
            assert not holds(shifted(one, by), truth), part


@FEW
@given(story=stories(), times=st.integers(2, 4))
def test_a_denser_probe_never_widens_an_interval(story: Story, times: int) -> None:
    """More attempts between the same ones narrow the bounds of one truth, or leave them."""
    seldom, often = by_part(of(story.seen())), by_part(of(story.seen(times)))
    for part in story.truths():
        wide, narrow = seldom[part], often[part]
        assert narrow.low >= wide.low - 1e-9, part
        assert narrow.high is not None
        assert wide.high is not None
        assert narrow.high <= wide.high + 1e-9, part
    point = ("recovery_point", "dynamodb/cutover")
    assert width(often[point]) <= width(seldom[point]) + 1e-9


@FEW
@given(story=stories(), times=st.integers(1, 3))
def test_the_lost_writes_are_exact_and_the_recovery_point_holds(story: Story, times: int) -> None:
    """The set of lost writes is the true one, and the age of what is left lies in its interval."""
    seen = story.seen(times)
    found = of(seen, "ledger")
    point = by_part(found)["recovery_point", "dynamodb/cutover"]
    truth = story.true_recovery_point_s(seen)

    assert found.ledgers[0].lost == story.lost(seen)
    assert holds(point, truth)
    for by in (width(point) + 1e-6, -width(point) - 1e-6):
        assert not holds(shifted(point, by), truth)
    fewer = replace(seen.ledgers[0], rows=list(seen.ledgers[0].rows)[1:])
    assert of(replace(seen, ledgers=[fewer]), "ledger").ledgers[0].lost != story.lost(seen)


@FEW
@given(story=stories(), share=st.floats(0, 1))
def test_censored_stays_censored(story: Story, share: float) -> None:
    """A drill that was cut before something came has no upper bound for it, and a true lower one."""
    until_s = story.injected + 0.35 + share * (story.resolver - story.injected - 0.35)
    found = by_part(of(story.seen(until_s=until_s), "recovery_time", "client_outage", "phases"))
    truths = story.truths()
    for part in (("recovery_time", ""), ("recovery_time", "impact"), ("client_outage", "")):
        assert found[part].high is None, part
        assert found[part].low <= truths[part]
    whole = found["phase", "whole"]
    assert whole.high is None
    open_ones = [one for one in found.values() if one.name == "phase" and one.high is None]
    assert {one.part for one in open_ones} >= {"whole"}
    assert len(open_ones) == 2


@FEW
@given(story=stories(), share=st.floats(0, 1))
def test_a_failback_that_nobody_saw_is_censored(story: Story, share: float) -> None:
    """Probes that ended between the undo and the way back tell how long it took at least."""
    seen = story.seen()
    cut_ns = seen.marks.probes_started_ns + round((UNDONE[1] + share * (story.back - UNDONE[1])) * 1e9)
    clients = [one for one in seen.observations["clients"] if (one.sent_ns or 0) < cut_ns - 20_000_000]
    one = by_part(of(replace(seen, observations={"clients": clients}), "failback")).get(("failback", ""))
    if one is not None:
        assert one.high is None
        assert one.low <= story.back - UNDONE[1]
