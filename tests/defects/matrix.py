"""The matrix: which failure is planted, what must find it, and which drill shows what it leads to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from drill.exit_codes import BREACHED, INCONCLUSIVE, MET
from drill.record import Record
from tests.defects import names, network, services, stores, watching
from tests.defects.bench import Defect, Drilled

_DARK = ("--blackout",)


def _unserved(record: Record) -> bool:
    """Say whether clients were never served again: nothing bounds the recovery time from above."""
    return any(one.measurement is None or one.measurement.high is None for one in record.judgements)


def _unsteady(record: Record) -> bool:
    """Say whether the system served nobody before anything was touched."""
    return record.took_effect is None and not record.actions


def _aurora_lacks(record: Record) -> bool:
    """Say whether the relational database took less than the table did."""
    counts = {one.store: one.acknowledged for one in record.measured.ledgers if one.occasion == "cutover"}
    return counts.get("aurora", 0) < counts.get("dynamodb", 0)


def _untold(record: Record) -> bool:
    """Say whether nobody was told by the end."""
    return any(one.name == "time_to_alert" and one.high is None for one in record.measured.measurements)


def _outage(code: int, shows: Callable[[Any], bool], *flags: str) -> Drilled:
    return Drilled("region-outage", code, flags, shows)


DEFECTS = (
    Defect(
        "DR01", "routes missing", network.routes_missing, follows="DX08", drill=_outage(MET, _aurora_lacks)
    ),
    Defect("DR01", "one route missing", network.one_route_missing),
    Defect(
        "DR02",
        "addresses overlap",
        network.cidrs_overlap,
        follows="DX08",
        drill=Drilled("peering-deletion", INCONCLUSIVE, shows=_unsteady),
    ),
    Defect("DR03", "no copies", stores.no_copies),
    Defect("DR04", "login in one region", stores.no_replica, drill=_outage(MET, _aurora_lacks)),
    Defect("DR04", "login never changed", stores.not_rotated),
    Defect("DR04", "password shown", services.password_shown),
    Defect("DR05", "no children", names.no_children, drill=_outage(BREACHED, _unserved, *_DARK)),
    Defect("DR05", "always healthy", names.threshold_zero),
    Defect("DR05", "left disabled", names.left_inverted),
    # No drill: Route 53's checkers keep one instance warm, and a drill's load asks for no more.
    Defect("DR06", "nothing warm", services.cold),
    Defect("DR07", "lag unwatched", watching.lag_unwatched),
    Defect("DR07", "alarm tells nobody", watching.alarm_tells_nobody),
    Defect("DR08", "no budget", watching.no_budget),
    Defect(
        "DR09",
        "no subscriber",
        watching.unsubscribed,
        drill=Drilled("dynamodb-throttling", BREACHED, shows=_untold),
    ),
    Defect(
        "DR10",
        "placeholder",
        services.placeholder,
        drill=_outage(INCONCLUSIVE, _unsteady),
        asked={"active": True},
    ),
    Defect("DR11", "no dashboard", watching.no_dashboard),
    Defect("DR11", "dashboard of one region", watching.dashboard_of_one_region),
    Defect("DR14", "standby may not run", services.may_not_run, drill=_outage(BREACHED, _unserved, *_DARK)),
    Defect(
        "DR15",
        "reachability unwatched",
        watching.reachability_unwatched,
        drill=Drilled("peering-deletion", BREACHED, shows=_untold),
    ),
    Defect("DR16", "fixed capacity", stores.fixed_capacity),
    # No drill: auto scaling lifts a capacity below its minimum at once, with or without a policy, and a
    # table that nothing may scale is refused by the drill's guard.
    Defect("DR16", "no policy", stores.no_policy),
    Defect("DR16", "scaling suspended", stores.scaling_suspended),
    Defect("DR17", "standby out of reach", network.edge_closed, drill=_outage(BREACHED, _unserved, *_DARK)),
    Defect("DR18", "never drilled", lambda _bench: lambda: None, asked={"drilled_within_days": 0}),
    Defect("DX02", "long ttl", names.long_ttl),
    Defect("DX03", "alarm changed", watching.alarm_changed),
    Defect("DX06", "no parameter group", stores.other_groups),
    Defect("DX07", "key disabled", stores.key_disabled),
    Defect("DX08", "database closed", network.database_closed),
    Defect("DX11", "less memory", services.less_memory),
    Defect("DX12", "secret elsewhere", services.secret_elsewhere),
)
"""Every failure that can be planted; those of the seed first. Drills of other scenarios follow them."""

ROWS = tuple(f"DR{number:02}" for number in range(1, 19) if number not in {12, 13})
"""The rows of the seed that an audit can find: all but its tests and its documents."""


@dataclass
class Cell:
    """What became of one planted failure.

    Attributes:
        defect: Which.
        found: The roots that the audit told.
        follows: What it told as their consequences.
        drilled: What the drill came to; empty where none was run.

    """

    defect: Defect
    found: str = ""
    follows: str = ""
    drilled: str = ""


def printed(cells: Iterable[Cell]) -> str:
    """Return the matrix as text."""
    head = f"{'row':<5} {'planted':<26} {'audit: root':<12} {'consequences':<22} drill"
    rows = [
        f"{one.defect.row:<5} {one.defect.name:<26} {one.found:<12} {one.follows:<22} {one.drilled or '-'}"
        for one in sorted(cells, key=lambda cell: str(cell.defect))
    ]
    found = {one.defect.row for one in cells if one.found == one.defect.row}
    tally = f"{len(found & set(ROWS))} of {len(ROWS)} rows of the seed found, each as the only root"
    return "\n".join((head, *rows, tally))
