"""Region outage: the primary region is gone, or is declared gone; the standby must serve.

By default the primary's Route 53 health check is inverted and disabled, which Route 53 takes
for constantly unhealthy. That moves DNS and nothing else: the primary goes on serving those
who still have its address, so it shows routing and not data loss.

``--blackout`` makes the region really dark to its clients and to its own stores and leaves the
health check alone, so that detection is part of what is measured.
"""

import math

from pydantic import Field

from drill import alerting, predicates
from drill.faults.health_check_inversion import HealthCheckInversion
from drill.faults.network_blackout import NetworkBlackout
from drill.faults.own_network_acl import OwnNetworkAcl
from drill.faults.replication_pause import ReplicationPause
from drill.model import (
    Goodness,
    GuardSpec,
    History,
    Json,
    MeasureSpec,
    Objective,
    Observation,
    ProbeSpec,
)
from drill.predicates import accepted, served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Target

CLIENTS = "clients"
WRITER = "writer"
DIRECT = "primary-direct"
CHECK = "primary-check"
ZONE = "zone"
RESOLVER = "resolver"
REPLICATION = "replication"
STANDBY_TABLE = "standby-table"
STORE = "aurora"

_INVERTED = (
    "The health check was inverted: DNS moves, the primary goes on serving those who still have its "
    "address. Detection was not exercised, and no write was at risk."
)
_DARK_ONLY = (
    "The region's network was cut. Replication of the table out of it goes over AWS's own network and "
    "was not paused, since no role for AWS FIS is in the target file: writes that a real outage would "
    "leave behind may have reached the standby."
)
_DARK_AND_PAUSED = (
    "The region's edge and application subnets were cut off by network ACLs and replication of the "
    "table was paused through AWS FIS; the health check was not touched. AWS may go on replicating for "
    "a while after a pause begins: then fewer writes were at risk than in a real outage."
)
_NOTHING_DARK = (
    "Time to alert was not measured: an inverted health check cuts nobody off, and sets off no alarm on the "
    "way between the regions."
)


class RegionOutageParams(Params):
    """What can be chosen.

    Attributes:
        blackout: Cut the region off instead of inverting its health check.
        lag_s: How long replication has been behind when the region goes dark: what is acknowledged
            in this time is at risk. Five writes of the ledger if left away.
        crowd: How many clients ask at the same instant; each needs an instance of its own.

    """

    blackout: bool = Field(
        default=False,
        description="Make the region really dark (network, replication); leave the health check alone.",
    )
    lag_s: float | None = Field(
        default=None,
        ge=0,
        description="With --blackout: seconds of writes to put at risk (replication pauses so long before).",
    )
    crowd: int = Field(
        default=1, ge=1, le=100, description="Clients that ask at the same instant, for cold starts."
    )


_WRITES_AT_RISK = 5


class RegionOutage(Scenario[RegionOutageParams]):
    """The primary region fails; DNS must move every client to the standby."""

    name = "region-outage"
    title = "The primary region fails"
    hypothesis = (
        "Route 53 moves clients to the standby region, which accepts orders, into the relational database "
        "too where that is still there; no acknowledged write is lost for good."
    )
    covers = (
        "DR04: the standby logs in to the database with the replicated secret",
        "DR05: health checks that make failover happen",
        "DR06: cold start of the standby",
        "DR10: the application really serves in both regions",
        "DR14: a whole region fails",
    )
    parameters = RegionOutageParams

    def guards(self, target: Target, params: RegionOutageParams) -> tuple[GuardSpec, ...]:
        """Both regions must be healthy first: inverting an unhealthy check draws traffic into it.

        A blackout inverts nothing. Of a system that is there to be broken it may show what becomes of
        one that does not fail over.
        """
        needless = params.blackout and target.disposable
        checks = tuple(
            GuardSpec("check-is-healthy", {"health_check_id": region.health_check_id})
            for region in (() if needless else (target.primary, target.standby))
        )
        if params.blackout and target.table.pause_role_arn:
            return (*checks, GuardSpec("table-is-global"))
        return checks

    def steps(self, target: Target, params: RegionOutageParams) -> tuple[Step, ...]:
        """One inversion; or own ACLs for the subnets, replication paused where it can be, the network cut."""
        primary, timing = target.primary, target.timing
        if not params.blackout:
            inversion = HealthCheckInversion(primary.health_check_id, poll_s=timing.poll_s)
            return (Step("invert-health-check", inversion),)
        subnets = tuple(dict.fromkeys((*primary.edge_subnet_ids, *primary.app_subnet_ids)))
        where, waits = (primary.name, primary.vpc_id, subnets), (timing.effect_s, timing.poll_s)
        own = Step("own-network-acl", OwnNetworkAcl(*where, *waits))
        dark = Step("cut-network", NetworkBlackout(*where, *waits))
        if not target.table.pause_role_arn:
            return (own, dark)
        arn = f"arn:aws:dynamodb:{primary.name}:{target.account}:table/{target.table.name}"
        pause = ReplicationPause(
            region=primary.name,
            table_arn=arn,
            role_arn=target.table.pause_role_arn,
            duration_s=math.ceil(timing.deadline_s + timing.effect_s),
            wait_s=timing.effect_s,
            poll_s=timing.poll_s,
        )
        lag_s = params.lag_s if params.lag_s is not None else _WRITES_AT_RISK * timing.write_interval_s
        # The ACLs first, which changes nothing yet: then nothing comes between the pause and the cut.
        return (own, Step("pause-replication", pause, then_wait_s=lag_s), dark)

    def probes(self, target: Target, params: RegionOutageParams) -> tuple[ProbeSpec, ...]:
        """Clients, orders, the primary itself, what DNS says, the check, and replication; then the crowd."""
        timing, service = target.timing, target.service
        record = target.dns.record_name
        regional = {region.name: region.load_balancer for region in (target.primary, target.standby)}
        names: dict[str, Json] = {"name": record, "regional": regional}
        probes = [
            ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
            ProbeSpec(WRITER, "writer", timing.write_interval_s, timing.probe_timeout_s),
            ProbeSpec(
                DIRECT,
                "http",
                timing.probe_interval_s * 4,
                timing.probe_timeout_s,
                {"by_way_of": target.primary.load_balancer},
            ),
            ProbeSpec(ZONE, "dns", timing.probe_interval_s, timing.probe_timeout_s, names),
            ProbeSpec(
                CHECK,
                "health_check",
                timing.api_interval_s,
                timing.api_timeout_s,
                {"health_check_id": target.primary.health_check_id},
            ),
            ProbeSpec(
                REPLICATION,
                "replication",
                timing.write_interval_s * 4,
                timing.probe_timeout_s,
                {
                    "table": target.table.name,
                    "source": target.primary.name,
                    "destination": target.standby.name,
                    "poll_s": timing.write_interval_s / 2,
                },
            ),
            ProbeSpec(
                STANDBY_TABLE,
                "table",
                timing.api_interval_s,
                timing.api_timeout_s,
                {"table": target.table.name, "region": target.standby.name},
            ),
        ]
        if service.resolver:
            options = {**names, "server": service.resolver}
            probes.append(
                ProbeSpec(RESOLVER, "dns", timing.probe_interval_s, timing.probe_timeout_s, options)
            )
        crowd = [
            ProbeSpec(name, "http", timing.probe_interval_s * 4, timing.probe_timeout_s)
            for name in _crowd(params)
        ]
        return (*probes, *crowd, *(alerting.of_a_dark_region(target) if params.blackout else ()))

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and writer was served, by the primary; an alert that is wanted is not out already."""
        wanted_s = alerting.wanted_s(target, self.name)
        if wanted_s is not None and not alerting.calm(history, alerting.ALARM, since_ns):
            return False
        return all(
            predicates.every_one(history, name, since_ns, window_s, served_by(target.primary.name))
            for name in (CLIENTS, WRITER)
        )

    def took_effect(self, target: Target, params: RegionOutageParams, history: History) -> bool:
        """Look for the inversion on the check, unhealthy; or for the primary's own address gone silent."""
        injected = history.marks.injected
        if injected is None:
            return False
        if params.blackout:
            return any(
                seen.detail.get("error") == "timeout"
                for seen in history.sent_since(DIRECT, injected.latest_ns, Goodness.BAD)
            )
        return any(
            seen.detail.get("inverted") and seen.detail.get("disabled")
            for seen in history.sent_since(CHECK, injected.latest_ns, Goodness.BAD)
        )

    def ended(self, target: Target, params: RegionOutageParams, history: History) -> bool:
        """Look for the standby alone serving clients and writers for the settle window.

        Where the database is still there it must have their orders, too; where an objective asks for an
        alert, that must have come.
        """
        injected, served = history.marks.injected, served_by(target.standby.name)
        since_ns = history.last_due_ns(CLIENTS) - round(target.timing.settle_s * 1e9)
        if injected is None or since_ns <= injected.latest_ns:
            return False
        wanted_s = alerting.wanted_s(target, self.name) if params.blackout else None
        if wanted_s is not None and not alerting.came(history):
            return False
        stays = _database_stays(target, params)

        def written(one: Observation) -> bool:
            return served(one) and (not stays or accepted(one, STORE) == "written")

        return all(
            predicates.every_one(history, name, since_ns, target.timing.settle_s, holds)
            for name, holds in ((CLIENTS, served), (WRITER, written))
        )

    def measures(self, target: Target, params: RegionOutageParams) -> tuple[MeasureSpec, ...]:
        """Phases, recovery time and point, outage, lag, cold starts, failback, alert of a dark region."""
        standby, primary = target.standby.name, target.primary.name
        stays = _database_stays(target, params)
        database = (MeasureSpec("store_outage", WRITER, {"store": STORE}),) if stays else ()
        sides: dict[str, str] = {"primary": primary, "standby": standby}
        return (
            MeasureSpec("recovery_time", CLIENTS, {"served_by": standby}),
            MeasureSpec(
                "phases",
                CLIENTS,
                {
                    **sides,
                    "check": CHECK,
                    "zone": ZONE,
                    "resolver": RESOLVER if target.service.resolver else None,
                    "detection_exercised": params.blackout,
                },
            ),
            MeasureSpec("client_outage", CLIENTS),
            MeasureSpec("ledger", WRITER, sides),
            *database,
            MeasureSpec("replication_lag", REPLICATION),
            MeasureSpec("cold_start", CLIENTS, {"served_by": standby, "also": [WRITER, *_crowd(params)]}),
            MeasureSpec("failback", CLIENTS, {"served_by": primary}),
            *(alerting.measures(target) if params.blackout else ()),
        )

    def objectives(self, target: Target, params: RegionOutageParams) -> tuple[Objective, ...]:
        """Recovery time, also of orders' way into the database, and what the standby's table had lost."""
        wanted = target.objectives_for(self.name)
        database_s = wanted.rto_s if _database_stays(target, params) else None
        alert_s = alerting.wanted_s(target, self.name) if params.blackout else None
        return stated(
            ("rto", "recovery_time", wanted.rto_s, "s", ""),
            ("rto_database", "store_recovery", database_s, "s", ""),
            ("rpo", "recovery_point", wanted.rpo_s, "s", "dynamodb/cutover"),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", "dynamodb/cutover"),
            ("cold_starts", "cold_starts", wanted.cold_starts, "1", ""),
            ("alert", "time_to_alert", alert_s, "s", ""),
        )

    def ledger_stores(self, target: Target, params: RegionOutageParams) -> tuple[str, ...]:
        """Return both stores that an order is written to."""
        return ("dynamodb", STORE)

    def notes(self, target: Target, params: RegionOutageParams) -> tuple[str, ...]:
        """Say what the method does not exercise."""
        if not params.blackout:
            return (_INVERTED, _NOTHING_DARK)
        untold = () if alerting.of_a_dark_region(target) else (alerting.NOBODY_TOLD,)
        return (_DARK_AND_PAUSED if target.table.pause_role_arn else _DARK_ONLY, *untold)


def _crowd(params: RegionOutageParams) -> list[str]:
    """Return the probes that ask when the clients do, besides them."""
    return [f"{CLIENTS}-{number}" for number in range(2, params.crowd + 1)]


def _database_stays(target: Target, params: RegionOutageParams) -> bool:
    """Say whether the database that the standby writes to is still there, so that it must have all orders.

    A blackout takes it away; the standby's own cluster of a global database takes no writes.
    """
    there = target.primary.cluster_id is not None and target.database.replication == "backup"
    return there and not params.blackout
