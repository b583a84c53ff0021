from collections.abc import Sequence
from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from drill.columns import Columns
from drill.model import Goodness, Observation
from reports import sampling
from reports.sampling import Attempts, Key
from reports.series import Window

GOOD, BAD, UNKNOWN = Goodness.GOOD, Goodness.BAD, Goodness.UNKNOWN
KEY = Key({"east": "region-1", "west": "region-2"}, holds_s=0.5)


def _every(*seen: tuple[float, Goodness, str | None], took_s: Sequence[float] = ()) -> Attempts:
    """Return attempts at these seconds, each 10 ms long or as told."""
    lasted_s = took_s or [0.01] * len(seen)
    return sampling.attempts(
        Columns.of(
            "p",
            [
                Observation("p", number, ns := round(at_s * 1e9), ns, ns + round(s * 1e9), goodness, region)
                for number, ((at_s, goodness, region), s) in enumerate(zip(seen, lasted_s, strict=True))
            ],
        ),
        0,
    )


def test_an_attempt_never_sent_stands_where_it_was_due() -> None:
    """Unsent attempts are not dropped from the axis."""
    unsent = Observation("p", 1, 2_000_000_000, None, None, UNKNOWN)
    sent = Observation("p", 0, 1_000_000_000, 1_100_000_000, 1_500_000_000, GOOD)
    every = sampling.attempts(Columns.of("p", [unsent, sent]), 0)
    assert list(every.at_s) == [1.1, 2.0]
    assert every.took_s[0] == 0.5
    assert isnan(every.took_s[1])


@given(st.lists(st.floats(0, 10), min_size=1, max_size=300), st.integers(1, 360))
def test_no_spike_and_no_failure_is_lost(places: list[float], columns: int) -> None:
    """Whatever the number of columns, the slowest answer and every failure are in one of them."""
    window = Window(0.0, 10.0)
    seen = [(at_s, BAD if number % 3 == 1 else GOOD, None) for number, at_s in enumerate(places)]
    took_s = [(number + 1) / 1000 for number in range(len(places))]
    every = _every(*seen, took_s=took_s)
    spreads = [spread for spread in sampling.latency("l", every, window, columns).columns if spread]
    tallies = sampling.failures("f", every, window, columns).columns
    slowest = max(one_s for one_s, (_, goodness, _) in zip(took_s, seen, strict=True) if goodness is GOOD)
    assert max(spread.high_s for spread in spreads) == slowest
    assert sum(tally.bad for tally in tallies) == sum(goodness is BAD for _, goodness, _ in seen)
    assert sum(tally.attempts for tally in tallies) == len(seen)


def test_failed_attempts_do_not_count_as_latency() -> None:
    """A time-out's length is not how long an answer took."""
    every = _every((1.0, BAD, None), (1.0, GOOD, "east"), took_s=[5.0, 0.02])
    (spread,) = [one for one in sampling.latency("l", every, Window(0, 2), 1).columns if one]
    assert (spread.low_s, spread.high_s) == (0.02, 0.02)


def test_who_answered_becomes_bars() -> None:
    """Neighbouring columns that show the same are one bar, and each bar says what it shows."""
    every = _every(
        *((at / 10, GOOD, "east") for at in range(10)),
        *((at / 10, BAD, None) for at in range(10, 20)),
        *((at / 10, GOOD, "west") for at in range(20, 30)),
    )
    bars = sampling.stretches(every, Window(0.0, 3.0), 30, KEY)
    assert [bar.tone for bar in bars] == ["region-1", "bad", "region-2"]
    assert [round(bar.from_s, 1) for bar in bars] == [0.0, 1.0, 2.0]
    assert bars[1].title.startswith("failed")


def test_a_reading_holds_until_the_next_but_not_for_ever() -> None:
    """A slow probe's bar has no holes, while a probe that fell silent leaves one."""
    slow = _every((0.0, GOOD, None), (0.4, GOOD, None), (0.8, BAD, None), (2.6, BAD, None))
    bars = sampling.stretches(slow, Window(0.0, 3.0), 30, KEY)
    assert [bar.tone for bar in bars] == ["good", "bad", "bad"]
    assert bars[0].to_s == bars[1].from_s
    assert bars[2].from_s - bars[1].to_s > KEY.holds_s


def test_an_outage_begins_and_ends_with_the_first_of_three() -> None:
    """Isolated failures are no outage; its edges are dated back to the first of a row."""
    pattern = "gbggbbbbgbggg"
    every = _every(*((float(at), BAD if one == "b" else GOOD, None) for at, one in enumerate(pattern)))
    assert sampling.outages(every) == ((4.0, 10.0),)


def test_an_outage_that_did_not_end_lasts_to_the_last_attempt() -> None:
    """What never recovered is shaded to the end."""
    every = _every(*((float(at), UNKNOWN, None) for at in range(5)))
    assert sampling.outages(every) == ((0.0, 4.0),)
