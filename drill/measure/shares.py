"""Shares of attempts, with what a sample of that size proves."""

from math import sqrt

# Two-sided 95 % of the normal distribution.
Z = 1.959963984540054


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share.

    Args:
        hits: How many of them.
        of: How many there were, at least 1.

    """
    share = hits / of
    weight = 1 + Z * Z / of
    centre = (share + Z * Z / (2 * of)) / weight
    reach = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of)) / weight
    # The bounds of none and of all are exactly 0 and 1; floating point misses them by a hair.
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == of else min(1.0, centre + reach)
    return low, high


def rule_of_three(of: int) -> float:
    """Return below which share something lies at 95 % that never happened among ``of`` cases."""
    return min(1.0, 3 / of)
