"""CloudWatch's alarms: judged once a minute from the data that were really published.

A minute is the profile's: its ``clock_scale`` shortens it, and an alarm's periods with it. The
windows of the data end on these minutes. Alarms with periods under a minute are judged every
ten seconds, as AWS does:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

Route 53 watches the data behind an alarm too, for its own health checks, and comes to its own
view of them: what an alarm was set to by hand means nothing to it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from infra.lab.alarm_rules import IGNORE, INSUFFICIENT, Rule, judged
from infra.lab.composite_rules import state_of
from infra.lab.metric_maths import Series, UnknownExpression, evaluated, marks_of, series_of
from infra.lab.metric_store import STATISTICS
from infra.lab.profile import Profile
from infra.lab.truth import TruthLog
from infra.lab.watching import Judgement, MetricAlarm, Query
from infra.lab.world import ControlPlane, Snapshot

MINUTE_S = 60.0
SHORT_S = 10.0

StreamChanged = Callable[[], None]


class Alarms:
    """Follows the snapshots' alarms; an :class:`infra.lab.watching.AlarmListener` too."""

    def __init__(self, control: ControlPlane, profile: Profile, truth: TruthLog) -> None:
        """Take where the data and the alarms are, and how long a minute is."""
        self._control = control
        self._truth = truth
        self._scale = profile.clock_scale
        self._alarms: tuple[MetricAlarm, ...] = ()
        self._watched: Mapping[str, MetricAlarm] = {}
        self._streams: dict[str, str] = {}
        self._revisions: dict[str, int] = {}
        self._listeners: list[StreamChanged] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to judge, in the running loop."""
        self._task = asyncio.create_task(self._judge_always())

    async def close(self) -> None:
        """Judge no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Follow a snapshot."""
        self._alarms = snapshot.alarms
        self._watched = {check.id: check.stream for check in snapshot.health_checks if check.stream}
        for check_id in self._streams.keys() - self._watched.keys():
            del self._streams[check_id]

    def stream(self, check_id: str) -> str:
        """Return what the data behind a health check's alarm say: an alarm's state."""
        return self._streams.get(check_id, INSUFFICIENT)

    def on_stream(self, changed: StreamChanged) -> None:
        """Have ``changed()`` called, in the loop's thread, when the data of a check say something else."""
        self._listeners.append(changed)

    def alarm_changed(self, region: str, name: str, before: str, after: str) -> None:
        """Write down that an alarm shows another state."""
        self._truth.log("alarm_changed", region=region, alarm=name, before=before, after=after)

    def message_arrived(self, region: str, queue: str, topic: str, message_id: str) -> None:
        """Write down that a message can be read from a queue."""
        self._truth.log("message_arrived", region=region, queue=queue, topic=topic, message_id=message_id)

    def message_left(self, endpoint: str, subject: str, text: str) -> None:
        """Write down a message that AWS would have sent out."""
        self._truth.log("message_left", endpoint=endpoint, subject=subject, text=text)

    async def _judge_always(self) -> None:
        step_s, steps = SHORT_S * self._scale, round(MINUTE_S / SHORT_S)
        last = int(time.time() // step_s)
        while True:
            await asyncio.sleep((last + 1) * step_s - time.time())
            step = int(time.time() // step_s)
            if step == last:
                continue
            # A minute that ended while the loop was busy is judged all the same, at its own end.
            minute = step // steps if step // steps > last // steps else None
            self.judge(step * step_s, None if minute is None else minute * steps * step_s)
            last = step

    def judge(self, step_s: float, minute_s: float | None) -> None:
        """Judge every alarm, and every stream of a health check, whose turn it is.

        Args:
            step_s: When the last ten seconds were over, in seconds since the epoch.
            minute_s: When the last minute was over; None if it was judged already.

        """
        for alarm in self._alarms:
            end_s = step_s if alarm.period_s < MINUTE_S else minute_s
            if end_s is not None and not alarm.composite:
                judgement = self._judged(alarm, end_s, alarm.state)
                if judgement is not None:
                    self._control.report_alarm(alarm, judgement)
        self._judge_composites()
        if minute_s is not None:
            self._judge_streams(minute_s)

    def _judge_composites(self) -> None:
        states = {(alarm.region, alarm.name): alarm.state for alarm in self._alarms}
        for alarm in self._alarms:
            if alarm.composite:
                here = {name: state for (region, name), state in states.items() if region == alarm.region}
                self._control.report_alarm(alarm, Judgement(state_of(alarm.composite, here)))

    def _judge_streams(self, now_s: float) -> None:
        before = dict(self._streams)
        for check_id, watched in self._watched.items():
            judgement = self._judged(watched, now_s, INSUFFICIENT)
            self._streams[check_id] = INSUFFICIENT if judgement is None else judgement.state
        if self._streams != before:
            for changed in self._listeners:
                changed()

    def _judged(self, alarm: MetricAlarm, now_s: float, current: str) -> Judgement | None:
        """Return what an alarm's data come to; None if they change nothing."""
        rule = alarm.rule
        if rule is None:
            return None
        period_s = alarm.period_s * self._scale
        marks = marks_of(now_s - rule.wanted * period_s, period_s, rule.wanted)
        try:
            series = self._series(alarm, marks, period_s)
        except UnknownExpression:
            return None
        if alarm.ignore_few and self._too_few(alarm, rule, marks, period_s):
            return None
        points = tuple((mark, series.get(mark)) for mark in reversed(marks))
        state = judged(rule, [value for _, value in points], current)
        if state == current and rule.missing == IGNORE:
            return None
        return Judgement(state, points)

    def _series(self, alarm: MetricAlarm, marks: Sequence[float], period_s: float) -> Series:
        def fetch(query: Query) -> Series:
            return series_of(self._control.metrics, alarm.region, query, marks, period_s)

        (wanted,) = (query for query in alarm.queries if query.returned)
        return evaluated(alarm.queries, fetch, marks)[wanted.id]

    def _too_few(self, alarm: MetricAlarm, rule: Rule, marks: Sequence[float], period_s: float) -> bool:
        """Say whether a percentile rests on too few samples to change anything.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
        """
        query = alarm.queries[0]
        if query.metric is None or query.statistic in STATISTICS:
            return False
        share = float(query.statistic[1:]) / 100
        window = (marks[-rule.periods], marks[-1] + period_s)
        points = self._control.metrics.points(alarm.region, query.metric, window, query.unit)
        needed = 10 / (1 - share) if share >= 0.5 else 10 / share
        return sum(point.samples for point in points) < needed
