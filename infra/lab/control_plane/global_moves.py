"""Another member of a global database takes the writes, or one leaves it; done when the databases have.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from moto.core.responses import ActionResult
from moto.rds.models import DBCluster, GlobalCluster
from moto.rds.responses import RDSResponse

from infra.lab.control_plane.database_state import ask, password, refuse, require_status, state_of
from infra.lab.control_plane.global_clusters import leave, member_with, named, writer_of
from infra.lab.control_plane.mending import add, replace
from infra.lab.control_plane.wiring import WIRING

SWITCHOVER, FAILOVER = "switchover", "failover"
_SHOWN = {SWITCHOVER: "switching-over", FAILOVER: "failing-over"}


def install() -> None:
    """Mend moto's members of global databases."""
    add(RDSResponse, "switchover_global_cluster", _switch_over)
    add(RDSResponse, "failover_global_cluster", _fail_over)
    replace(RDSResponse, "remove_from_global_cluster", lambda _: _remove)


def _switch_over(handler: RDSResponse) -> ActionResult:
    return _move(handler, SWITCHOVER)


def _fail_over(handler: RDSResponse) -> ActionResult:
    lossy, switch = bool(handler.params.get("AllowDataLoss")), bool(handler.params.get("Switchover"))
    if lossy and switch:
        text = "AllowDataLoss can't be specified together with Switchover."
        refuse("InvalidParameterCombination", text)
    return _move(handler, FAILOVER if lossy else SWITCHOVER)


def _move(handler: RDSResponse, kind: str) -> ActionResult:
    with WIRING.databases:
        group = named(handler)
        target = member_with(group, handler.params["TargetDbClusterIdentifier"])
        former = writer_of(group)
        if target is former or former is None:
            refuse("InvalidDBClusterStateFault", f"{target.arn} is the primary cluster already.")
        if group.status != "available":
            refuse("InvalidGlobalClusterStateFault", f"Global cluster {group.arn} is {group.status}.")
        require_status(target, "available")
        if kind == SWITCHOVER:
            require_status(former, "available")
        before = {member.arn: member._status for member in (target, former)}
        _show(group, (target, former), _SHOWN[kind])
        group.failover_state = {
            "Status": _SHOWN[kind],
            "FromDbClusterArn": former.arn,
            "ToDbClusterArn": target.arn,
            "IsDataLossAllowed": kind == FAILOVER,
        }

        def promoted() -> None:
            _swap(group, target, former)
            target._status = "available"

        def done(problem: str) -> None:
            for member in (target, former):
                member._status = before[member.arn] if problem else "available"
            group.status, group.failover_state = "available", None

        ask(kind, target, done, promoted, former)
        return ActionResult({"GlobalCluster": group})


def _show(group: GlobalCluster, members: tuple[DBCluster, ...], status: str) -> None:
    group.status = status
    for member in members:
        member._status = status


def _swap(group: GlobalCluster, target: DBCluster, former: DBCluster) -> None:
    target._master_user_password = password(former)
    for member in group.members:
        member.is_writer = member is target
        state_of(member).primary = "" if member is target else target.db_cluster_resource_id


def _remove(handler: RDSResponse) -> ActionResult:
    with WIRING.databases:
        group = named(handler)
        member = member_with(group, handler.params["DbClusterIdentifier"])
        if member.is_writer and len(group.members) > 1:
            text = "is the primary cluster; its secondary clusters must be removed first."
            refuse("InvalidGlobalClusterStateFault", f"{member.arn} {text}")
        if member.is_writer:
            leave(group, member)
            return ActionResult({"GlobalCluster": group})
        require_status(member, "available", "stopped")
        member._master_user_password = password(member)
        member._status = "promoting"

        def done(_problem: str) -> None:
            member._status = "available"

        ask("detach", member, done, lambda: leave(group, member))
        return ActionResult({"GlobalCluster": group})
