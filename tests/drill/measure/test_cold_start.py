from dataclasses import replace

import pytest

from drill.measure.cold_start import cold_start
from drill.model import MeasureSpec, Observation
from tests.drill.measure.worlds import WEST, history, marks, measured, ns, scripted, target

SPEC = MeasureSpec("cold_start", "clients", {"served_by": WEST})


def warmed(colds: int, total_s: float = 0.5) -> list[Observation]:
    """Return a failover whose first answers of the standby are cold and slow, the others warm."""
    listed: list[Observation] = []
    seen = scripted("g" * 52 + "b" * 20 + "w" * 30)
    for one in seen:
        if one.answered_by != WEST or one.sent_ns is None:
            listed.append(one)
            continue
        cold = one.number < 72 + colds
        took_s = total_s if cold else 0.01
        done_ns = one.sent_ns + round(took_s * 1e9)
        listed.append(replace(one, done_ns=done_ns, detail={"cold": cold, "total_s": took_s}))
    return listed


def test_cold_answers_are_counted_and_their_share_bounded() -> None:
    """Overlapping waits count once, at least what a warm answer would not have taken."""
    found = cold_start(SPEC, history(warmed(3)), target())
    count = measured(found, "cold_starts")
    assert (count.low, count.high, count.unit) == (3, 3, "1")
    share = measured(found, "cold_start_share")
    # Recovered between 7.1 and 7.7: the cold answers waited from 7.2 on, warm ones take 0.01 s each.
    assert share.high == pytest.approx(0.5 / (7.1 - 5.05))
    assert share.low == pytest.approx((0.5 - 3 * 0.01) / (7.7 - 5.0))


def test_answers_to_other_probes_count_and_explain_nothing() -> None:
    """Whoever meets the cold process, it started; how long clients waited is told by theirs alone."""
    crowd = [replace(one, probe="crowd") for one in warmed(2)]
    also = MeasureSpec("cold_start", "clients", {"served_by": WEST, "also": ["crowd"]})
    found = cold_start(also, history([*warmed(0), *crowd]), target())
    assert measured(found, "cold_starts").high == 2
    assert measured(found, "cold_start_share").high == 0


def test_warm_processes_explain_nothing() -> None:
    """With processes kept warm the count and the share are zero, and that is a measurement."""
    found = cold_start(SPEC, history(warmed(0)), target())
    assert measured(found, "cold_starts").high == 0
    share = measured(found, "cold_start_share")
    assert (share.low, share.high) == (0, 0)


def test_answers_that_do_not_tell_give_no_measurement() -> None:
    """An application that does not say whether it is cold can't be measured."""
    assert not cold_start(SPEC, history(scripted("g" * 52 + "b" * 20 + "w" * 30)), target()).measurements
    assert not cold_start(SPEC, history(warmed(3), marks(None)), target()).measurements


def test_cold_answers_after_the_recovery_are_counted_and_explain_nothing() -> None:
    """A process that starts later is no part of the recovery time."""
    seen = warmed(0)
    seen = [
        replace(one, detail={"cold": True, "total_s": 0.01}) if (one.sent_ns or 0) >= ns(9) else one
        for one in seen
    ]
    found = cold_start(SPEC, history(seen), target())
    assert measured(found, "cold_starts").high == 12
    assert measured(found, "cold_start_share").high == 0


def test_without_a_recovery_only_the_count_is_known() -> None:
    """A share of a recovery that never came has no meaning."""
    seen = [one for one in warmed(1) if one.number < 74]
    found = cold_start(SPEC, history(seen), target(5.0))
    assert [one.name for one in found.measurements] == ["cold_starts"]
