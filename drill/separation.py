"""What is watched, wanted and measured while the two regions can't reach one another. Pure.

Scenarios that part the regions differ in how; what they look at is the same, and is here. What goes
from one VPC to the other is the standby's connection to the primary's database and nothing else:
DynamoDB's global table and Aurora's own replication take AWS's network.

The standby is looked at by way of its own load balancer, since DNS leads clients to the primary.
"""

from collections.abc import Iterator

from drill import alerting, predicates
from drill.model import (
    GuardSpec,
    History,
    Json,
    MeasureSpec,
    Objective,
    Observation,
    ProbeSpec,
)
from drill.predicates import accepted
from drill.scenario import stated
from drill.target import Target

CLIENTS = "clients"
WRITER = "writer"
STANDBY_WRITER = "standby-writer"
PAGER = "pager"
ALARM = "reachability-alarm"
STORE = "aurora"
STORES = ("dynamodb", STORE)
AWAITED = "the alert, with orders accepted all the while,"

_NO_ALARM = (
    "The target file names no alarm of reachability in the standby region, so that any alarm counted as "
    "the alert."
)


def guards(target: Target) -> tuple[GuardSpec, ...]:
    """Return that the peering must carry now, and that a drill must be able to see the alert."""
    return (
        GuardSpec("peering-is-active"),
        GuardSpec("alerts-are-readable", {"region": target.standby.name}),
    )


def probes(target: Target) -> tuple[ProbeSpec, ...]:
    """Return clients and orders of the service, orders by way of the standby, the alarm and the alerts."""
    timing, standby = target.timing, target.standby
    every_s, api = timing.write_interval_s * 4, (timing.api_interval_s, timing.api_timeout_s)
    alarm = standby.alarms.get("reachability")
    alerts: dict[str, Json] = {
        "queue_url": standby.drill_queue_url or "none",
        "region": standby.name,
        "alarms": [alarm] if alarm else [],
    }
    # The first order that finds the database gone waits for it before it is accepted without.
    patient_s, by_way = 2 * timing.probe_timeout_s, {"by_way_of": standby.load_balancer}
    looks = (
        ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
        ProbeSpec(WRITER, "writer", every_s, timing.probe_timeout_s, {"customer": "{run}-front"}),
        ProbeSpec(STANDBY_WRITER, "writer", every_s, patient_s, by_way),
        ProbeSpec(PAGER, "queue", *api, alerts),
    )
    if not alarm:
        return looks
    return (*looks, ProbeSpec(ALARM, "alarm", *api, {"alarm": alarm, "region": standby.name}))


def steady(target: Target, history: History, since_ns: int, window_s: float) -> bool:
    """Say whether every client and order was served, and orders of both regions went into the database."""
    primary, standby = target.primary.name, target.standby.name
    wanted = (
        (CLIENTS, predicates.served_by(primary)),
        (WRITER, _written_by(primary)),
        (STANDBY_WRITER, _written_by(standby)),
    )
    return all(predicates.every_one(history, probe, since_ns, window_s, holds) for probe, holds in wanted)


def took_effect(history: History) -> bool:
    """Say whether the standby could not write an order to the database while the primary could."""
    injected = history.marks.injected
    if injected is None or not list(_pending(history, injected.latest_ns)):
        return False
    return any(_is_written(seen) for seen in history.sent_since(WRITER, injected.latest_ns))


def ended(target: Target, history: History) -> bool:
    """Say whether the alert came, and the standby accepted every order of the settle window without."""
    injected = history.marks.injected
    if injected is None or not alerting.told(history, PAGER, injected.latest_ns):
        return False
    settle_s = target.timing.settle_s
    since_ns = history.last_due_ns(STANDBY_WRITER) - round(settle_s * 1e9)
    cut_ns = min(_pending(history, injected.latest_ns), default=None)
    served = predicates.served_by(target.standby.name)
    long_enough = cut_ns is not None and since_ns >= cut_ns
    return long_enough and predicates.every_one(history, STANDBY_WRITER, since_ns, settle_s, served)


def measures(target: Target) -> tuple[MeasureSpec, ...]:
    """Return time to alert, what the standby still did, how soon it was whole again, and the ledger."""
    primary, standby = target.primary.name, target.standby.name
    alarm = ALARM if target.standby.alarms.get("reachability") else None
    # The standby is the side that is cut off here, and the primary holds what it should have.
    sides: dict[str, Json] = {"primary": standby, "standby": primary, "read_in": primary}
    return (
        MeasureSpec("time_to_alert", PAGER, {"alarm_probe": alarm}),
        MeasureSpec("recovery_time", STANDBY_WRITER, {"served_by": standby}),
        MeasureSpec("fallback", STANDBY_WRITER, {"store": STORE}),
        MeasureSpec("client_outage", CLIENTS),
        MeasureSpec("failback", STANDBY_WRITER, {"served_by": standby, "store": STORE}),
        MeasureSpec("ledger", STANDBY_WRITER, sides),
    )


def objectives(target: Target, scenario: str) -> tuple[Objective, ...]:
    """Return when somebody is told, how soon and how well the standby does without, and that none is lost."""
    wanted = target.objectives_for(scenario)
    return stated(
        ("alert", "time_to_alert", wanted.alert_s, "s", ""),
        ("rto", "recovery_time", wanted.rto_s, "s", ""),
        ("failed_share", "failed_share", wanted.failed_share, "share", ""),
        ("rpo_writes", "unreconciled_writes", wanted.rpo_writes, "writes", ""),
    )


def notes(target: Target) -> tuple[str, ...]:
    """Return what of this the target does not offer."""
    return () if target.standby.alarms.get("reachability") else (_NO_ALARM,)


def _is_written(seen: Observation) -> bool:
    return accepted(seen, STORE) == "written"


def _written_by(region: str) -> predicates.Holds:
    return lambda one: _is_written(one) and one.answered_by == region


def _pending(history: History, since_ns: int) -> Iterator[int]:
    """Yield when each order was sent that the standby accepted without the database."""
    for seen in history.sent_since(STANDBY_WRITER, since_ns):
        if accepted(seen, STORE) == "pending" and seen.sent_ns is not None:
            yield seen.sent_ns
