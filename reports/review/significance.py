"""Has a number of the last drills got worse? An exact permutation test for intervals; pure.

Gehan's generalisation of the Wilcoxon test, with Mantel's scores, for values that are known as
intervals and may have no upper bound: a drill scores +1 against each other drill whose interval lies
wholly below its own, -1 against each wholly above, 0 where they overlap, so what the observations
can't tell apart counts for nothing. The statistic is the sum of the scores of the last drills; its
distribution over all ways to choose as many drills is counted exactly, so it holds for few drills and
with ties. One-sided: only "more than before" is looked for. Over several numbers Holm's step-down
correction keeps the chance of any false mark below the level.

Gehan, Biometrika 52 (1965); Mantel, Biometrics 23 (1967); Holm, Scand. J. Statist. 6 (1979).
"""

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

Interval = tuple[float, float | None]
LAST = 5
BEFORE = 20
LEVEL = 0.05
_Key = TypeVar("_Key")


def p_value(before: Sequence[Interval], last: Sequence[Interval]) -> float | None:
    """Return the chance of scores as high as the last drills' if nothing changed; None for too few."""
    every = [*before, *last]
    if not before or not last:
        return None
    scores = [sum(_score(one, other) for other in every) for one in every]
    reached = sum(scores[len(before) :])
    ways = _ways(scores, len(last))
    high = sum(number for total, number in ways.items() if total >= reached)
    return high / math.comb(len(every), len(last))


def worse(p_values: Mapping[_Key, float | None], level: float = LEVEL) -> frozenset[_Key]:
    """Return the numbers that are marked, by Holm's procedure over all that could be tested."""
    tested = sorted(((p, key) for key, p in p_values.items() if p is not None), key=lambda pair: pair[0])
    marked: set[_Key] = set()
    for place, (p, key) in enumerate(tested):
        if p > level / (len(tested) - place):
            break
        marked.add(key)
    return frozenset(marked)


def confidence(drills: int, quantile: float) -> float:
    """Return how surely the worst of so many drills bounds a quantile: 1 - q^n."""
    return float(1 - quantile**drills)


def drills_needed(quantile: float, wanted: float) -> int:
    """Return how many drills it takes to bound a quantile with a confidence."""
    return math.ceil(math.log(1 - wanted) / math.log(quantile))


def _score(one: Interval, other: Interval) -> int:
    if other[1] is not None and one[0] > other[1]:
        return 1
    if one[1] is not None and one[1] < other[0]:
        return -1
    return 0


def _ways(scores: Sequence[int], chosen: int) -> dict[int, int]:
    """Return in how many ways so many of the scores add up to each sum."""
    sums: list[dict[int, int]] = [{0: 1}, *({} for _ in range(chosen))]
    for score in scores:
        for size in range(chosen - 1, -1, -1):
            larger = sums[size + 1]
            for total, number in sums[size].items():
                larger[total + score] = larger.get(total + score, 0) + number
    return sums[chosen]
