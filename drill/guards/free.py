"""Nobody else drills this target now. Reads its lease, and takes nothing."""

from drill import clock, lease_file, lease_table
from drill.aws import Aws
from drill.guards.contract import Asked
from drill.lease_table import Item

# The holder renews its lease several times in its length.
_LOOKS = 8


def free(asked: Asked, aws: Aws) -> str:
    """Refuse while another drill holds the target, on this machine or on another.

    A drill that begins has taken the lease itself, or was refused it: then that is what counts.
    """
    if asked.lease is not None:
        return asked.lease
    target = asked.plan.target
    if lease_file.held(asked.runs, target.name):
        return f"another drill is running on {target.name}; see it with: drill runs"
    if not target.drills.lease_table:
        return ""
    item = lease_table.left(aws, target)
    if item is None:
        return ""
    if item.holder and _shows_life(item, asked, aws):
        return f"another drill is running on {target.name}: {item.run_id} by {item.holder}; wait for its end"
    if item.steps:
        return (
            f"run {item.run_id} left {', '.join(sorted(item.steps))} broken; put it back first: "
            f"drill recover {item.run_id}, on a machine that has its folder"
        )
    return ""


def _shows_life(seen: Item, asked: Asked, aws: Aws) -> bool:
    """Look for as long as a holder may be silent."""
    until_ns = clock.monotonic_ns() + round(seen.lease_s * 1e9)
    while clock.monotonic_ns() < until_ns:
        clock.sleep(seen.lease_s / _LOOKS)
        now = lease_table.left(aws, asked.plan.target)
        if now is None or not now.holder:
            return False
        if (now.fence, now.beat) != (seen.fence, seen.beat):
            return True
    return False
