import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.model import Measurement
from reports import wording

_UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (1.8042, 2.1191, "1.80 to 2.12 s"),
        (1.22, 1.29, "1.22 to 1.29 s"),
        (0.045, 0.0931, "45 to 94 ms"),
        (0.0, 0.05, "0 to 50 ms"),
        (0.0, 0.0, "0 s"),
        (2.5, 2.5, "2.50 s"),
        (41.2, 52.7, "41 to 53 s"),
        (312.4, 319.9, "5 min 12 s to 5 min 20 s"),
        (7260.0, 7320.0, "2 h 01 min to 2 h 02 min"),
        (12.0, None, "at least 12.0 s"),
        (0.183, None, "at least 183 ms"),
        (0.0, None, "not bounded"),
    ],
)
def test_durations_have_sensible_digits(low: float, high: float | None, shown: str) -> None:
    """An interval shows as many digits as its width deserves, in one unit."""
    assert wording.duration(low, high) == shown


@given(st.floats(0, 90_000), st.floats(0, 90_000))
def test_a_written_interval_contains_the_measured_one(one: float, other: float) -> None:
    """Rounding goes outwards: no reader is told a tighter bound than was measured."""
    low, high = sorted((one, other))
    first, _, last = wording.duration(low, high).partition(" to ")
    written_high = _seconds(last or first)
    written_low = _seconds(first if re.search("[a-z]", first) or not last else f"{first} {last.split()[-1]}")
    assert written_low <= low + 1e-6
    assert written_high >= high - 1e-6


@pytest.mark.parametrize(
    ("measurement", "shown"),
    [
        (("writes", 14, 14), "14 writes"),
        (("writes", 1, 1), "1 write"),
        (("writes", 14, 16), "14 to 16 writes"),
        (("writes", 3, None), "at least 3 writes"),
        (("1", 1234, 1234), "1,234"),
        (("share", 0.0312, 0.0418), "3.1 to 4.2 %"),
        (("share", 0.5, None), "at least 50 %"),
        (("s", 1.0, 1.5), "1.0 to 1.5 s"),
    ],
)
def test_measurements_carry_their_unit(measurement: tuple[str, float, float | None], shown: str) -> None:
    """Each unit is written as people write it."""
    unit, low, high = measurement
    assert wording.measured(Measurement("any", low, high, unit, "how", "label")) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (5.0, "s", "5 s"),
        (0.001, "s", "1 ms"),
        (0.0, "s", "0 s"),
        (900.0, "s", "15 min"),
        (0.0, "writes", "0 writes"),
        (1.0, "writes", "1 write"),
        (0.01, "share", "1 %"),
    ],
)
def test_limits_are_never_rounded_away(value: float, unit: str, shown: str) -> None:
    """An objective of a millisecond reads as a millisecond, and zero as zero."""
    assert wording.limit(value, unit) == shown


@pytest.mark.parametrize(
    ("earliest", "latest", "shown"),
    [
        (1.234, 1.234, "+1.23 to +1.24 s"),
        (1.5, 1.5, "+1.50 s"),
        (-0.5, 0.25, "\u22120.50 to +0.25 s"),
        (130.0, 131.0, "+2 min 10 s to +2 min 11 s"),
    ],
)
def test_instants_are_relative_to_the_fault(earliest: float, latest: float, shown: str) -> None:
    """Instants carry a sign and round outwards too."""
    assert wording.instants(earliest, latest) == shown


def test_numbers_are_listed_as_ranges() -> None:
    """Lost writes read as ranges, and a long list says how many it leaves out."""
    assert wording.numbers([1, 2, 3, 7, 9, 10]) == "1\u20133, 7, 9\u201310"
    assert wording.numbers(list(range(0, 40, 2)), most=2) == "0, 2 and 18 more"
    assert wording.numbers([]) == ""


def test_a_share_of_counts_is_rounded_down() -> None:
    """100 % means that not one was missing."""
    assert [wording.counted_share(part, 3000) for part in (3000, 2999, 0)] == ["100 %", "99.9 %", "0 %"]


def _seconds(text: str) -> float:
    return sum(
        float(number.replace(",", "")) * _UNITS[unit] for number, unit in re.findall(r"([\d.,]+) (\w+)", text)
    )
