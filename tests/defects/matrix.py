"""The matrix: which failure is planted, what must find it, and which drill shows what it leads to."""

from collections.abc import Callable

from drill.exit_codes import BREACHED, INCONCLUSIVE, REFUSED
from drill.record import Record
from tests.defects import names, network, services, stores, watching
from tests.defects.bench import Defect, Drilled

_DARK = ("--blackout",)
_OUTAGE, _RESTORE = "region-outage", "aurora-snapshot-restore"
_NOT_AN_OUTAGE = "nothing fails on the day: who has the password has the database, whatever is drilled"
_MONEY = "money and no outage; `drill plan` says what a drill costs"
_FOR_PEOPLE = "a page for people: nothing fails without it"
_NO_LAG = "CloudWatch has no data of a lag while nothing replicates, so that a drill's pause alerts nobody"


def _unbounded(measurement: str) -> Callable[[Record], bool]:
    """Say whether something that was awaited never came: nothing bounds its time from above."""

    def never(record: Record) -> bool:
        found = [one for one in record.measured.measurements if one.name == measurement and not one.part]
        return all(one.high is None for one in found)

    return never


def _unsteady(record: Record) -> bool:
    """Say whether the system served nobody before anything was touched."""
    return record.took_effect is None and not record.actions


def _older_than_wanted(record: Record) -> bool:
    """Say whether more is lost than may be, by the age of the recovery point alone."""
    return any(
        one.objective.part == "snapshot" and one.measurement and one.measurement.low > one.objective.limit
        for one in record.judgements
    )


def _met_cold(record: Record) -> bool:
    return any(one.name == "cold_starts" and one.low >= 1 for one in record.measured.measurements)


def _outage(code: int, shows: Callable[[Record], bool], *flags: str) -> Drilled:
    return Drilled(_OUTAGE, code, flags, shows)


_NOT_SERVED = _outage(BREACHED, _unbounded("recovery_time"), *_DARK)
_NOT_WRITTEN = _outage(BREACHED, _unbounded("store_recovery"))
_THROTTLED = Drilled(
    "dynamodb-throttling", BREACHED, ("--let-autoscaling-work",), _unbounded("recovery_time")
)


def _untold(scenario: str) -> Drilled:
    return Drilled(scenario, BREACHED, shows=_unbounded("time_to_alert"))


DEFECTS = (
    Defect("DR01", "routes missing", network.routes_missing, follows="DX08", drill=_NOT_WRITTEN),
    Defect("DR01", "one route missing", network.one_route_missing, undrilled="the other zones' routes carry"),
    Defect(
        "DR02",
        "addresses overlap",
        network.cidrs_overlap,
        follows="DX08",
        drill=Drilled("peering-deletion", INCONCLUSIVE, shows=_unsteady),
    ),
    Defect(
        "DR03",
        "no copies",
        stores.no_copies,
        drill=Drilled(_RESTORE, BREACHED, shows=_older_than_wanted, awaits=stores.await_stale),
    ),
    Defect("DR03", "never copied", stores.never_copied, drill=Drilled(_RESTORE, REFUSED)),
    Defect("DR04", "login in one region", services.never_logged_in, drill=_NOT_WRITTEN),
    Defect("DR04", "login never changed", stores.not_rotated, undrilled=_NOT_AN_OUTAGE),
    Defect("DR04", "password shown", services.password_shown, undrilled=_NOT_AN_OUTAGE),
    Defect("DR05", "no children", names.no_children, drill=_NOT_SERVED),
    Defect("DR05", "always healthy", names.threshold_zero, drill=_NOT_SERVED),
    Defect(
        "DR05",
        "left disabled",
        names.left_inverted,
        undrilled="the standby counts as healthy, and in these drills it is",
    ),
    Defect(
        "DR06",
        "nothing warm",
        services.cold,
        drill=_outage(BREACHED, _met_cold, "--crowd", "4", "--cold-starts", "0"),
    ),
    Defect("DR07", "lag unwatched", watching.lag_unwatched, undrilled=_NO_LAG),
    Defect("DR07", "alarm tells nobody", watching.alarm_tells_nobody, undrilled=_NO_LAG),
    Defect(
        "DR08",
        "no budget",
        watching.no_budget,
        undrilled=_MONEY,
    ),
    Defect("DR08", "tag inactive", watching.tag_inactive, undrilled=_MONEY),
    Defect("DR09", "no subscriber", watching.unsubscribed, drill=_untold("dynamodb-throttling")),
    Defect("DR10", "placeholder", services.placeholder, drill=_outage(INCONCLUSIVE, _unsteady)),
    Defect(
        "DR10",
        "keeps nothing",
        services.pretender,
        drill=Drilled(_OUTAGE, BREACHED, ("--rpo-writes", "0"), finding="kept_nowhere"),
        asked={"active": True},
    ),
    Defect("DR11", "no dashboard", watching.no_dashboard, undrilled=_FOR_PEOPLE),
    Defect("DR11", "dashboard of one region", watching.dashboard_of_one_region, undrilled=_FOR_PEOPLE),
    Defect("DR14", "standby may not run", services.may_not_run, drill=_NOT_SERVED),
    Defect(
        "DR15", "reachability unwatched", watching.reachability_unwatched, drill=_untold("peering-deletion")
    ),
    Defect(
        "DR15",
        "nobody reconciles",
        watching.nobody_reconciles,
        undrilled="orders that follow take the pending ones along; those that none follow stay pending",
    ),
    Defect("DR16", "fixed capacity", stores.fixed_capacity, drill=_THROTTLED),
    Defect("DR16", "no policy", stores.no_policy, drill=_THROTTLED),
    Defect("DR16", "scaling suspended", stores.scaling_suspended, drill=_THROTTLED),
    Defect("DR16", "throttles unwatched", watching.throttles_unwatched, drill=_untold("dynamodb-throttling")),
    Defect("DR17", "standby out of reach", network.edge_closed, drill=_NOT_SERVED),
    Defect(
        "DR18",
        "never drilled",
        lambda _bench: lambda: None,
        asked={"drilled_within_days": 0},
        undrilled="a drill is what is missing",
    ),
    Defect("DX02", "long ttl", names.long_ttl, drill=_outage(BREACHED, _unbounded("recovery_time"))),
    Defect(
        "DX03",
        "alarm changed",
        watching.alarm_changed,
        undrilled="the check follows what the alarm was, and that still works",
    ),
    Defect(
        "DX06",
        "no parameter group",
        stores.other_groups,
        drill=Drilled(_RESTORE, BREACHED, shows=_unbounded("recovery_time")),
    ),
    Defect("DX07", "key disabled", stores.key_disabled, drill=Drilled(_RESTORE, REFUSED)),
    Defect("DX08", "database closed", network.database_closed, drill=_NOT_WRITTEN),
    Defect("DX11", "less memory", services.less_memory, undrilled="it is slower, and serves"),
    Defect(
        "DX12",
        "secret elsewhere",
        services.secret_elsewhere,
        undrilled="its database is in the region that is lost, too",
    ),
)
"""Every failure that can be planted; those of the seed first. Drills of other scenarios follow them."""

ROWS = tuple(f"DR{number:02}" for number in range(1, 19) if number not in {12, 13})
"""The rows of the seed that an audit can find: all but its tests and its documents."""
