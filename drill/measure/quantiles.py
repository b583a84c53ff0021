"""Quantiles of numbers that are known only as bounds."""

from collections.abc import Sequence
from math import ceil, inf
from typing import TypeVar

Number = TypeVar("Number", int, float)


def quantile(ordered: Sequence[Number], share: float) -> Number:
    """Return the nearest-rank quantile of numbers in ascending order.

    Args:
        ordered: At least one number.
        share: For example 0.99; 1 for the greatest.

    """
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def bounded_quantile(
    bounds: Sequence[tuple[float, float | None]], share: float
) -> tuple[float, float | None]:
    """Return a quantile's bounds from each number's bounds.

    The n-th smallest number lies between the n-th smallest lower bound and the n-th smallest
    upper one. A number without an upper bound is censored: it counts as beyond all others.

    Args:
        bounds: Lower and upper bound of each number, at least one; None where nothing bounds it.
        share: For example 0.99; 1 for the greatest.

    """
    low = quantile(sorted(low for low, _ in bounds), share)
    high = quantile(sorted(inf if high is None else high for _, high in bounds), share)
    return low, None if high == inf else high
