"""A secret's rotation schedule: is it sound, and when is the next rotation on the lab's clock.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

import re
from collections.abc import Mapping
from typing import Any

from moto.secretsmanager.exceptions import InvalidParameterException

from infra.lab.schedule_expressions import At, Cron, Expression, Rate, parse
from infra.lab.virtual_time import VirtualClock

DAYS, EXPRESSION, WINDOW = "AutomaticallyAfterDays", "ScheduleExpression", "Duration"
_LONGEST_DAYS = range(1, 1001)
_WINDOW = re.compile(r"[1-9][0-9]?h")
_DAY_S = 86400.0
_SHORTEST_S = 4 * 3600.0


def checked(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule that is sound.

    Raises:
        InvalidParameterException: It is not; the text says what is wrong.

    """
    problem = _problem(rules)
    if problem:
        raise InvalidParameterException(problem)
    return dict(rules)


def _problem(rules: Mapping[str, Any]) -> str:
    if (DAYS in rules) == (EXPRESSION in rules):
        return f"RotationRules must have {DAYS} or {EXPRESSION}, and not both."
    if rules.get(DAYS, 1) not in _LONGEST_DAYS:
        return f"RotationRules.{DAYS} must be within 1-1000."
    if WINDOW in rules and not _WINDOW.fullmatch(rules[WINDOW]):
        return f"RotationRules.{WINDOW} must be a number of hours, for example 3h."
    try:
        found = _expression(rules)
    except ValueError as problem:
        return str(problem)
    if isinstance(found, At):
        return f"RotationRules.{EXPRESSION} must be a cron() or a rate()."
    if isinstance(found, Rate) and found.period_s < _SHORTEST_S:
        return f"RotationRules.{EXPRESSION} must leave at least four hours between rotations."
    return ""


def _expression(rules: Mapping[str, Any]) -> Expression | None:
    if DAYS in rules:
        return Rate(float(rules[DAYS]) * _DAY_S)
    return parse(rules[EXPRESSION]) if EXPRESSION in rules else None


def next_at(rules: Mapping[str, Any], since: float, clock: VirtualClock) -> float | None:
    """Return when a secret is rotated next, Unix time; None without a schedule, or when it is over.

    Args:
        rules: A schedule that is sound.
        since: When it was last rotated, or changed by hand, which counts as much: Unix time.
        clock: The lab's, on which the schedule is meant.

    """
    found = _expression(rules)
    if isinstance(found, Rate):
        return since + found.period_s * clock.scale
    following = found.after(clock.shown_at(since)) if isinstance(found, Cron) else None
    return None if following is None else clock.real_s(following)


def shown(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule as DescribeSecret shows it: for a rate in days their number too."""
    found = _expression(rules)
    if isinstance(found, Rate) and found.period_s % _DAY_S == 0:
        return {**rules, DAYS: int(found.period_s // _DAY_S)}
    return dict(rules)
