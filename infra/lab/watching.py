"""What an alarm watches, as the physics see it, and who hears of what alarms do."""

from dataclasses import dataclass
from typing import Protocol

from infra.lab.alarm_rules import Rule
from infra.lab.metric_store import MetricName


@dataclass(frozen=True, slots=True)
class Query:
    """One series: a statistic of a metric over periods, or an expression over other series.

    Attributes:
        id: Its name in expressions.
        metric: None for an expression.
        statistic: For example ``Sum`` or ``p99``.
        period_s: As configured; an alarm's is scaled by the lab's profile.
        unit: Only points in this unit, or all with None.
        expression: Metric maths; empty for a metric.
        returned: Whether it is what was asked for, and not only part of an expression.

    """

    id: str
    metric: MetricName | None
    statistic: str = "Average"
    period_s: float = 60
    unit: str | None = None
    expression: str = ""
    returned: bool = True


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """A CloudWatch alarm, or the stream of one that a Route 53 health check watches.

    Attributes:
        queries: What it watches; one for a plain alarm, none for a composite one.
        rule: How its points are judged; None where the lab can't judge (anomaly detection).
        period_s: As configured.
        revision: Grows with each PutMetricAlarm of this name, and is never used again.
        state: What the alarm shows now.
        ignore_few: A percentile over too few samples changes nothing.
        composite: The rule of a composite alarm; empty otherwise.

    """

    region: str
    name: str
    queries: tuple[Query, ...]
    rule: Rule | None
    period_s: float
    revision: int
    state: str
    ignore_few: bool = False
    composite: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A state that an alarm comes to, with what it rests on.

    Attributes:
        points: The data points that were judged, the newest first, each with its period's start
            (seconds since the epoch) and None where it is missing.

    """

    state: str
    points: tuple[tuple[float, float | None], ...] = ()


class AlarmListener(Protocol):
    """Hears of what alarms did; called from any thread, must not block."""

    def alarm_changed(self, region: str, name: str, before: str, after: str) -> None:
        """Take note that an alarm shows another state."""

    def message_arrived(self, region: str, queue: str, topic: str, message_id: str) -> None:
        """Take note that a topic's message can be read from a queue."""

    def message_left(self, endpoint: str, subject: str, text: str) -> None:
        """Take note of a message that AWS would send out (e-mail, the web); the lab sends none."""
