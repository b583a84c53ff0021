"""DynamoDB throttling: the table's write capacity is lowered under a load that is above it.

By default auto scaling is suspended for the drill, so that what is seen is the throttling itself:
who is told, what clients lose, how soon it is over once there is capacity again.

``--let-autoscaling-work`` leaves auto scaling alone and measures whether it ends the throttling.
"""

from pydantic import Field, ValidationInfo, field_validator

from drill import alerting
from drill.faults.scaling_suspension import ScalingSuspension
from drill.faults.table_throttle import TableThrottle
from drill.model import (
    REFUSED_FOR_CAPACITY,
    CostItem,
    Goodness,
    GuardSpec,
    History,
    MeasureSpec,
    Objective,
    ProbeSpec,
)
from drill.predicates import Holds, every_one, served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Target

CLIENTS = "clients"
WRITER = "writer"
DIRECT = "direct-writes"
REPLICATION = "replication"
REPORTED = "reported-lag"
ALARM = "throttles-alarm"
ALERTS = "alerts"

_SHARED = (
    "Write capacity of a global table is one setting that all its replicas share: writes were throttled in "
    "every region, and moving clients to the other one would have helped nobody. Replication needs it too."
)
_BURST = (
    "DynamoDB keeps up to 300 seconds of capacity that was not used and lets it be used up first, so that "
    "throttling begins some time after the change; the onset is the first attempt that was throttled."
)
_SUSPENDED = (
    "Auto scaling of the table was suspended in both regions for the drill: what it would have done is not "
    "shown. See that with: --let-autoscaling-work"
)
_NOBODY_TOLD = (
    "The time to alert was not measured: the target file names no alarm on throttles in the primary region, "
    "or no queue of alerts that a drill may read (primary.alarms, primary.drill_queue_url)."
)
_AT_WORK = (
    "Auto scaling was left alone, the recovery is its doing. A capacity below its minimum is raised to that "
    "whenever it acts, whatever the load."
)


class ThrottlingParams(Params):
    """What can be chosen.

    Attributes:
        capacity: Write units a second that are left to the table and to each index.
        load: Orders a second that are posted from before the warm-up to the end; more than
            ``capacity``. If left away as many as the ledger writes, twice the capacity at least.
        let_autoscaling_work: Do not suspend auto scaling; see whether it copes.

    """

    capacity: int = Field(
        default=1, ge=1, le=40_000, description="Write units a second that are left to the table."
    )
    load: float | None = Field(
        default=None, gt=0, le=500, description="Orders a second that are posted; more than --capacity."
    )
    let_autoscaling_work: bool = Field(
        default=False, description="Leave auto scaling alone, and see whether it ends the throttling."
    )

    @field_validator("load")
    @classmethod
    def _is_above_capacity(cls, load: float | None, info: ValidationInfo) -> float | None:
        capacity = info.data.get("capacity")
        if load is not None and capacity is not None and load <= capacity:
            msg = (
                f"{load:g} orders a second do not exceed {capacity} write units a second (an order takes one "
                "at least): nothing would be throttled"
            )
            raise ValueError(msg)
        return load

    def per_s(self, target: Target) -> float:
        """Return the orders a second."""
        return self.load or max(1 / target.timing.write_interval_s, 2.0 * self.capacity)


class DynamodbThrottling(Scenario[ThrottlingParams]):
    """The table has less write capacity than its load needs."""

    name = "dynamodb-throttling"
    title = "The DynamoDB table is throttled"
    hypothesis = (
        "Orders beyond the table's capacity are refused and none that was acknowledged is lost; somebody is "
        "alerted; the region is not failed over; with capacity again all orders are accepted."
    )
    covers = (
        "DR07: replication lag while capacity is short",
        "DR09: somebody is told when the table is throttled",
        "DR16: what fixed capacity does to clients under load, and whether auto scaling ends it",
    )
    parameters = ThrottlingParams
    awaited = "its alert, or its end where auto scaling was left at work"

    def guards(self, target: Target, params: ThrottlingParams) -> tuple[GuardSpec, ...]:
        """Refuse a table that has no more than that, does not carry the load, or may not be decreased."""
        options = {
            "write_units": params.capacity,
            "orders_per_s": params.per_s(target),
            "scaled": params.let_autoscaling_work,
        }
        return (GuardSpec("table-can-be-throttled", options),)

    def steps(self, target: Target, params: ThrottlingParams) -> tuple[Step, ...]:
        """Suspend auto scaling in both regions, then lower the capacity, which all replicas share."""
        timing = target.timing
        suspend = tuple(
            Step(f"suspend-scaling-{region.name}", ScalingSuspension(region.name, _arn(target, region.name)))
            for region in (target.primary, target.standby)
        )
        here, there = target.primary.name, target.standby.name
        throttle = TableThrottle(
            here,
            _arn(target, here),
            params.capacity,
            timing.effect_s,
            timing.poll_s,
            (_arn(target, there),),
        )
        lower = Step("lower-capacity", throttle)
        return (lower,) if params.let_autoscaling_work else (*suspend, lower)

    def probes(self, target: Target, params: ThrottlingParams) -> tuple[ProbeSpec, ...]:
        """Clients, the load, the table itself, and replication, beside what AWS reports of it."""
        timing, table = target.timing, target.table.name
        primary, standby = target.primary.name, target.standby.name
        return (
            ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
            ProbeSpec(WRITER, "writer", 1 / params.per_s(target), timing.probe_timeout_s),
            ProbeSpec(
                DIRECT,
                "table",
                timing.write_interval_s * 2,
                timing.api_timeout_s,
                {"table": table, "region": primary, "write": True},
            ),
            ProbeSpec(
                REPLICATION,
                "replication",
                timing.write_interval_s * 4,
                timing.api_timeout_s,
                {
                    "table": table,
                    "source": primary,
                    "destination": standby,
                    "poll_s": timing.write_interval_s / 2,
                    "insist": True,
                },
            ),
            ProbeSpec(
                REPORTED,
                "metric",
                timing.api_interval_s,
                timing.api_timeout_s,
                {
                    "namespace": "AWS/DynamoDB",
                    "metric": "ReplicationLatency",
                    "dimensions": {"TableName": table, "ReceivingRegion": standby},
                    "region": primary,
                },
            ),
            *_alerting(target),
        )

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client was served, every order taken at the first try, by the primary; no alarm is on."""
        if not alerting.calm(history, ALARM, since_ns):
            return False
        well = _at_first_try(target.primary.name)
        return all(every_one(history, name, since_ns, window_s, well) for name in (CLIENTS, WRITER))

    def took_effect(self, target: Target, params: ThrottlingParams, history: History) -> bool:
        """Look for a write to the table itself that was throttled."""
        return _onset_ns(history) is not None

    def ended(self, target: Target, params: ThrottlingParams, history: History) -> bool:
        """Look for the settle window of throttling, and its alert; or for auto scaling to have ended it."""
        onset_ns, settle_ns = _onset_ns(history), round(target.timing.settle_s * 1e9)
        newest = history.last_due_ns(WRITER)
        if onset_ns is None or newest - settle_ns <= onset_ns:
            return False
        if not params.let_autoscaling_work:
            return not _alerting(target) or alerting.told(history, ALERTS, onset_ns)
        well = _at_first_try(target.primary.name)
        return every_one(history, WRITER, newest - settle_ns, target.timing.settle_s, well)

    def measures(self, target: Target, params: ThrottlingParams) -> tuple[MeasureSpec, ...]:
        """Throttling, its alert, lag, whether clients were served and no order was lost."""
        sides: dict[str, str] = {"primary": target.primary.name, "standby": target.standby.name}
        alert = (MeasureSpec("time_to_alert", ALERTS, {"alarm_probe": ALARM}),) if _alerting(target) else ()
        scaled = (MeasureSpec("recovery_time", WRITER),) if params.let_autoscaling_work else ()
        return (
            *scaled,
            MeasureSpec("throttling", WRITER, {"table": DIRECT}),
            *alert,
            MeasureSpec("client_outage", CLIENTS),
            MeasureSpec("replication_lag", REPLICATION),
            MeasureSpec("reported_lag", REPORTED),
            MeasureSpec("ledger", WRITER, sides),
        )

    def objectives(self, target: Target, params: ThrottlingParams) -> tuple[Objective, ...]:
        """Recovery once there is capacity, or by auto scaling; the share that failed; lost orders."""
        wanted = target.objectives_for(self.name)
        # What auto scaling ends at once may well alert nobody.
        judged = _alerting(target) and not params.let_autoscaling_work
        alert_s = wanted.alert_s if judged else None
        recovery = "recovery_time" if params.let_autoscaling_work else "time_to_clear"
        return stated(
            ("rto", recovery, wanted.rto_s, "s", ""),
            ("alert", "time_to_alert", alert_s, "s", ""),
            ("failed_share", "failed_share", wanted.failed_share, "share", ""),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", "dynamodb/cutover"),
        )

    def ledger_stores(self, target: Target, params: ThrottlingParams) -> tuple[str, ...]:
        """Return the store that was throttled."""
        return ("dynamodb",)

    def costs(self, target: Target, params: ThrottlingParams) -> tuple[CostItem, ...]:
        """Return what its orders are billed where the table is paid by the request, in both regions."""
        timing = target.timing
        longest_s = timing.warm_up_s + timing.deadline_s + timing.failback_s
        # The table and its index, when an order is stored and when it is settled.
        writes = 4 * 2 * params.per_s(target) * longest_s
        reads = longest_s / timing.api_interval_s
        return (
            CostItem("orders in an on-demand table", "table_write_million", 0, writes / 1e6),
            CostItem("reading ReplicationLatency", "metric_request_thousand", 0, reads / 1000),
        )

    def notes(self, target: Target, params: ThrottlingParams) -> tuple[str, ...]:
        """Say what is shared, what comes first, and what is not shown."""
        told = () if _alerting(target) else (_NOBODY_TOLD,)
        return (_SHARED, _BURST, _AT_WORK if params.let_autoscaling_work else _SUSPENDED, *told)


def _arn(target: Target, region: str) -> str:
    return f"arn:aws:dynamodb:{region}:{target.account}:table/{target.table.name}"


def _alerting(target: Target) -> tuple[ProbeSpec, ...]:
    """Return the probes of the alarm on throttles and of its alert; none where either is not known."""
    return alerting.probes(target.timing, target.primary, "throttles", (ALARM, ALERTS))


def _onset_ns(history: History) -> int | None:
    """Return when the first throttled write to the table itself was answered, after the injection."""
    injected = history.marks.injected
    if injected is None:
        return None
    found = (
        seen.done_ns
        for seen in history.sent_since(DIRECT, injected.earliest_ns, Goodness.BAD)
        if seen.done_ns is not None and seen.detail.get("error") in REFUSED_FOR_CAPACITY
    )
    return min(found, default=None)


def _at_first_try(region: str) -> Holds:
    """Return what holds for an attempt that a region served and that was not throttled once."""
    served = served_by(region)
    return lambda one: served(one) and not one.detail.get("throttled")
