"""Full DR: the whole book on one time line, from a dark region to the way back.

The primary region goes dark to its clients and its stores. Route 53 must move clients to the standby by
itself; the relational database does not come by itself: its newest recovery point is restored in the
standby, the standby's application is pointed at it, what the table has and the recovery point has not is
filled in, and orders are served from it. Then all is put back, and the primary must serve again with every
order in its database.
"""

import math
from collections.abc import Mapping

from pydantic import Field

from drill import alerting
from drill.faults import database_recovery as recovery
from drill.faults.network_blackout import NetworkBlackout
from drill.faults.own_network_acl import OwnNetworkAcl
from drill.faults.replication_pause import ReplicationPause
from drill.model import Goodness, GuardSpec, History, Json, MeasureSpec, Objective, Observation, ProbeSpec
from drill.predicates import every_one, newest_held, served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Target

CLIENTS = "clients"
WRITER = "writer"
DIRECT = "primary-direct"
CHECK = "primary-check"
ZONE = "zone"
RESOLVER = "resolver"
REPLICATION = "replication"
CLUSTER = "restored-cluster"
INSTANCE = "restored-instance"
DATABASE = "restored-database"

_WRITES_AT_RISK = 5
_NOT_PAUSED = (
    "Replication of the table goes over AWS's own network and was not paused, since no role for AWS FIS is "
    "in the target file: writes that a real outage would leave behind may have reached the standby."
)
_NOT_LOST = (
    "AWS's API in the primary region went on answering: the recovery used it only to learn how old the "
    "restored recovery point is."
)
_REACH = (
    "The restored database was asked from where the drill ran, by the application's own login: that place "
    "must reach the standby's database subnets."
)


class FullDrParams(Params):
    """What can be chosen.

    Attributes:
        lag_s: How long replication has been behind when the region goes dark; five writes if left away.
        instance_class: Of the restored writer.
        min_acu: The least capacity of a serverless writer.
        max_acu: The most.

    """

    lag_s: float | None = Field(
        default=None,
        ge=0,
        description="Seconds of writes to put at risk (replication pauses so long before).",
    )
    instance_class: str = Field(
        default="db.serverless", pattern=r"^db\.[a-z0-9.]+$", description="Class of the restored writer."
    )
    min_acu: float = Field(
        default=0.5, ge=0, le=256, multiple_of=0.5, description="Least capacity of a serverless writer, ACUs."
    )
    max_acu: float = Field(
        default=4, ge=1, le=256, multiple_of=0.5, description="Most capacity of a serverless writer, ACUs."
    )


class FullDr(Scenario[FullDrParams]):
    """The primary region is lost, database and all; the standby must serve orders whole."""

    name = "full-dr"
    title = "The primary region is lost: traffic, database and the way back"
    hypothesis = (
        "Clients are moved to the standby, the database is restored there and serves orders within the "
        "recovery time; after the way back no acknowledged order is lost for good."
    )
    covers = (
        "DR03: a recovery point is in the other region, under a key of that region",
        "DR04: the login of now works in a database of before",
        "DR05: health checks that make failover happen",
        "DR10: the application really serves in both regions",
        "DR14: a whole region fails",
    )
    parameters = FullDrParams
    awaited = "orders served by the standby from the restored database"

    def guards(self, target: Target, params: FullDrParams) -> tuple[GuardSpec, ...]:
        """Both regions must be healthy first, and a recovery point must be where it is needed."""
        where: dict[str, Json] = {
            "region": target.standby.name,
            "cluster_id": recovery.needed(target).cluster_id,
        }
        checks = tuple(
            GuardSpec("check-is-healthy", {"health_check_id": region.health_check_id})
            for region in (target.primary, target.standby)
        )
        global_table = (GuardSpec("table-is-global"),) if target.table.pause_role_arn else ()
        return (*checks, *global_table, GuardSpec("recovery-point-is-there", where))

    def steps(self, target: Target, params: FullDrParams) -> tuple[Step, ...]:
        """Pause replication where it can be, then cut the primary's network."""
        primary, timing = target.primary, target.timing
        subnets = tuple(dict.fromkeys((*primary.edge_subnet_ids, *primary.app_subnet_ids)))
        where, waits = (primary.name, primary.vpc_id, subnets), (timing.effect_s, timing.poll_s)
        # Undone in the other order: orders are returned to the usual database once all else is back.
        ready = (
            recovery.returning(target),
            Step("own-network-acl", OwnNetworkAcl(*where, *waits), prepares=True),
        )
        dark = Step("cut-network", NetworkBlackout(*where, *waits))
        if not target.table.pause_role_arn:
            return (*ready, dark)
        pause = ReplicationPause(
            region=primary.name,
            table_arn=f"arn:aws:dynamodb:{primary.name}:{target.account}:table/{target.table.name}",
            role_arn=target.table.pause_role_arn,
            duration_s=math.ceil(timing.deadline_s + timing.restore_s + timing.effect_s),
            wait_s=timing.effect_s,
            poll_s=timing.poll_s,
        )
        lag_s = params.lag_s if params.lag_s is not None else _WRITES_AT_RISK * timing.write_interval_s
        return (*ready, Step("pause-replication", pause, then_wait_s=lag_s), dark)

    def recovery(self, target: Target, params: FullDrParams) -> tuple[Step, ...]:
        """Restore the database, point the standby at it, and fill in what only the table has."""
        capacity = recovery.Capacity(params.instance_class, params.min_acu, params.max_acu)
        return (
            *recovery.steps(target, capacity),
            recovery.switch(target),
            recovery.refill(target),
        )

    def probes(self, target: Target, params: FullDrParams) -> tuple[ProbeSpec, ...]:
        """Return what an outage of the region is watched with, and what a restore is."""
        timing, primary = target.timing, target.primary
        regional = {region.name: region.load_balancer for region in (primary, target.standby)}
        names: dict[str, Json] = {"name": target.dns.record_name, "regional": regional}
        quick, patient = timing.probe_interval_s, timing.probe_timeout_s
        probes = [
            ProbeSpec(CLIENTS, "http", quick, patient),
            ProbeSpec(WRITER, "writer", timing.write_interval_s, patient),
            ProbeSpec(DIRECT, "http", quick * 4, patient, {"by_way_of": primary.load_balancer}),
            ProbeSpec(ZONE, "dns", quick, patient, names),
            ProbeSpec(
                CHECK,
                "health_check",
                timing.api_interval_s,
                timing.api_timeout_s,
                {"health_check_id": primary.health_check_id},
            ),
            ProbeSpec(
                REPLICATION,
                "replication",
                timing.write_interval_s * 4,
                patient,
                {
                    "table": target.table.name,
                    "source": primary.name,
                    "destination": target.standby.name,
                    "poll_s": timing.write_interval_s / 2,
                },
            ),
            *_restored(target),
            *alerting.of_a_dark_region(target),
        ]
        if target.service.resolver:
            probes.append(
                ProbeSpec(RESOLVER, "dns", quick, patient, {**names, "server": target.service.resolver})
            )
        return tuple(probes)

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and writer was served, by the primary; an alert that is wanted is not out already."""
        if alerting.wanted_s(target, self.name) is not None and not alerting.calm(
            history, alerting.ALARM, since_ns
        ):
            return False
        return all(
            every_one(history, name, since_ns, window_s, served_by(target.primary.name))
            for name in (CLIENTS, WRITER)
        )

    def took_effect(self, target: Target, params: FullDrParams, history: History) -> bool:
        """Look for the primary's own address gone silent."""
        injected = history.marks.injected
        return injected is not None and any(
            seen.detail.get("error") == "timeout"
            for seen in history.sent_since(DIRECT, injected.latest_ns, Goodness.BAD)
        )

    def ended(self, target: Target, params: FullDrParams, history: History) -> bool:
        """Look for the standby alone serving clients, and taking orders into its database.

        Where an objective asks for an alert, that must have come.
        """
        settle_s, standby = target.timing.settle_s, target.standby.name
        switched = next((one for one in history.marks.steps if one.step == recovery.SWITCH), None)
        if switched is None:
            return False
        after_ns = switched.called.latest_ns
        if alerting.wanted_s(target, self.name) is not None and not alerting.came(history):
            return False

        def served(one: Observation) -> bool:
            return one.goodness is Goodness.GOOD and one.answered_by == standby

        def written(one: Observation) -> bool:
            stores = one.detail.get("stores")
            return served(one) and isinstance(stores, Mapping) and stores.get(recovery.AURORA) == "written"

        return newest_held(history, CLIENTS, settle_s, after_ns, served) and newest_held(
            history, WRITER, settle_s, after_ns, written
        )

    def measures(self, target: Target, params: FullDrParams) -> tuple[MeasureSpec, ...]:
        """Return the failover's phases and the restore's, both ledgers, the lag, and the way back."""
        standby, primary = target.standby.name, target.primary.name
        sides: dict[str, str] = {"primary": primary, "standby": standby}
        told: dict[str, Json] = {
            "writer": WRITER,
            "restore": recovery.RESTORE,
            "instance": recovery.MAKE,
            "login": recovery.RESET,
            "switch": recovery.SWITCH,
            "orders": WRITER,
            "region": standby,
            "store": recovery.AURORA,
            "headline": False,
        }
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
                },
            ),
            MeasureSpec("restore_phases", DATABASE, told),
            MeasureSpec("client_outage", CLIENTS),
            MeasureSpec("ledger", WRITER, {**sides, "database": DATABASE}),
            MeasureSpec("replication_lag", REPLICATION),
            MeasureSpec("cold_start", CLIENTS, {"served_by": standby}),
            MeasureSpec("failback", CLIENTS, {"served_by": primary}),
            *alerting.measures(target),
        )

    def objectives(self, target: Target, params: FullDrParams) -> tuple[Objective, ...]:
        """Recovery time to the first served order; what the table and the database had lost at cutover."""
        wanted = target.objectives_for(self.name)
        return stated(
            ("rto", "recovery_time", wanted.rto_s, "s", "order"),
            ("rpo", "recovery_point", wanted.rpo_s, "s", "dynamodb/cutover"),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", "dynamodb/cutover"),
            ("alert", "time_to_alert", alerting.wanted_s(target, self.name), "s", ""),
        )

    def ledger_stores(self, target: Target, params: FullDrParams) -> tuple[str, ...]:
        """Return both stores that an order is written to."""
        return ("dynamodb", recovery.AURORA)

    def notes(self, target: Target, params: FullDrParams) -> tuple[str, ...]:
        """Say what was not exercised, and from where it was looked."""
        paused = () if target.table.pause_role_arn else (_NOT_PAUSED,)
        untold = () if alerting.of_a_dark_region(target) else (alerting.NOBODY_TOLD,)
        return (*paused, _NOT_LOST, _REACH, *untold)


def _restored(target: Target) -> tuple[ProbeSpec, ...]:
    """Return the probes of what the drill restores."""
    timing, standby, needed = target.timing, target.standby.name, recovery.needed(target)
    every = (timing.api_interval_s, timing.api_timeout_s)
    asked: dict[str, Json] = {
        "region": standby,
        "cluster_id": "{run}",
        "secret_arn": needed.secret_arn,
        "key_arn": needed.key_arn,
    }
    return (
        ProbeSpec(CLUSTER, "resource", *every, {"what": "db-cluster", "region": standby, "id": "{run}"}),
        ProbeSpec(INSTANCE, "resource", *every, {"what": "db-instance", "region": standby, "id": "{run}-1"}),
        ProbeSpec(DATABASE, "postgres", *every, asked),
    )
