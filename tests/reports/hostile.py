"""A finished drill in which every string that comes from outside tries to be more than text."""

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from tests.reports import factory
from tests.reports.factory import Drill

PLANT = (
    "</style></title></script><script>alert(1)</script>"
    "\"'><img src=x onerror=alert(1)><svg onload=alert(1)>&amp;"
    "\x1b[31m\x00\x7f\x9b\u202eevil\u2028{{ 7 * 7 }}{% raw %}"
)
# What decides how something is counted or drawn, and is set by our own code alone.
_KEPT = frozenset({"kind", "unit", "run_id", "measurement", "wall", "goodness", "undo_status", "status"})


def drill() -> Drill:
    """Return a blackout with the plant in every string of its record and its observations."""
    plain = factory.blackout()
    record = replace(_planted(plain.record), environment=_environment(plain.record.environment))
    names = {spec.name: f"{spec.name}{PLANT}" for spec in plain.record.probes}
    observations = [
        replace(seen, probe=names[seen.probe], answered_by=seen.answered_by and seen.answered_by + PLANT)
        for seen in plain.observations
    ]
    return Drill(record, observations)


def _environment(plain: Any) -> dict[str, str]:
    return {key: value if key == "kind" else value + PLANT for key, value in plain.items()}


def _planted(value: Any) -> Any:
    """Return the same value with the plant at the end of every string in it."""
    planted = value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _planted(getattr(value, field.name))
            for field in fields(value)
            if field.name not in _KEPT
        }
        planted = replace(value, **changed)
    elif isinstance(value, str) and not isinstance(value, Enum):
        planted = value + PLANT
    elif isinstance(value, tuple):
        planted = tuple(_planted(one) for one in value)
    elif isinstance(value, dict):
        planted = {_planted(key): _planted(one) for key, one in value.items()}
    return planted
