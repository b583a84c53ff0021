"""Numbers as people read them: few digits, one unit, bounds rounded outwards.

Rounding is always outwards (the low bound down, the high bound up), so that the interval on
the page still contains what the interval in the record contains.
"""

import math
from collections.abc import Sequence

from drill.model import Measurement

_MINUTES_FROM_S = 120.0
_NS = 1e9
_NOISE = 1e-9
_WIDE = 5.0


def seconds_since(instant_ns: int, zero_ns: int) -> float:
    """Return the seconds from one instant to another, negative when it came before."""
    return (instant_ns - zero_ns) / _NS


def instant(at_s: float) -> str:
    """Return an instant relative to the fault, for example ``+1.23 s``; before it, with a minus sign."""
    sign = "\u2212" if at_s < 0 else "+"
    if abs(at_s) >= _MINUTES_FROM_S:
        return f"{sign}{_minutes(abs(at_s), 0)}"
    return f"{sign}{abs(at_s):.2f} s"


def instants(earliest_s: float, latest_s: float) -> str:
    """Return an instant known within bounds, for example ``+1.80 to +1.92 s``."""
    low, high = (
        instant(math.floor(earliest_s * 100 + _NOISE) / 100),
        instant(math.ceil(latest_s * 100 - _NOISE) / 100),
    )
    if low == high:
        return low
    if low.endswith(" s") and high.endswith(" s") and "min" not in low + high:
        return f"{low.removesuffix(' s')} to {high}"
    return f"{low} to {high}"


def duration(low_s: float, high_s: float | None) -> str:
    """Return a duration known within bounds: ``1.80 to 2.12 s``, ``at least 12 s``."""
    if high_s is None:
        return "not bounded" if low_s <= 0 else f"at least {_at_least(low_s)}"
    return _span(low_s, high_s)


def wall_time(wall: str, digits: int = 0) -> str:
    """Return a wall time in UTC as people write it: ``2026-11-23 18:14:05 UTC``."""
    day, _, rest = wall.partition("T")
    return f"{day} {rest[: 9 + digits if digits else 8]} UTC" if rest else wall


def plain_duration(length_s: float) -> str:
    """Return the length of something that is no measurement, for example ``27.4 s``."""
    if length_s >= _MINUTES_FROM_S:
        return _minutes(length_s, 0)
    return f"{length_s:.3g} s" if length_s >= 1 else f"{length_s * 1000:.3g} ms"


def count(low: float, high: float | None, noun: str) -> str:
    """Return a count within bounds: ``14 writes``, ``14 to 16 writes``, ``at least 3 writes``."""
    first = _whole(low)
    if high is None:
        text = f"at least {first}"
    elif low == high:
        text = first
    else:
        text = f"{first} to {_whole(high)}"
    if text == "1":
        noun = noun.removesuffix("s")
    return f"{text} {noun}".rstrip()


def percentage(low: float, high: float | None) -> str:
    """Return a share of one as per cent within bounds, for example ``3.1 to 4.2 %``."""
    if high is None:
        return f"at least {_decimal(low * 100, _digits(low * 100, low * 100))} %"
    digits = _digits(low * 100, high * 100)
    return _joined([_floor(low * 100, digits), _ceiling(high * 100, digits)], digits, "%")


def counted_share(part: int, whole: int) -> str:
    """Return a share of counted things, rounded down so that 100 % means all of them."""
    return f"{math.floor(part / whole * 1000 + _NOISE) / 10:g} %" if whole else "\u2013"


def measured(measurement: Measurement) -> str:
    """Return a measurement's interval with its unit."""
    low, high = measurement.low, measurement.high
    if measurement.unit == "s":
        return duration(low, high)
    if measurement.unit == "share":
        return percentage(low, high)
    return count(low, high, "" if measurement.unit == "1" else measurement.unit)


def limit(value: float, unit: str) -> str:
    """Return an objective's limit with its unit, never rounded away."""
    if unit == "s":
        if value >= _MINUTES_FROM_S and value == int(value):
            return _minutes(value, 0)
        return f"{value:g} s" if value >= 1 or value == 0 else f"{value * 1000:g} ms"
    if unit == "share":
        return f"{value * 100:g} %"
    return count(value, value, "" if unit == "1" else unit)


def numbers(values: Sequence[int], most: int = 8) -> str:
    """Return ascending numbers as ranges, for example ``412 to 425, 431 and 30 more``."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    shown = [str(first) if first == last else f"{first}\u2013{last}" for first, last in runs[:most]]
    hidden = sum(last - first + 1 for first, last in runs[most:])
    return ", ".join(shown) + (f" and {hidden:,} more" if hidden else "")


def _span(low_s: float, high_s: float) -> str:
    if high_s >= _MINUTES_FROM_S:
        low, high = _minutes(math.floor(low_s), 0), _minutes(math.ceil(high_s), 0)
        return low if low == high else f"{low} to {high}"
    if high_s == 0:
        return "0 s"
    scale, unit = (1.0, "s") if high_s >= 1 else (1000.0, "ms")
    digits = _digits(low_s * scale, high_s * scale)
    return _joined([_floor(low_s * scale, digits), _ceiling(high_s * scale, digits)], digits, unit)


def _at_least(low_s: float) -> str:
    if low_s >= _MINUTES_FROM_S:
        return _minutes(math.floor(low_s), 0)
    scale, unit = (1.0, "s") if low_s >= 1 else (1000.0, "ms")
    digits = _digits(low_s * scale, low_s * scale)
    return f"{_decimal(_floor(low_s * scale, digits), digits)} {unit}"


def _digits(low: float, high: float) -> int:
    """Return how many decimals show an interval's width with two digits, three at most."""
    width = high - low if high - low > _NOISE else max(abs(high), 1.0) / 10
    power = math.floor(math.log10(width))
    # A width of 0.07 is told by two decimals, one of 0.03 by three.
    wanted = -power if width / 10.0**power >= _WIDE else 1 - power
    return min(3, max(0, wanted))


def _floor(value: float, digits: int) -> float:
    return math.floor(value * 10.0**digits + _NOISE) / 10.0**digits


def _ceiling(value: float, digits: int) -> float:
    return math.ceil(value * 10.0**digits - _NOISE) / 10.0**digits


def _decimal(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _joined(bounds: Sequence[float], digits: int, unit: str) -> str:
    low, high = (_decimal(bound, digits) for bound in bounds)
    if low == high:
        return f"{low} {unit}"
    # "0.000 to 0.104" says less than "0 to 0.104".
    return f"{'0' if bounds[0] == 0 else low} to {high} {unit}"


def _minutes(length_s: float, digits: int) -> str:
    whole, rest = divmod(round(length_s, digits), 60)
    hours, minutes = divmod(int(whole), 60)
    if hours:
        return f"{hours} h {minutes:02d} min" + (f" {rest:02.0f} s" if rest else "")
    return f"{minutes} min" + (f" {rest:.0f} s" if rest else "")


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"
