"""Somebody wants this very system to be broken: its name is typed back, nothing is left from before."""

from drill import runs
from drill.aws import Aws
from drill.guards.contract import Asked


def confirmed(asked: Asked, _aws: Aws) -> str:
    """Refuse a system that is not disposable unless its name was typed back."""
    name = asked.plan.target.name
    if asked.plan.target.disposable or asked.confirmed == name:
        return ""
    return f"this breaks a system that is not disposable; type its name back: --confirm {name}"


def nothing_unfinished(asked: Asked, _aws: Aws) -> str:
    """Refuse while an earlier run has left something of this target broken.

    What a drill under way has not undone yet is no leftover: the lease tells of that.
    """
    left = runs.unfinished(asked.runs, asked.plan.target.name)
    if asked.lease != "":
        left = tuple(folder for folder in left if not runs.under_way(folder))
    if not left:
        return ""
    return f"run {left[0].name} left something broken; put it back first: {runs.rollback_command(left[0])}"
