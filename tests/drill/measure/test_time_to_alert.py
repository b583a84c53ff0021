from hypothesis import given
from hypothesis import strategies as st

from drill.measure.time_to_alert import time_to_alert
from drill.model import History, Json, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import attempt, history, holds, marks, measured, shifted, target

SPEC = MeasureSpec("time_to_alert", "pager", {"alarm_probe": "alarm"})
PAGER, ALARM = ProbeSpec("pager", "queue", 0.5, 5.0), ProbeSpec("alarm", "alarm", 0.5, 5.0)


def poll(number: int, sent_s: float, done_s: float, state: str = "") -> Observation:
    """Return a poll that brought word of a state of the alarm, or nothing."""
    detail: dict[str, Json] = {"alerts": [{"alarm": "a", "state": state}]} if state else {}
    goodness = "bad" if state == "ALARM" else "good"
    return attempt(number, sent_s, goodness, probe="pager", done_s=done_s, detail=detail)


def look(number: int, sent_s: float, goodness: str) -> Observation:
    """Return a look at the alarm itself."""
    return attempt(number, sent_s, goodness, probe="alarm", detail={"period_s": 60})


def seen(*observed: Observation, undone: tuple[float, float] | None = None) -> History:
    """Return a history in which the fault was injected from 5 to 5.05 s."""
    return history(list(observed), marks(undone=undone), specs=[PAGER, ALARM])


def test_alert_is_between_the_last_poll_without_and_the_first_with() -> None:
    """A poll that was sent after the one that brought it proves nothing: it was taken."""
    found = time_to_alert(
        SPEC,
        seen(
            poll(0, 4.5, 5.5),
            poll(1, 7.0, 8.0),
            poll(2, 7.5, 8.2, "ALARM"),
            poll(3, 8.1, 9.1),
            look(0, 4.0, "good"),
            look(1, 6.0, "unknown"),
            look(2, 7.2, "good"),
            look(3, 7.7, "bad"),
        ),
        target(),
    )
    told = measured(found, "time_to_alert")
    assert (told.low, told.high) == (2.45, 3.2)
    assert "whole periods of 60 s" in told.how
    itself = measured(found, "time_to_alert", "alarm")
    assert (round(itself.low, 6), round(itself.high or 0, 6)) == (2.15, 2.71)


def test_no_alert_is_censored() -> None:
    """Nobody was told while anybody looked: at least so long, and no upper bound."""
    failed = attempt(2, 9.0, "unknown", probe="pager", done_s=9.1, detail={"error": "timeout"})
    found = time_to_alert(SPEC, seen(poll(0, 6.0, 7.0), poll(1, 8.0, 9.0), failed), target())
    told = measured(found, "time_to_alert")
    assert (round(told.low, 6), told.high) == (3.95, None)


def test_an_alarm_that_was_on_tells_nothing_new() -> None:
    """There is no number then, but a finding that says why."""
    found = time_to_alert(SPEC, seen(look(0, 4.0, "bad"), poll(0, 8.0, 8.1, "ALARM")), target())
    assert not found.measurements
    assert ["alarm_was_on"] == [one.code for one in found.findings]


def test_without_a_queue_that_was_read_there_is_no_number() -> None:
    """An alarm's state alone is no alert: nobody has read of it."""
    found = time_to_alert(SPEC, seen(look(0, 4.0, "good"), look(1, 6.0, "bad")), target())
    assert ["alarm"] == [one.part for one in found.measurements]


def test_all_clear_is_counted_from_the_undo() -> None:
    """The word that it is over, where it came while anybody looked."""
    observed = [poll(0, 6.0, 6.1, "ALARM"), poll(1, 9.5, 10.5), poll(2, 11.0, 12.0, "OK")]
    clear = measured(
        time_to_alert(SPEC, seen(*observed, undone=(10.0, 10.2)), target()), "time_to_alert", "all-clear"
    )
    assert (round(clear.low, 6), clear.high) == (0.3, 2.0)


@given(
    told_s=st.floats(5.05, 30),
    every_s=st.floats(0.1, 3),
    phase_s=st.floats(0, 3),
    wait_s=st.just(1.0),
    network_s=st.floats(0, 0.2),
    mix=st.randoms(use_true_random=False),
)
def test_the_truth_is_inside(
    told_s: float, every_s: float, phase_s: float, wait_s: float, network_s: float, mix: object
) -> None:
    """Long polls that overlap, one of which takes the message, in any order of observations."""
    polls, taken = [], False
    for number in range(int(40 / every_s)):
        sent_s = phase_s + number * every_s
        here_s, gives_up_s = sent_s + network_s, sent_s + network_s + wait_s
        if not taken and gives_up_s >= told_s:
            taken = True
            polls.append(poll(number, sent_s, max(here_s, told_s) + network_s, "ALARM"))
        else:
            polls.append(poll(number, sent_s, gives_up_s + network_s))
    found = time_to_alert(SPEC, seen(*polls), target())
    told = measured(found, "time_to_alert")
    truth = told_s - (5 + 0.025)
    assert holds(told, max(0.0, truth))
    assert told.high is not None
    assert told.high - told.low <= every_s + 0.05 + 2 * network_s + max(0.0, wait_s - every_s) + 1e-6
    width = told.high - told.low + 1e-6
    assert not holds(shifted(told, width), truth) or not holds(shifted(told, -width), truth)
    mix.shuffle(polls)  # type: ignore[attr-defined]
    assert found == time_to_alert(SPEC, seen(*polls), target())
