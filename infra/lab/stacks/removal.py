"""Deletes resources of a stack, each after all that need it, many at a time."""

from collections.abc import Collection
from dataclasses import replace

from moto.cloudformation.models import Stack

from infra.lab.stacks.live import Leftover, live_of, policy
from infra.lab.stacks.order import in_order
from infra.lab.stacks.record import Record, forget, reason_of, tell, tell_event


def clear_away(stack: Stack, leftovers: Collection[Leftover]) -> None:
    """Delete what the stack no longer wants; what can't be deleted is forgotten all the same, as on AWS."""
    by_key = {f"{number} {item.name}": item for number, item in enumerate(leftovers)}
    after = {
        key: {other for other, holder in by_key.items() if item.name in holder.live.needs and other != key}
        for key, item in by_key.items()
    }

    def delete(key: str) -> None:
        item = by_key[key]
        try:
            _delete(stack, item)
        finally:
            if not item.replaced:
                forget(stack, item.name)

    in_order(after, delete, go_on=True)


def delete_all(stack: Stack, *, retain: Collection[str] = (), created_now: bool = False) -> str:
    """Delete everything that a stack has.

    Args:
        stack: The stack.
        retain: Names of resources to leave as they are.
        created_now: Whether this undoes the stack's own creation.

    Returns:
        What could not be deleted, as a stack's reason says it; empty if nothing.

    """
    live = live_of(stack)
    after = {name: {other for other, holder in live.items() if name in holder.needs} for name in live}

    def delete(name: str) -> None:
        keep = "Retain" if name in retain else policy(live[name], "DeletionPolicy", created_now=created_now)
        _delete(stack, Leftover(name, live[name], keep, replaced=False))
        del live[name]

    failed = ", ".join(sorted(in_order(after, delete, go_on=True)))
    return f"The following resource(s) failed to delete: [{failed}]. " if failed else ""


def _delete(stack: Stack, item: Leftover) -> None:
    say = tell_event if item.replaced else tell
    live = item.live

    def told(status: str, reason: str | None = None) -> None:
        say(stack, Record(item.name, live.kind.name, status, live.made.physical_resource_id, reason))

    if item.keep == "Retain":
        told("DELETE_SKIPPED")
        return
    told("DELETE_IN_PROGRESS")
    try:
        live.kind.remove(replace(live.request, keep=item.keep), live.made)
    except Exception as problem:
        told("DELETE_FAILED", reason_of(problem))
        raise
    told("DELETE_COMPLETE")
