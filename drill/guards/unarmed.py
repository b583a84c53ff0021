"""No dead-man's undo of an earlier drill is still to fire: it would take this drill's fault away."""

from drill import dead_man
from drill.aws import Aws
from drill.guards.contract import Asked


def unarmed(asked: Asked, aws: Aws) -> str:
    """Refuse while schedules of this target are there, whichever run made them.

    A journal or a lease with something left refuses for the same run; this is for one of which
    neither is here any more.
    """
    target = asked.plan.target
    left = dead_man.others(aws, target) if dead_man.possible(target) else ()
    if not left:
        return ""
    group = target.drills.schedule_group
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return (
        f"schedule {left[0]}{more} of an earlier drill would undo in the middle of this one; type "
        f"drill recover where its run is; or wait until it has fired, or delete it from group {group}"
    )
