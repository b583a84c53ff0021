"""Whoever owns a resource has agreed to drills, by a tag on it."""

from drill.aws import Aws
from drill.guards import tags
from drill.guards.contract import Asked


def opted_in(asked: Asked, aws: Aws) -> str:
    """Refuse if any resource that would be changed does not carry the target's opt-in tag."""
    tag = asked.plan.target.opt_in
    touched = dict.fromkeys(resource for step in asked.plan.every_step for resource in step.touches)
    without = [one for one in touched if tags.of(one, aws).get(tag.key) != tag.value]
    if not without:
        return ""
    listed = ", ".join(f"{one.kind} {one.id} in {one.region}" for one in without)
    does = "does" if len(without) == 1 else "do"
    return f"{listed} {does} not carry the tag {tag.key}={tag.value}; whoever owns it must set that first"
