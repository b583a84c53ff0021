"""Aurora snapshot restore: the database's region is declared lost, and its newest recovery point is restored.

Nothing is broken. Beside the running system the newest usable recovery point in the standby region is
restored as a cluster of the drill's own, up to a correct answer to the application's own login; with
``--cut-over`` the standby's application is pointed at it and serves orders from it. All of it goes again.
"""

from collections.abc import Mapping

from pydantic import Field

from drill.faults import database_recovery as recovery
from drill.faults.snapshot_taken import SnapshotTaken
from drill.model import Goodness, GuardSpec, History, Json, MeasureSpec, Objective, Observation, ProbeSpec
from drill.predicates import every_one, newest_held, served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Target

CLIENTS = "clients"
WRITER = "writer"
STANDBY_ORDERS = "standby-orders"
CLUSTER = "restored-cluster"
INSTANCE = "restored-instance"
DATABASE = "restored-database"

_WRITES_AT_RISK = 5
TAKE, COPY_FRESH = "take-snapshot", "copy-fresh-snapshot"
_CUSTOMER = "{run}-standby"

_BESIDE = (
    "Nothing was broken: the primary went on serving, and the disaster was declared at the instant from "
    "which all is counted. What was ordered after the recovery point is lost in the restored database only."
)
_REACH = (
    "The restored database was asked from where the drill ran, by the application's own login: that place "
    "must reach the standby's database subnets."
)


class AuroraSnapshotRestoreParams(Params):
    """What can be chosen.

    Attributes:
        fresh: Take a snapshot and copy it first, and time that; the disaster is declared after it.
        copy_newest: Copy the primary's newest snapshot as the first step of the recovery.
        cut_over: Point the standby's application at the restored database, and serve orders from it.
        instance_class: Of the restored writer.
        min_acu: The least capacity of a serverless writer.
        max_acu: The most.

    """

    fresh: bool = Field(default=False, description="Take and copy a snapshot first, and time that.")
    copy_newest: bool = Field(
        default=False,
        description="Copy the primary's newest snapshot as the first step: for where no copies are made.",
    )
    cut_over: bool = Field(
        default=False, description="Point the standby's application at the restored database as well."
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


class AuroraSnapshotRestore(Scenario[AuroraSnapshotRestoreParams]):
    """The relational database's region is lost; its newest recovery point must become a database."""

    name = "aurora-snapshot-restore"
    title = "The database is restored from its newest recovery point"
    hypothesis = (
        "The newest recovery point in the standby region becomes a cluster that answers the application's "
        "login within the recovery time, and is no older than the recovery point allows."
    )
    covers = (
        "DR03: a recovery point is in the other region, under a key of that region",
        "DR04: the login of now works in a database of before",
    )
    parameters = AuroraSnapshotRestoreParams
    awaited = "the restored database's correct answer"

    def guards(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[GuardSpec, ...]:
        """Ask for a recovery point that can be restored, unless one is made first."""
        cluster_id = recovery.needed(target).cluster_id
        where: dict[str, Json] = {"region": target.standby.name, "cluster_id": cluster_id}
        if params.fresh:
            return ()
        if params.copy_newest:
            where = {"region": target.primary.name, "cluster_id": cluster_id, "copyable": True}
        return (GuardSpec("recovery-point-is-there", where),)

    def steps(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[Step, ...]:
        """Break nothing; take and copy a snapshot before, where that is asked for."""
        steps: list[Step] = [recovery.returning(target)] if params.cut_over else []
        if params.fresh:
            primary = target.primary
            cluster_id = recovery.needed(target).cluster_id
            arn = f"arn:aws:rds:{primary.name}:{target.account}:cluster:{cluster_id}"
            taken = SnapshotTaken(primary.name, arn, target.timing.failback_s)
            copied = recovery.copy_of(target, own=True)
            longer_s = target.timing.restore_s
            steps.append(Step(TAKE, taken, within_s=longer_s, prepares=True))
            # What is ordered between the snapshot and the disaster is what can be lost.
            risk_s = _WRITES_AT_RISK * target.timing.write_interval_s
            steps.append(Step(COPY_FRESH, copied, risk_s, (TAKE,), longer_s, prepares=True))
        return tuple(steps)

    def recovery(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[Step, ...]:
        """Restore, make an instance, reset the login, and cut over where that is asked for."""
        capacity = recovery.Capacity(params.instance_class, params.min_acu, params.max_acu)
        copied = params.copy_newest and not params.fresh
        steps = recovery.steps(target, capacity, copied=copied)
        return (*steps, recovery.switch(target)) if params.cut_over else steps

    def probes(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[ProbeSpec, ...]:
        """Clients and orders of the running system, and the restored cluster, instance and database."""
        timing, standby, needed = target.timing, target.standby, recovery.needed(target)

        def restored(name: str, what: str, identifier: str) -> ProbeSpec:
            options: dict[str, Json] = {"what": what, "region": standby.name, "id": identifier}
            return ProbeSpec(name, "resource", timing.api_interval_s, timing.api_timeout_s, options)

        asked: dict[str, Json] = {
            "region": standby.name,
            "cluster_id": "{run}",
            "secret_arn": needed.secret_arn,
            "key_arn": needed.key_arn,
            "customers": ["{run}", _CUSTOMER] if params.cut_over else ["{run}"],
        }
        probes = [
            ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
            ProbeSpec(WRITER, "writer", timing.write_interval_s, timing.probe_timeout_s),
            restored(CLUSTER, "db-cluster", "{run}"),
            restored(INSTANCE, "db-instance", "{run}-1"),
            ProbeSpec(DATABASE, "postgres", timing.api_interval_s, timing.api_timeout_s, asked),
        ]
        if params.cut_over:
            options: dict[str, Json] = {"customer": _CUSTOMER, "by_way_of": standby.load_balancer}
            probes.append(
                ProbeSpec(
                    STANDBY_ORDERS, "writer", timing.write_interval_s * 2, timing.probe_timeout_s, options
                )
            )
        return tuple(probes)

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client and writer was served, by the primary."""
        return all(
            every_one(history, name, since_ns, window_s, served_by(target.primary.name))
            for name in (CLIENTS, WRITER)
        )

    def took_effect(self, target: Target, params: AuroraSnapshotRestoreParams, history: History) -> bool:
        """Look for the restored cluster itself, as AWS shows it: nothing else is the drill's doing."""
        injected = history.marks.injected
        return injected is not None and any(
            seen.goodness is not Goodness.UNKNOWN and seen.detail.get("status") != "absent"
            for seen in history.sent_since(CLUSTER, injected.latest_ns)
        )

    def ended(self, target: Target, params: AuroraSnapshotRestoreParams, history: History) -> bool:
        """Look for a database that answers, and that takes the standby's orders, for the settle window."""
        settle_s, injected = target.timing.settle_s, history.marks.injected
        begun_ns = injected.latest_ns if injected else 0
        if injected is None or not newest_held(history, DATABASE, settle_s, begun_ns, _good):
            return False
        if not params.cut_over:
            return True
        switched = next((one for one in history.marks.steps if one.step == recovery.SWITCH), None)
        if switched is None or not any(map(_grown, history.sent_since(DATABASE, begun_ns))):
            return False
        return newest_held(history, STANDBY_ORDERS, settle_s, switched.called.latest_ns, _written)

    def measures(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[MeasureSpec, ...]:
        """Return every phase, both recovery times and both recovery points, and what clients noticed."""
        primary, standby = target.primary.name, target.standby.name
        told: dict[str, Json] = {
            "writer": WRITER,
            "copy": recovery.COPY if params.copy_newest else None,
            "restore": recovery.RESTORE,
            "instance": recovery.MAKE,
            "login": recovery.RESET,
            "store": recovery.AURORA,
        }
        if params.cut_over:
            told |= {"switch": recovery.SWITCH, "orders": STANDBY_ORDERS, "customer": _CUSTOMER}
        ledger: dict[str, Json] = {
            "primary": primary,
            "standby": standby,
            "database": DATABASE,
            "declared": True,
        }
        return (
            MeasureSpec("restore_phases", DATABASE, told),
            MeasureSpec("ledger", WRITER, ledger),
            MeasureSpec("client_outage", CLIENTS),
        )

    def objectives(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[Objective, ...]:
        """Recovery time, and the recovery point by the snapshot's age."""
        wanted = target.objectives_for(self.name)
        return stated(
            ("rto", "recovery_time", wanted.rto_s, "s", ""),
            ("rpo", "recovery_point", wanted.rpo_s, "s", "snapshot"),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", "aurora/cutover"),
        )

    def ledger_stores(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[str, ...]:
        """Return the store that is restored."""
        return (recovery.AURORA,)

    def notes(self, target: Target, params: AuroraSnapshotRestoreParams) -> tuple[str, ...]:
        """Say what was not exercised, and from where it was looked."""
        return (_BESIDE, _REACH)


def _good(one: Observation) -> bool:
    return one.goodness is Goodness.GOOD


def _written(one: Observation) -> bool:
    """Say whether an order was acknowledged as being in the relational database."""
    stores = one.detail.get("stores")
    return _good(one) and isinstance(stores, Mapping) and stores.get(recovery.AURORA) == "written"


def _grown(one: Observation) -> bool:
    """Say whether the restored database shows an order that it got since it was restored."""
    since = one.detail.get("since")
    return isinstance(since, Mapping) and _CUSTOMER in since
