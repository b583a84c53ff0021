"""Aurora failover: another instance becomes the database's writer, or another region's cluster does.

By default within the cluster, from its writer to a reader, as Aurora does when the writer fails.
Where the target's database replicates globally, by a switchover of the global database to the standby
region, or with ``--allow-data-loss`` by a failover, as when the region is lost.
"""

from pydantic import Field

from drill.faults.cluster_failover import ClusterFailover
from drill.faults.contract import Fault
from drill.faults.global_database_move import GlobalDatabaseMove
from drill.model import Goodness, GuardSpec, History, MeasureSpec, Objective, ProbeSpec
from drill.predicates import Holds, accepted, every_one, served_by
from drill.scenario import Params, Scenario, Step, stated
from drill.target import Region, Target

CLIENTS = "clients"
WRITER = "writer"
PRIMARY = "primary-cluster"
STANDBY = "standby-cluster"
STORE = "aurora"

_WITHIN = (
    "The failover was asked for: how long Aurora takes to notice that a writer is gone was not exercised. "
    "The instances of a cluster share their storage, so that nothing written can be lost."
)
_SWITCHED = (
    "The global database was switched over, which waits until both clusters hold the same: that needs both "
    "regions, and is no measure of what is lost with one. See that with: --allow-data-loss"
)
_FAILED_OVER = (
    "The global database was failed over with data loss allowed while the primary region was well; what is "
    "lost is what had not arrived just then. Aurora copies the former primary anew before it can be switched "
    "back to, which takes as long as the data are large."
)
_PENDING = (
    "Orders are written to the primary's cluster by its own endpoint, in whose region nothing takes writes "
    "now: they are accepted as pending until the way back."
)


class FailoverParams(Params):
    """What can be chosen.

    Attributes:
        allow_data_loss: Fail a global database over with what has arrived, instead of switching over.

    """

    allow_data_loss: bool = Field(
        default=False,
        description="Of a global database: fail over as in an outage, instead of switching over.",
    )


class AuroraFailover(Scenario[FailoverParams]):
    """The writer of the database changes."""

    name = "aurora-failover"
    title = "The database fails over"
    hypothesis = (
        "Another instance takes the writes; orders are accepted all the while, as pending where the database "
        "is away; none that it had acknowledged is lost."
    )
    covers = (
        "DR10: the application reaches its database again by itself",
        "DR18: the database's failover is tried on purpose",
    )
    parameters = FailoverParams
    awaited = "the change of the writer"

    def guards(self, target: Target, params: FailoverParams) -> tuple[GuardSpec, ...]:
        """There must be something to fail over to."""
        return (
            GuardSpec("database-can-fail-over", {"global": _is_global(target) or params.allow_data_loss}),
        )

    def steps(self, target: Target, params: FailoverParams) -> tuple[Step, ...]:
        """One failover, within the cluster or of the global database."""
        wait_s = target.timing.effect_s
        primary, standby = _arn(target, target.primary), _arn(target, target.standby)
        fault: Fault
        if _is_global(target):
            name = target.database.global_cluster_id or ""
            fault = GlobalDatabaseMove(name, primary, standby, params.allow_data_loss, wait_s)
        else:
            fault = ClusterFailover(target.primary.name, primary, wait_s)
        return (Step("fail-over", fault),)

    def probes(self, target: Target, params: FailoverParams) -> tuple[ProbeSpec, ...]:
        """Clients, orders, and the clusters as AWS shows them."""
        timing = target.timing
        regions = {PRIMARY: target.primary}
        if _is_global(target):
            regions[STANDBY] = target.standby
        return (
            ProbeSpec(CLIENTS, "http", timing.probe_interval_s, timing.probe_timeout_s),
            ProbeSpec(WRITER, "writer", timing.write_interval_s, timing.probe_timeout_s),
            *(
                ProbeSpec(
                    name,
                    "resource",
                    timing.api_interval_s,
                    timing.api_timeout_s,
                    {"what": "db-cluster", "region": region.name, "id": region.cluster_id or "none"},
                )
                for name, region in regions.items()
            ),
        )

    def steady(self, target: Target, history: History, since_ns: int, window_s: float) -> bool:
        """Every client was served by the primary, and every order reached the database."""
        region = target.primary.name
        return every_one(history, CLIENTS, since_ns, window_s, served_by(region)) and every_one(
            history, WRITER, since_ns, window_s, _reached(region)
        )

    def took_effect(self, target: Target, params: FailoverParams, history: History) -> bool:
        """Look for the primary's cluster to be at work, or with another writer than before."""
        injected = history.marks.injected
        if injected is None:
            return False
        before = _writer_before(history)
        return any(
            seen.goodness is Goodness.BAD
            or (seen.goodness is Goodness.GOOD and before and seen.detail.get("writer") != before)
            for seen in history.sent_since(PRIMARY, injected.latest_ns)
        )

    def ended(self, target: Target, params: FailoverParams, history: History) -> bool:
        """Look for another writer, and for all orders to reach it for the settle window.

        Of a global database the other cluster must take writes; orders reach it by its own endpoint only.
        """
        injected, settle_s = history.marks.injected, target.timing.settle_s
        since_ns = history.last_due_ns(WRITER) - round(settle_s * 1e9)
        if injected is None or since_ns <= injected.latest_ns:
            return False
        if _is_global(target):
            return any(
                seen.goodness is Goodness.GOOD and bool(seen.detail.get("writer"))
                for seen in history.sent_since(STANDBY, injected.latest_ns)
            )
        return _has_changed(history, injected.latest_ns) and every_one(
            history, WRITER, since_ns, settle_s, _reached(target.primary.name)
        )

    def measures(self, target: Target, params: FailoverParams) -> tuple[MeasureSpec, ...]:
        """Return the change of the writer, what missed the database, what clients saw, what was lost."""
        sides: dict[str, str] = {"primary": target.primary.name, "standby": target.standby.name}
        changes = (
            MeasureSpec("writer_change", STANDBY, {"appears": True})
            if _is_global(target)
            else MeasureSpec("writer_change", PRIMARY)
        )
        return (
            changes,
            MeasureSpec("store_outage", WRITER, {"store": STORE}),
            MeasureSpec("client_outage", WRITER),
            MeasureSpec("ledger", WRITER, sides),
            MeasureSpec("failback", WRITER, {"served_by": target.primary.name}),
        )

    def objectives(self, target: Target, params: FailoverParams) -> tuple[Objective, ...]:
        """Recovery of the database; orders that it had and lost."""
        wanted = target.objectives_for(self.name)
        recovery = "writer_change" if _is_global(target) else "store_recovery"
        return stated(
            ("rto", recovery, wanted.rto_s, "s", ""),
            ("rpo_writes", "recovery_point_writes", wanted.rpo_writes, "writes", f"{STORE}/resumed"),
        )

    def ledger_stores(self, target: Target, params: FailoverParams) -> tuple[str, ...]:
        """Return both stores that an order is written to."""
        return ("dynamodb", STORE)

    def notes(self, target: Target, params: FailoverParams) -> tuple[str, ...]:
        """Say what the method does not exercise."""
        if not _is_global(target):
            return (_WITHIN,)
        return (_FAILED_OVER if params.allow_data_loss else _SWITCHED, _PENDING)


def _is_global(target: Target) -> bool:
    """Say whether it is the global database that fails over."""
    return target.database.replication == "global"


def _arn(target: Target, region: Region) -> str:
    return f"arn:aws:rds:{region.name}:{target.account}:cluster:{region.cluster_id or 'none'}"


def _writer_before(history: History) -> object:
    """Return the writer that the newest look before the injection showed."""
    injected = history.marks.injected
    looks = [
        seen
        for seen in history.observations.get(PRIMARY, ())
        if injected and seen.done_ns is not None and seen.done_ns < injected.earliest_ns
    ]
    newest = max(looks, key=lambda seen: seen.number, default=None)
    return None if newest is None else newest.detail.get("writer")


def _has_changed(history: History, since_ns: int) -> bool:
    before = _writer_before(history)
    return any(
        seen.detail.get("writer") not in (None, before)
        for seen in history.sent_since(PRIMARY, since_ns, Goodness.GOOD)
    )


def _reached(region: str) -> Holds:
    """Return what holds for an order that a region served and that is in the database."""
    served = served_by(region)
    return lambda one: served(one) and accepted(one, STORE) == "written"
