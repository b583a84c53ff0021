"""The recovery procedure for a relational database whose region is lost, as steps of a scenario.

Restore the newest recovery point, make an instance, reset the login; then, where the standby is to serve
with it, fill in what the table has and the recovery point has not, and point the application at it.
"""

from dataclasses import dataclass

from drill.errors import UsageError
from drill.faults.cluster_restore import ClusterRestore
from drill.faults.database_refill import DatabaseRefill
from drill.faults.function_database import FunctionDatabase
from drill.faults.instance_creation import InstanceCreation
from drill.faults.login_reset import LoginReset
from drill.faults.snapshot_copy import SnapshotCopy
from drill.scenario import Step
from drill.target import Target

COPY, RESTORE, MAKE, RESET = "copy-snapshot", "restore-cluster", "create-instance", "reset-login"
SWITCH, REFILL, RETURN = "cut-over", "refill-database", "return-orders"
AURORA = "aurora"


@dataclass(frozen=True, slots=True)
class Capacity:
    """How big the restored database is.

    Attributes:
        instance_class: Of its writer.
        min_acu: The least capacity of a serverless writer.
        max_acu: The most.

    """

    instance_class: str = "db.serverless"
    min_acu: float = 0.5
    max_acu: float = 4.0


@dataclass(frozen=True, slots=True)
class Needed:
    """What a target file must name for a restore in the standby."""

    cluster_id: str
    key_arn: str
    secret_arn: str
    subnet_group: str
    security_group_id: str
    parameter_group: str


def needed(target: Target) -> Needed:
    """Return what a restore needs of a target.

    Raises:
        UsageError: The target file does not name it.

    """
    standby = target.standby
    wanted = {
        "primary.cluster_id": target.primary.cluster_id,
        "standby.key_arn": standby.key_arn,
        "standby.secret_arn": standby.secret_arn,
        "standby.database_subnet_group": standby.database_subnet_group,
        "standby.database_security_group_id": standby.database_security_group_id,
        "standby.database_parameter_group": standby.database_parameter_group,
    }
    missing = [key for key, value in wanted.items() if not value]
    if missing:
        msg = (
            f"the target file does not name {', '.join(missing)}, which a restore needs; "
            "see: drill target schema"
        )
        raise UsageError(msg)
    return Needed(*(str(value) for value in wanted.values()))


def steps(target: Target, capacity: Capacity, *, copied: bool = False) -> tuple[Step, ...]:
    """Return the steps up to a database that answers the application's login.

    Args:
        target: What is recovered.
        capacity: How big it is to be.
        copied: Whether copying a snapshot is the first of them.

    """
    timing, standby, what = target.timing, target.standby, needed(target)
    restore = ClusterRestore(
        region=standby.name,
        source_region=target.primary.name,
        cluster_id=what.cluster_id,
        key_arn=what.key_arn,
        subnet_group=what.subnet_group,
        security_group_id=what.security_group_id,
        parameter_group=what.parameter_group,
        min_acu=capacity.min_acu,
        max_acu=max(capacity.min_acu, capacity.max_acu),
        delete_s=timing.failback_s,
    )
    reset = LoginReset(
        region=standby.name,
        secret_arn=what.secret_arn,
        key_arn=what.key_arn,
        resolver=target.service.resolver,
        connect_s=timing.probe_timeout_s,
        wait_s=timing.effect_s,
        poll_s=timing.poll_s,
    )
    made = InstanceCreation(standby.name, capacity.instance_class, timing.failback_s)
    first = (Step(COPY, copy_of(target, own=False), within_s=timing.restore_s),) if copied else ()
    return (
        *first,
        Step(RESTORE, restore, needs=tuple(step.name for step in first), within_s=timing.restore_s),
        Step(MAKE, made, needs=(RESTORE,)),
        # The ledger is verified before anything else writes to the restored database; and the probe that
        # looks at it gets to see it as it was restored.
        Step(
            RESET,
            reset,
            then_wait_s=timing.api_interval_s,
            needs=(RESTORE, MAKE),
            verifies=(AURORA,),
        ),
    )


def copy_of(target: Target, *, own: bool) -> SnapshotCopy:
    """Return the copying of a snapshot to the standby: the run's own, or the newest."""
    what = needed(target)
    return SnapshotCopy(
        source_region=target.primary.name,
        region=target.standby.name,
        cluster_id=what.cluster_id,
        key_arn=what.key_arn,
        own=own,
        delete_s=target.timing.failback_s,
    )


def switch(target: Target) -> Step:
    """Return the step that points the standby's application at the restored database."""
    standby, timing = target.standby, target.timing
    fault = FunctionDatabase(
        region=standby.name,
        function_arn=_function(target),
        alias=standby.function_alias,
        key_arn=needed(target).key_arn,
        wait_s=timing.effect_s,
        poll_s=timing.poll_s,
    )
    return Step(SWITCH, fault, needs=(RESTORE,))


def refill(target: Target) -> Step:
    """Return the step that writes what the restored database lacks of the table."""
    fault = DatabaseRefill(target.standby.name, _function(target), target.standby.function_alias, "now")
    return Step(REFILL, fault, needs=(SWITCH,))


def returning(target: Target) -> Step:
    """Return the step whose undo gives the usual database what the restored one took.

    It has to be the first one, so that its undo comes last.
    """
    standby = target.standby
    fault = DatabaseRefill(
        standby.name,
        _function(target),
        standby.function_alias,
        "on-return",
        finish_s=target.timing.failback_s,
        poll_s=target.timing.poll_s,
    )
    return Step(RETURN, fault, prepares=True)


def _function(target: Target) -> str:
    standby = target.standby
    return f"arn:aws:lambda:{standby.name}:{target.account}:function:{standby.function_name}"
