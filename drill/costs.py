"""What a drill makes AWS bill: units, not money; who shows them knows the prices. Pure.

Counted is what its steps, its probes and its dead-man's undos use. What the drilled system costs by
itself is not: it would cost that without a drill too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drill import dead_man
from drill.faults.registry import build
from drill.model import CostItem, ProbeSpec
from drill.plan import Plan

_HOUR_S = 3600.0
_MILLIONTH, _THOUSANDTH = 1e-6, 1e-3
# What one attempt of a probe makes AWS bill, by the probe's kind: the price's name and how many units.
# A client's request is one of the application's function, an order one write of the global table in
# each region. Calls of Route 53's, EC2's and RDS's APIs are free.
_ATTEMPTS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "dns": (("dns_query_million", _MILLIONTH),),
    "http": (("lambda_request_million", _MILLIONTH),),
    "metric": (("metric_request_thousand", _THOUSANDTH),),
    "queue": (("queue_request_million", _MILLIONTH),),
    "replication": (("table_write_million", 2 * _MILLIONTH), ("table_read_million", 10 * _MILLIONTH)),
    "table": (("table_read_million", _MILLIONTH),),
    "writer": (("lambda_request_million", _MILLIONTH), ("table_write_million", 2 * _MILLIONTH)),
}
_WHAT = {
    "dns_query_million": "questions to the zone",
    "metric_request_thousand": "reads of metrics",
    "lambda_request_million": "requests of the application",
    "queue_request_million": "reads of the queue",
    "table_read_million": "reads of the table",
    "table_write_million": "writes of the table",
}


@dataclass(frozen=True, slots=True)
class Billed:
    """Units that AWS bills.

    Attributes:
        part: What makes it bill: a step's name, ``probes``, ``undo of last resort`` or ``scenario``.
        what: What is billed.
        unit: The name of the unit price.
        low: How many units if the drill is as short as it can be.
        high: How many if it lasts until it gives up.

    """

    part: str
    what: str
    unit: str
    low: float
    high: float


def of(plan: Plan) -> tuple[Billed, ...]:
    """Return all that a drill makes AWS bill, in the order of the plan."""
    hours = tuple(seconds / _HOUR_S for seconds in plan.expected_s)
    steps = [
        _billed(step.name, item, (hours[0], hours[1])) for step in plan.every_step for item in step.costs
    ]
    more = [_billed("scenario", item, (hours[0], hours[1])) for item in plan.costs]
    return (*steps, *more, *_probes(plan), *_schedules(plan))


def _billed(part: str, item: CostItem, hours: tuple[float, float]) -> Billed:
    least, most = hours if item.hourly else (1.0, 1.0)
    return Billed(part, item.what, item.unit, item.low * least, item.high * most)


def _probes(plan: Plan) -> Iterator[Billed]:
    units: dict[str, tuple[float, float]] = {}
    least_s, most_s = plan.expected_s
    for spec in plan.probes:
        for unit, each in _ATTEMPTS.get(spec.kind, ()):
            low, high = units.get(unit, (0.0, 0.0))
            units[unit] = low + _units(spec, least_s, each), high + _units(spec, most_s, each)
    for unit, (low, high) in sorted(units.items()):
        yield Billed("probes", _WHAT[unit], unit, low, high)


def _units(spec: ProbeSpec, seconds: float, each: float) -> float:
    return seconds / spec.interval_s * each


def _schedules(plan: Plan) -> Iterator[Billed]:
    """Yield the schedules of the last resort, each of which is billed only if it is ever due."""
    armed = sum(build(step.fault, step.args).plain_undo for step in plan.every_step)
    if armed and dead_man.possible(plan.target):
        yield Billed(
            "undo of last resort", "schedules, if they are ever due", "schedule_million", 0, armed / 1e6
        )
