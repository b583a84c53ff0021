"""When an alarm is in alarm: CloudWatch's rules, pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html and, for
data that is missing,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
# CloudWatch looks at more points than it needs; how many is not documented but for one example:
# five for three evaluation periods.
MORE_POINTS = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """How an alarm judges its data points.

    Attributes:
        comparison: One of :data:`OPERATORS`.
        threshold: What each point is compared with.
        periods: Evaluation periods (N).
        to_alarm: Data points that must breach (M).
        missing: What a missing point counts as.

    """

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str = MISSING

    @property
    def wanted(self) -> int:
        """How many data points are looked at."""
        return self.periods + MORE_POINTS

    def breaches(self, value: float) -> bool:
        """Say whether one data point is outside of the threshold."""
        return OPERATORS[self.comparison](value, self.threshold)


def judged(rule: Rule, points: Sequence[float | None], current: str) -> str:
    """Return the state that an alarm should have.

    Args:
        rule: The alarm's.
        points: Its data points, the newest first, None where one is missing.
        current: The state that it has, which ``ignore`` keeps.

    """
    there = [value for value in points[: rule.wanted] if value is not None]
    judged_now = there[: rule.periods]
    breaching = sum(map(rule.breaches, judged_now))
    if breaching >= rule.to_alarm:
        return ALARM
    if len(there) >= rule.periods:
        return OK
    if rule.missing == BREACHING:
        return ALARM if breaching + rule.periods - len(there) >= rule.to_alarm else OK
    if rule.missing == NOT_BREACHING or breaching < len(there):
        return OK
    if rule.missing == IGNORE:
        return current
    return ALARM if _no_longer_premature(rule, points) else INSUFFICIENT


def _no_longer_premature(rule: Rule, points: Sequence[float | None]) -> bool:
    """Say whether nothing but breaches was seen since at least as many periods as must breach."""
    ages = [age for age, value in enumerate(points[: rule.wanted], 1) if value is not None]
    return bool(ages) and ages[-1] >= rule.to_alarm
