"""Stop conditions: what they say of a history, and that nobody waits for AWS."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill import stop_expression
from drill.model import Goodness, History, Marks, Observation, ProbeSpec
from drill.stop_conditions import StopConditions
from tests.drill.guards.asking import NOBODY, asked
from tests.infra.lab.alarmlab import alarm_lab

NS = 1_000_000_000
SPEC = ProbeSpec("clients", "http", 0.1, 1.0)
EMPTY = History({SPEC.name: SPEC}, {}, Marks(0))


def history(states: Sequence[Goodness | None], late_s: float = 0.01) -> History:
    """Return a history of attempts; None is one that has not come."""
    seen = []
    for number, state in enumerate(states):
        due_ns = round(number * SPEC.interval_s * NS)
        if state is not None:
            seen.append(Observation(SPEC.name, number, due_ns, due_ns, due_ns + round(late_s * NS), state))
    return History({SPEC.name: SPEC}, {SPEC.name: seen}, Marks(0))


GOOD, BAD = Goodness.GOOD, Goodness.BAD


def tripped(text: str, states: Sequence[Goodness | None]) -> bool:
    """Say whether an expression holds."""
    return bool(stop_expression.tripped(stop_expression.parse(text), history(states)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clients",
        "clients good > 5% for 1s",
        "clients bad > 5 for 1s",
        "clients bad > 5% for 1h",
        "clients bad > 101% for 1s",
        "clients bad > 100% for 1s",
        "clients bad >= 0% for 1s",
        "clients bad > 5% for 0s",
        "clients bad < 5% for 1s",
        "clients bad > -5% for 1s",
        "clients bad > 5% for 1s or more",
    ],
)
def test_what_is_no_expression_is_said(text: str) -> None:
    """An expression that can't be read, never holds or always would is refused with what was expected."""
    with pytest.raises(ValueError, match="stop condition"):
        stop_expression.parse(text)


@given(st.lists(st.sampled_from(Goodness), max_size=60), st.integers(0, 99), st.integers(1, 30))
def test_holds_when_the_last_attempts_are_too_bad(states: list[Goodness], share: int, attempts: int) -> None:
    """Of the last so many attempts more than the share was not good; before there are so many, never."""
    last = states[-attempts:]
    expected = len(states) >= attempts and 100 * sum(one is not GOOD for one in last) > share * attempts

    assert expected == tripped(f"clients bad > {share}% for {attempts * 100}ms", states)


def test_attempts_under_way_do_not_hide_an_outage() -> None:
    """Of ten attempts six hang: the good ones that came meanwhile do not thin them out."""
    before = [GOOD] * 10 + ([BAD] * 6 + [GOOD] * 4) * 2
    hanging = [None] * 6 + [GOOD] * 4

    assert tripped("clients bad > 50% for 1s", [*before, *hanging])


def test_an_attempt_that_never_comes_counts_as_bad() -> None:
    """Nobody waits for ever for an attempt that was lost."""
    assert tripped("clients bad > 0% for 4s", [GOOD] * 20 + [None] + [GOOD] * 30)
    assert not tripped("clients bad > 0% for 2s", [GOOD] * 20 + [None] + [GOOD] * 5)


def test_a_drill_that_takes_too_long_is_stopped() -> None:
    """The longest allowed duration holds while it runs too."""
    stop = StopConditions(asked(limits={"max_duration_s": 0.5}).plan, NOBODY)
    assert "" == stop.tripped(EMPTY)
    time.sleep(0.6)

    assert "limits.max_duration_s" in stop.tripped(EMPTY)


def test_alarms_that_nobody_can_read_stop_the_drill() -> None:
    """Without an answer for the stated time the drill ends, and no poll has waited for AWS."""
    plan = asked(stop={"alarms": {"us-east-1": ["errors"]}, "unseen_s": 2}).plan
    stop = StopConditions(plan, NOBODY)
    began = time.perf_counter()
    first = stop.tripped(EMPTY)
    took_s = time.perf_counter() - began
    time.sleep(2.1)

    assert "" == first
    assert took_s < 2
    assert "could not be read for 2 s" in stop.tripped(EMPTY)


def test_an_alarm_that_fires_stops_the_drill(tmp_path: Path) -> None:
    """Calm at first; when it fires, or is deleted, the drill is told which."""
    timing = {"api_interval_s": 0.05}
    plan = asked(timing=timing, stop={"alarms": {"us-east-1": ["errors"]}, "unseen_s": 30}).plan
    with alarm_lab(tmp_path) as lab:
        lab.alarm(TreatMissingData="ignore")  # what is set by hand stays
        by_hand = partial(lab.client("cloudwatch").set_alarm_state, AlarmName="errors", StateReason="test")
        by_hand(StateValue="OK")
        calm, gone = StopConditions(plan, lab.lab.aws), StopConditions(plan, lab.lab.aws)
        assert "" == until_said(calm, 0.5)
        by_hand(StateValue="ALARM")
        fired = until_said(calm, 20)
        lab.client("cloudwatch").delete_alarms(AlarmNames=["errors"])
        deleted = until_said(gone, 20)

    assert "alarm errors in us-east-1 fired" == fired
    assert "alarm errors in us-east-1 is not there any more" == deleted


def until_said(stop: StopConditions, limit_s: float) -> str:
    """Poll until a reason is given or the time is over."""
    until = time.monotonic() + limit_s
    said = ""
    while not said and time.monotonic() < until:
        said = stop.tripped(EMPTY)
        time.sleep(0.01)
    return said
