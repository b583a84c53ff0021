"""Scales and ticks: from seconds to places on a picture."""

import math
from dataclasses import dataclass

from reports.series import Window

_STEPS_S = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1200,
    1800,
    3600,
    7200,
    14400,
)
_MOST_TICKS = 11


@dataclass(frozen=True, slots=True)
class Horizontal:
    """The time axis: a window laid between two places.

    Attributes:
        window: The time.
        left: Where it begins, in the picture's units.
        right: Where it ends.

    """

    window: Window
    left: float
    right: float

    def at(self, at_s: float) -> float:
        """Return the place of an instant, kept inside the plot."""
        place = self.left + (at_s - self.window.from_s) / self.window.length_s * (self.right - self.left)
        return min(self.right, max(self.left, place))

    def ticks(self) -> tuple[float, ...]:
        """Return round instants inside the window, eleven at most; zero is among them if it is inside."""
        fitting = (step for step in _STEPS_S if self.window.length_s / step <= _MOST_TICKS)
        step_s = next(fitting, _STEPS_S[-1] * math.ceil(self.window.length_s / _STEPS_S[-1] / _MOST_TICKS))
        first, last = math.ceil(self.window.from_s / step_s), math.floor(self.window.to_s / step_s)
        return tuple(number * step_s for number in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """A scale of durations in which 1 ms and 10 s can both be read.

    Attributes:
        low_s: The power of ten at the bottom.
        high_s: The power of ten at the top.
        top: Where the top is, in the picture's units.
        bottom: Where the bottom is.

    """

    low_s: float
    high_s: float
    top: float
    bottom: float

    def at(self, took_s: float) -> float:
        """Return the place of a duration, kept inside the plot."""
        share = (math.log10(max(took_s, self.low_s)) - math.log10(self.low_s)) / math.log10(
            self.high_s / self.low_s
        )
        return max(self.top, self.bottom - share * (self.bottom - self.top))

    def ticks(self) -> tuple[float, ...]:
        """Return the powers of ten from bottom to top."""
        first, last = round(math.log10(self.low_s)), round(math.log10(self.high_s))
        return tuple(10.0**power for power in range(first, last + 1))


def logarithmic(least_s: float, most_s: float, top: float, bottom: float) -> Logarithmic:
    """Return the scale of whole powers of ten that holds both durations."""
    low = math.floor(math.log10(max(least_s, 1e-5)))
    high = max(low + 1, math.ceil(math.log10(max(most_s, 1e-5)) - 1e-9))
    return Logarithmic(10.0**low, 10.0**high, top, bottom)


def tick_text(at_s: float) -> str:
    """Return a tick of the time axis, for example ``+1.5 s`` or ``+2 min``."""
    if at_s == 0:
        return "0"
    sign, size_s = ("\u2212" if at_s < 0 else "+"), abs(at_s)
    if size_s >= 60 and size_s % 60 == 0:
        return f"{sign}{size_s / 60:g} min"
    return f"{sign}{size_s:g} s" if size_s < 60 else f"{sign}{size_s // 60:g} min {size_s % 60:g} s"


def duration_text(took_s: float) -> str:
    """Return a tick of a scale of durations, for example ``10 ms``."""
    if took_s < 1e-3:
        return f"{took_s * 1e6:g} \u00b5s"
    return f"{took_s * 1e3:g} ms" if took_s < 1 else f"{took_s:g} s"
