"""Replication lag as CloudWatch reports it."""

from drill.measure.reported_lag import reported_lag
from drill.model import History, Json, Measurement, MeasureSpec, Observation, ProbeSpec
from tests.drill.measure.worlds import attempt, history, marks, ns, target

REPORTED = ProbeSpec("reported", "metric", 5.0, 2.0)


def look(number: int, began_s: float | None = None, value_ms: float = 0) -> Observation:
    """Return a look at the newest point, if there was one, whose minute began then."""
    detail: dict[str, Json] = {} if began_s is None else {"began_ns": ns(began_s), "value": value_ms}
    return attempt(number, number * 5.0, probe="reported", detail=detail)


def found(of: History) -> tuple[Measurement, ...]:
    """Measure a history."""
    return reported_lag(MeasureSpec("reported_lag", "reported"), of, target()).measurements


def test_it_is_the_greatest_of_the_minutes_that_overlap_the_fault() -> None:
    """Minutes before and after count for nothing; a minute that fills up counts as it was last."""
    at = marks((100.0, 100.1), undone=(200.0, 200.1))
    seen = [
        look(1, 30, 9000),
        look(21, 60, 700),
        look(23, 60.001, 800),
        look(25),
        look(30, 150, 1200),
        look(50, 210, 9000),
    ]
    (one,) = found(history(seen, at, specs=(REPORTED,)))
    assert (one.low, one.high, one.unit) == (1.2, 1.2, "s")
    assert "2 one-minute points" in one.how


def test_without_points_there_is_no_number() -> None:
    """A table without writes has none, and nothing is made up."""
    assert found(history([look(1), look(2)], marks((5, 6)), specs=(REPORTED,))) == ()
