from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.measure.probe_health import Edge, edges, health, starved
from drill.model import MeasureSpec, Observation, ProbeSpec
from drill.record import ProbeHealth
from tests.drill.measure.worlds import (
    CLIENTS,
    WEST,
    attempt,
    between,
    history,
    marks,
    scripted,
    target,
    unsent,
)

SPEC = MeasureSpec("recovery_time", "clients")
OUTAGE = "g" * 50 + "b" * 20 + "g" * 30


def without(seen: list[Observation], *numbers: int) -> list[Observation]:
    """Return the attempts with some of them never sent."""
    return [unsent(one.number, one.number / 10) if one.number in numbers else one for one in seen]


def test_health_counts_what_was_due_and_sent() -> None:
    """Due, sent, the worst gap between two sent, and how late the latest were."""
    seen = without(scripted(OUTAGE), 20, 21, 22)
    seen[40] = attempt(40, 4.03, due_s=4.0)
    (one,) = health(history(seen))
    assert (one.probe, one.due, one.sent) == ("clients", 100, 97)
    assert one.worst_gap_s == pytest.approx(0.4)
    assert one.lag_p99_s == pytest.approx(0.03)
    assert health(history(scripted(OUTAGE)))[0].lag_p99_s == 0


def test_attempts_that_nobody_recorded_were_due() -> None:
    """A probe whose process died did not keep its schedule, although every record is fine."""
    at = marks(undone=(60.0, 60.1))
    (one,) = health(history(scripted(OUTAGE), at))
    assert one.sent == 100
    assert one.due == 581
    (silent,) = health(history([], at))
    assert (silent.due, silent.sent, silent.worst_gap_s, silent.lag_p99_s) == (581, 0, 0.0, 0.0)


def test_edges_are_those_of_the_recovery_time() -> None:
    """The moments that the verdict hangs on are the bounds of recovery and onset."""
    seen = history(scripted(OUTAGE))
    assert edges([SPEC], seen, target()) == (
        Edge("clients", between(6.9, 7.01)),
        Edge("clients", between(4.9, 5.01)),
    )
    assert edges([MeasureSpec("client_outage", "clients")], seen, target()) == ()
    assert edges([SPEC], history(scripted(OUTAGE), marks(None)), target()) == ()
    # A measure with wrong options fails by itself and has no edge.
    assert edges([MeasureSpec("recovery_time", "clients", {"failures": 0})], seen, target()) == ()
    assert edges([MeasureSpec("recovery_time", "nobody")], seen, target()) == ()


def reason(seen: list[Observation]) -> str:
    """Return why these attempts are too few."""
    everything = history(seen)
    return starved(everything, edges([SPEC], everything, target()))


def test_a_probe_that_kept_its_schedule_is_not_starved() -> None:
    """Five attempts of a hundred may be missing, away from the edges."""
    assert not reason(scripted(OUTAGE))
    assert not reason(without(scripted(OUTAGE), 10, 20, 30, 40, 90))


def test_too_few_attempts_sent_is_starved() -> None:
    """More than one in twenty missing: the probe proves too little."""
    assert "94 of 100" in reason(without(scripted(OUTAGE), 10, 15, 20, 30, 40, 90))


@pytest.mark.parametrize(
    ("due", "sent", "is_starved"),
    [
        (18, 17, False),
        (18, 16, True),
        (1, 0, True),
        (0, 0, False),
        (40, 38, False),
        (40, 37, True),
        (100, 94, True),
    ],
)
def test_one_attempt_of_few_is_not_starved(due: int, sent: int, is_starved: bool) -> None:
    """A probe of eighteen attempts that missed one bounds its edges all the same; two are too many."""
    assert is_starved is ProbeHealth("clients", due, sent, 0.1, 0.0).starved


def test_starved_says_why_attempts_were_not_sent() -> None:
    """A sampler that stood still and one whose attempts did not fit are told apart."""
    seen = without(scripted(OUTAGE), 10, 15, 20, 30, 40, 90)
    late = [replace(one, detail={"error": "late"}) if one.sent_ns is None else one for one in seen]
    late[10] = replace(late[10], detail={"error": "no_free_slot"})

    assert "94 of 100 attempts that were due (too late: 5, too many in flight: 1)." in reason(late)


def test_a_gap_at_an_edge_is_starved() -> None:
    """Three attempts missing where the service came back leave four intervals unwatched."""
    assert "sent nothing for 0.400 s" in reason(without(scripted(OUTAGE), 70, 71, 72))
    assert not reason(without(scripted(OUTAGE), 70, 71))
    assert not reason(without(scripted(OUTAGE), 20, 21, 22))


def test_only_the_probes_behind_the_verdict_count() -> None:
    """A slow API probe that was throttled does not spoil a recovery time that clients measured."""
    specs = [CLIENTS, ProbeSpec("check", "health_check", 1.0, 1.0)]
    seen = scripted(OUTAGE) + [replace(unsent(number, number), probe="check") for number in range(9)]
    everything = history(seen, specs=specs)
    assert not starved(everything, edges([SPEC], everything, target()))
    assert "check sent 0 of 9" in starved(everything, edges([SPEC], everything, target()), {"check"})
    assert "check sent 0 of 9" in starved(everything, ())


@given(st.lists(st.booleans(), min_size=100, max_size=100), st.randoms(use_true_random=False))
def test_starved_says_what_was_left_out_in_any_order(kept: list[bool], mix: object) -> None:
    """Fewer than 95 of 100 sent is always starved."""
    seen = without(scripted("g" * 70 + "w" * 30), *(n for n, keep in enumerate(kept) if not keep))
    shuffled = list(seen)
    mix.shuffle(shuffled)  # type: ignore[attr-defined]
    spec = MeasureSpec("recovery_time", "clients", {"served_by": WEST})
    everything, mixed = history(seen), history(shuffled)
    assert edges([spec], everything, target()) == edges([spec], mixed, target())
    why = starved(everything, edges([spec], everything, target()))
    assert why == starved(mixed, edges([spec], mixed, target()))
    if sum(kept) < 95:
        assert why
