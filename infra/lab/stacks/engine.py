"""The life of a stack: made, changed and deleted in a thread of its own, rolled back when it fails.

Its statuses are those of
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends

from infra.lab.control_plane.mending import replace
from infra.lab.stacks import reading
from infra.lab.stacks import template as templates
from infra.lab.stacks.change import StackChange, StackFailure
from infra.lab.stacks.live import live_of
from infra.lab.stacks.record import reason_of
from infra.lab.stacks.removal import clear_away, delete_all
from infra.lab.stacks.setting import SETTING
from infra.lab.stacks.wanted import Wanted, changes_to

# What can be changed; all others can only be deleted, or continued where they stopped.
_CHANGEABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_BEING_MADE = {"CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


def install(endpoint_url: str, changed: Callable[[], None]) -> None:
    """Mend moto's CloudFormation; see :func:`infra.lab.stacks.install`."""
    SETTING.begin(endpoint_url, changed)
    reading.install()
    replace(Stack, "create_resources", lambda _: create)
    replace(Stack, "update", lambda _: update)
    replace(CloudFormationBackend, "delete_stack", lambda _: delete)


def require_changeable(stack: Stack) -> None:
    """Refuse to change a stack that is at work, or that never came to be.

    Raises:
        ValidationError: As AWS says it.

    """
    if stack.status not in _CHANGEABLE:
        raise ValidationError(
            message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        )


def _begin(stack: Stack, status: str, work: Callable[[StackChange], None]) -> None:
    """Do the work in a thread; whatever goes wrong there, the stack does not stay at work for ever."""
    former: threading.Thread | None = stack.__dict__.get("worker")
    stack.status = status
    if not stack.events or stack.events[-1].resource_status != status:
        stack._add_stack_event(status, "User Initiated")
    change = StackChange(stack, SETTING.client, reading.kind_of)
    earlier: StackChange | None = stack.__dict__.get("change")
    stack.change = change

    def run() -> None:
        try:
            if former is not None:
                former.join()
            if earlier is not None:
                change.inherit(earlier)
            work(change)
        except Exception as problem:
            _finish(stack, status.replace("IN_PROGRESS", "FAILED"), reason_of(problem))
            raise
        finally:
            SETTING.changed()

    stack.worker = threading.Thread(target=run, name=f"stack {stack.name}", daemon=True)
    stack.worker.start()


def _turn(stack: Stack, status: str, reason: str | None = None) -> None:
    stack.status, stack.stack_status_reason = status, reason
    stack._add_stack_event(status, reason)


def _finish(stack: Stack, status: str, reason: str | None = None) -> None:
    stack.stack_status_reason = reason
    stack._add_stack_event(status, reason)
    executed = stack.__dict__.pop("executing", None)
    if executed is not None:
        succeeded = status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        executed.execution_status = "EXECUTE_COMPLETE" if succeeded else "EXECUTE_FAILED"
    stack.status = status


def _settle(stack: Stack) -> None:
    """Work out the outputs of a stack that has all its resources.

    Raises:
        StackFailure: An output can't be worked out, or another stack exports one of the same name.

    """
    exports = cloudformation_backends[stack.account_id][stack.region_name].exports
    try:
        outputs, exported = reading.outputs_of(stack.resource_map)
    except Exception as problem:
        msg = f"The outputs can't be worked out: {reason_of(problem)}. "
        raise StackFailure(msg) from problem
    for name in exported:
        if name in exports and exports[name].exporting_stack_id != stack.stack_id:
            msg = f"Export with name {name} is already exported by another stack. "
            raise StackFailure(msg)
    for name in stack.__dict__.get("exported", {}).keys() - exported.keys():
        exports.pop(name, None)
    stack.settled_outputs, stack.exported = outputs, exported
    exports.update({export.name: export for export in stack.exports})


def create(stack: Stack) -> None:
    """Make a new stack; replaces moto's ``Stack.create_resources``."""
    stack.description = stack.template_dict.get("Description")

    def work(change: StackChange) -> None:
        try:
            change.make(stack.resource_map)
            _settle(stack)
        except StackFailure as failure:
            if stack.status.startswith("DELETE"):
                return
            reason = f"{failure}Rollback requested by user."
            _turn(stack, "ROLLBACK_IN_PROGRESS", reason)
            left = delete_all(stack, created_now=True)
            _finish(stack, "ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", left or reason)
        else:
            _finish(stack, "CREATE_COMPLETE")

    _begin(stack, "CREATE_IN_PROGRESS", work)


class _Before:
    """What a stack was before a change, to be that again if the change fails."""

    def __init__(self, stack: Stack) -> None:
        self._kept = {
            name: getattr(stack, name)
            for name in ("template", "template_dict", "parameters", "tags", "description", "resource_map")
        }

    def again(self, stack: Stack) -> None:
        for name, value in self._kept.items():
            setattr(stack, name, value)


def update(
    stack: Stack,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Change a stack; replaces moto's ``Stack.update``.

    Raises:
        ValidationError: It is at work, the template is refused, or nothing would change.

    """
    require_changeable(stack)
    wanted = Wanted(template, parameters or {}, stack.tags if tags is None else tags)
    if not changes_to(stack, wanted)[1]:
        raise ValidationError(message="No updates are to be performed.")
    apply(stack, wanted)
    stack.role_arn = role_arn


def apply(stack: Stack, wanted: Wanted) -> None:
    """Begin to change a stack to what is wanted, and go back if that fails."""
    before = _Before(stack)
    stack.template, stack.template_dict = wanted.template, templates.parse(wanted.template)
    stack.parameters, stack.tags = dict(wanted.parameters), dict(wanted.tags)
    stack.description = stack.template_dict.get("Description")
    try:
        stack.resource_map = stack._create_resource_map()
    except Exception:
        before.again(stack)
        raise
    stack.last_updated_time = _now()

    def work(change: StackChange) -> None:
        try:
            change.make(stack.resource_map)
            _settle(stack)
        except StackFailure as failure:
            _turn(stack, "UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            before.again(stack)
            change.take_back()
            _go_back(stack, change, str(failure))
        else:
            _clear(stack, change, "UPDATE_COMPLETE")

    _begin(stack, "UPDATE_IN_PROGRESS", work)


def _go_back(stack: Stack, change: StackChange, reason: str) -> None:
    try:
        change.make(stack.resource_map)
        _settle(stack)
    except StackFailure as failure:
        _finish(stack, "UPDATE_ROLLBACK_FAILED", str(failure))
    else:
        _clear(stack, change, "UPDATE_ROLLBACK_COMPLETE", reason)


def _clear(stack: Stack, change: StackChange, status: str, reason: str | None = None) -> None:
    """Delete what is no longer wanted; the stack is what it should be before that."""
    _turn(stack, f"{status}_CLEANUP_IN_PROGRESS", reason)
    clear_away(stack, change.take_leftovers())
    _finish(stack, status, reason)


def continue_rollback(stack: Stack) -> None:
    """Go on going back where that failed, as ContinueUpdateRollback does.

    Raises:
        ValidationError: The stack is in another status.

    """
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise ValidationError(
            message=f"Stack:{stack.stack_id} is in {stack.status} state and can not continue its rollback."
        )

    def work(change: StackChange) -> None:
        _go_back(stack, change, stack.stack_status_reason)

    _begin(stack, "UPDATE_ROLLBACK_IN_PROGRESS", work)


def delete(
    backend: CloudFormationBackend,
    name_or_stack_id: str,
    retain: tuple[str, ...] = (),
    *,
    force: bool = False,
) -> None:
    """Delete a stack; one that does not exist is no error, as on AWS.

    Args:
        backend: moto's CloudFormation of a region.
        name_or_stack_id: Which stack.
        retain: Names of resources to leave as they are; only where deleting failed before.
        force: Have the stack gone even if resources can't be deleted; only where deleting failed before.

    Raises:
        ValidationError: It is protected, is being changed, or did not fail to be deleted.

    """
    found = [item for item in backend.stacks.values() if name_or_stack_id in {item.name, item.stack_id}]
    if not found or found[0].status == "DELETE_IN_PROGRESS":
        return
    stack = found[0]
    _require_deletable(stack, asks_more=bool(retain) or force)
    exports = [export.name for export in stack.exports]
    if stack.status == "CREATE_IN_PROGRESS":
        stack.change.stop()

    def work(change: StackChange) -> None:
        clear_away(stack, change.take_leftovers())
        left = delete_all(stack, retain=retain)
        if left and not force:
            _finish(stack, "DELETE_FAILED", left)
            return
        live_of(stack).clear()
        for name in exports:
            backend.exports.pop(name, None)
        stack.deletion_time = _now()
        _finish(stack, "DELETE_COMPLETE")
        backend.deleted_stacks[stack.stack_id] = stack
        backend.stacks.pop(stack.stack_id, None)
        for item in [item for item in list(backend.change_sets.values()) if item.stack is stack]:
            backend.change_sets.pop(item.id, None)

    _begin(stack, "DELETE_IN_PROGRESS", work)


def _require_deletable(stack: Stack, *, asks_more: bool) -> None:
    if stack.enable_termination_protection:
        raise ValidationError(
            message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        )
    if stack.status.endswith("IN_PROGRESS") and stack.status not in _BEING_MADE:
        raise ValidationError(
            message=f"Stack [{stack.name}] cannot be deleted while in status {stack.status}"
        )
    if asks_more and stack.status != "DELETE_FAILED":
        raise ValidationError(
            message=f"Invalid operation on stack [{stack.stack_id}]. When you delete a stack, specify which"
            " resources to retain only when the stack is in the DELETE_FAILED state."
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
