"""Replication pause: the table's replicas exchange nothing for a while, and then catch up.

AWS FIS's own action pauses the replication, and ends by itself. Clients notice nothing; what is at
stake is how far the standby falls behind, whether anybody is told, and how soon it has caught up.
"""

from pydantic import Field

from drill import predicates
from drill.errors import UsageError
from drill.faults.replication_pause import ReplicationPause as Pause
from drill.model import Goodness, GuardSpec, History, Json, MeasureSpec, Objective, ProbeSpec
from drill.predicates import served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Region, Target

CLIENTS = "clients"
WRITER = "writer"
REPLICATION = "replication"
FORWARD = "late-markers"
BACK = "late-markers-back"
PAGER = "pager"
ALARM = "replication-lag-alarm"
# A marker that took this many of a client's time-outs is held back.
_PATIENCE = 2

_HOW = (
    "Replication of the table was paused in both directions by AWS FIS. AWS may go on replicating for a "
    "while after a pause begins; the pause counts from the first marker that was held back."
)
_NO_DATA = (
    "CloudWatch's ReplicationLatency has no data while nothing arrives, so that an alarm on it may only go "
    "off once replication goes on: no time to alert then means that nobody was told of the pause itself."
)


class ReplicationPauseParams(Params):
    """What can be chosen.

    Attributes:
        pause_s: How long replication stays paused once it is seen to be; the target's settling time,
            four times, if left away.

    """

    pause_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds for which replication stays paused once that is seen "
        "(default: four times the target's settling time).",
    )


class ReplicationPause(Scenario[ReplicationPauseParams]):
    """The table stops replicating; clients notice nothing, and the standby catches up afterwards."""

    name = "replication-pause"
    title = "The table's replication is paused"
    hypothesis = (
        "While the replicas exchange nothing, clients of the primary notice nothing; once replication goes "
        "on the standby catches up, and not one order is lost."
    )
    covers = ("DR07: replication lag is watched",)
    parameters = ReplicationPauseParams
    awaited = "a pause that was seen for long enough, with clients served all the while,"

    def guards(self, target: Target, params: ReplicationPauseParams) -> tuple[GuardSpec, ...]:
        """AWS FIS must be set up, and there must be replication to pause."""
        return (
            GuardSpec("replication-can-be-paused"),
            GuardSpec("table-is-global"),
            GuardSpec("alerts-are-readable", {"region": target.primary.name}),
        )

    def steps(self, target: Target, params: ReplicationPauseParams) -> tuple[Step, ...]:
        """One AWS FIS experiment on the primary's table.

        Raises:
            UsageError: The pause could not be seen to its end by the target's deadline.

        """
        primary, timing = target.primary, target.timing
        most_s = timing.deadline_s - _PATIENCE * timing.probe_timeout_s
        if _pause_s(target, params) >= most_s:
            msg = (
                f"a pause of {_pause_s(target, params):g} s does not end before the target's deadline_s; "
                f"take less than {most_s:g}: drill run replication-pause --pause-s SECONDS"
            )
            raise UsageError(msg)
        pause = Pause(
            region=primary.name,
            table_arn=f"arn:aws:dynamodb:{primary.name}:{target.account}:table/{target.table.name}",
            role_arn=target.table.pause_role_arn or "none",
            duration_s=round(timing.deadline_s + timing.effect_s),
            wait_s=timing.effect_s,
            poll_s=timing.poll_s,
        )
        return (Step("pause-replication", pause),)

    def probes(self, target: Target, params: ReplicationPauseParams) -> tuple[ProbeSpec, ...]:
        """Clients, orders, markers that are soon given up and patient ones, and the alerts."""
        timing, primary, standby = target.timing, target.primary, target.standby
        api, late_s = (timing.api_interval_s, timing.api_timeout_s), timing.deadline_s + timing.failback_s
        every_s, hasty_s = timing.write_interval_s * 4, _PATIENCE * timing.probe_timeout_s
        alarm = primary.alarms.get("replication-lag")
        alerts: dict[str, Json] = {
            "queue_url": primary.drill_queue_url or "none",
            "region": primary.name,
            "alarms": [alarm] if alarm else [],
        }
        looks = (
            ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
            ProbeSpec(WRITER, "writer", timing.write_interval_s, timing.probe_timeout_s),
            ProbeSpec(REPLICATION, "replication", every_s, hasty_s, _between(target, primary, standby)),
            ProbeSpec(FORWARD, "replication", 2 * every_s, late_s, _between(target, primary, standby)),
            ProbeSpec(BACK, "replication", 2 * every_s, late_s, _between(target, standby, primary)),
            ProbeSpec(PAGER, "queue", *api, alerts),
        )
        if not alarm:
            return looks
        return (*looks, ProbeSpec(ALARM, "alarm", *api, {"alarm": alarm, "region": primary.name}))

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and order was served by the primary, and markers came through."""
        primary = target.primary.name
        served = all(
            predicates.every_one(history, name, since_ns, window_s, served_by(primary))
            for name in (CLIENTS, WRITER)
        )
        came = served_by(target.standby.name)
        return served and predicates.every_one(history, REPLICATION, since_ns, window_s, came)

    def took_effect(self, target: Target, params: ReplicationPauseParams, history: History) -> bool:
        """Look for a marker that was held back."""
        return _held_since_ns(history) is not None

    def ended(self, target: Target, params: ReplicationPauseParams, history: History) -> bool:
        """Look for the pause having been seen for long enough, with clients and orders served at the end."""
        held_ns = _held_since_ns(history)
        settle_s = target.timing.settle_s
        newest_ns = min(history.last_due_ns(name) for name in (CLIENTS, WRITER))
        if held_ns is None or newest_ns - held_ns < round(_pause_s(target, params) * 1e9):
            return False
        since_ns, primary = newest_ns - round(settle_s * 1e9), target.primary.name
        return all(
            predicates.every_one(history, name, since_ns, settle_s, served_by(primary))
            for name in (CLIENTS, WRITER)
        )

    def measures(self, target: Target, params: ReplicationPauseParams) -> tuple[MeasureSpec, ...]:
        """Return the lag both ways, what was held back and how soon it came, divergence, and the alert."""
        sides: dict[str, Json] = {"primary": target.primary.name, "standby": target.standby.name}
        alarm = ALARM if target.primary.alarms.get("replication-lag") else None
        return (
            MeasureSpec("replication_lag", FORWARD),
            MeasureSpec("catch_up", FORWARD),
            MeasureSpec("catch_up", BACK),
            MeasureSpec("client_outage", CLIENTS),
            MeasureSpec("ledger", WRITER, sides),
            MeasureSpec("time_to_alert", PAGER, {"alarm_probe": alarm}),
        )

    def objectives(self, target: Target, params: ReplicationPauseParams) -> tuple[Objective, ...]:
        """Return how soon the standby has caught up, that nothing is lost then, and when somebody is told."""
        wanted = target.objectives_for(self.name)
        way = f"{target.primary.name} to {target.standby.name}"
        return stated(
            ("rto", "catch_up", wanted.rto_s, "s", way),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", "dynamodb/resumed"),
            ("alert", "time_to_alert", wanted.alert_s, "s", ""),
        )

    def ledger_stores(self, target: Target, params: ReplicationPauseParams) -> tuple[str, ...]:
        """Return the store whose replication is paused."""
        return ("dynamodb",)

    def notes(self, target: Target, params: ReplicationPauseParams) -> tuple[str, ...]:
        """Say what the method does not exercise."""
        return (_HOW, _NO_DATA)


def _pause_s(target: Target, params: ReplicationPauseParams) -> float:
    return params.pause_s if params.pause_s is not None else 4 * target.timing.settle_s


def _between(target: Target, source: Region, destination: Region) -> dict[str, Json]:
    return {
        "table": target.table.name,
        "source": source.name,
        "destination": destination.name,
        "poll_s": target.timing.write_interval_s,
    }


def _held_since_ns(history: History) -> int | None:
    """Return when the first marker was put that was held back; None if none was."""
    injected = history.marks.injected
    if injected is None:
        return None
    held = history.sent_since(REPLICATION, injected.latest_ns, Goodness.BAD)
    return min((seen.sent_ns for seen in held if seen.sent_ns is not None), default=None)
