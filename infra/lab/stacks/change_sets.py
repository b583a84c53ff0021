"""Change sets: what would change, worked out in its own time, shown, and executed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

import threading
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult

from infra.lab.control_plane.mending import replace
from infra.lab.stacks import capabilities, engine
from infra.lab.stacks import template as templates
from infra.lab.stacks.asked import find_stack, parameters_asked, tags_asked, template_asked
from infra.lab.stacks.difference import Change
from infra.lab.stacks.record import reason_of
from infra.lab.stacks.wanted import Wanted, changes_to

_UNCHANGED = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class _NotFound(CloudFormationError):
    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


class _WrongStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"

    def __init__(self, found: "ChangeSet") -> None:
        status = found.status if found.execution_status == "UNAVAILABLE" else found.execution_status
        super().__init__(f"ChangeSet [{found.id}] cannot be executed in its current status of [{status}]")


@dataclass(slots=True)
class ChangeSet:
    """A change set.

    Attributes:
        id: Its ARN.
        name: Its name within the stack.
        kind: ``CREATE`` or ``UPDATE``.
        stack: The stack that would change.
        wanted: What is wanted of it.
        description: As given.
        capabilities: As acknowledged.
        created_at: When it was asked for.
        status: Of working it out.
        execution_status: Whether it can be executed, or has been.
        reason: Why it failed.
        changes: What would change.

    """

    id: str
    name: str
    kind: str
    stack: Stack
    wanted: Wanted
    description: str | None
    capabilities: list[str]
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    status: str = "CREATE_PENDING"
    execution_status: str = "UNAVAILABLE"
    reason: str | None = None
    changes: list[Change] = field(default_factory=list)


def install() -> None:
    """Put the lab's change sets in the place of moto's."""
    replace(CloudFormationResponse, "create_change_set", lambda _: _create)
    replace(CloudFormationResponse, "describe_change_set", lambda _: _describe)
    replace(CloudFormationResponse, "list_change_sets", lambda _: _list)
    replace(CloudFormationResponse, "delete_change_set", lambda _: _delete)
    replace(CloudFormationResponse, "execute_change_set", lambda _: _execute)


def _create(response: CloudFormationResponse) -> ActionResult:
    backend, name = response.cloudformation_backend, response._get_param("ChangeSetName")
    kind = response._get_param("ChangeSetType", "UPDATE")
    stack = _stack_for(response, kind, name)
    asked = response._get_param("Parameters", [])
    wanted = Wanted(template_asked(response, stack), parameters_asked(asked, stack), tags_asked(response))
    acknowledged = response._get_param("Capabilities", [])
    wanted.scope(stack)
    capabilities.require(templates.parse(wanted.template), acknowledged)
    made = ChangeSet(
        id=generate_changeset_id(name, backend.region_name, backend.account_id),
        name=name,
        kind=kind,
        stack=stack,
        wanted=wanted,
        description=response._get_param("Description"),
        capabilities=acknowledged,
    )
    backend.change_sets[made.id] = made
    if stack.stack_id not in backend.stacks:
        backend.stacks[stack.stack_id] = stack
        stack._add_stack_event("REVIEW_IN_PROGRESS", resource_status_reason="User Initiated")
    threading.Thread(target=_work_out, args=(made,), name=f"change set {name}", daemon=True).start()
    return ActionResult({"Id": made.id, "StackId": stack.stack_id})


def _stack_for(response: CloudFormationResponse, kind: str, change_set: str) -> Stack:
    backend, name = response.cloudformation_backend, response._get_param("StackName")
    stack = find_stack(backend, name)
    if stack is not None and any(item.name == change_set for item in _of(backend, stack)):
        msg = f"ChangeSet [{change_set}] already exists"
        raise AlreadyExistsException(msg)
    if kind == "UPDATE":
        if stack is None:
            raise ValidationError(message=f"Stack [{name}] does not exist")
        engine.require_changeable(stack)
        return stack
    if stack is None:
        return _new_stack(backend, name)
    if stack.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(
            message=f"Stack [{name}] already exists and cannot be created again with the changeSet"
            f" [{change_set}]."
        )
    return stack


def _new_stack(backend: CloudFormationBackend, name: str) -> Stack:
    stack = Stack(
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template={},
        parameters={},
        account_id=backend.account_id,
        region_name=backend.region_name,
        cross_stack_resources=backend.exports,
    )
    stack.status = "REVIEW_IN_PROGRESS"
    return stack


def _work_out(made: ChangeSet) -> None:
    made.status = "CREATE_IN_PROGRESS"
    try:
        made.changes, differs = changes_to(made.stack, made.wanted)
    except Exception as problem:  # noqa: BLE001 (whatever is wrong with it, the change set says so)
        made.reason = problem.message if isinstance(problem, CloudFormationError) else reason_of(problem)
        differs = False
    if differs:
        made.execution_status, made.status = "AVAILABLE", "CREATE_COMPLETE"
    else:
        made.reason, made.status = made.reason or _UNCHANGED, "FAILED"


def _of(backend: CloudFormationBackend, stack: Stack) -> list[ChangeSet]:
    return [item for item in list(backend.change_sets.values()) if item.stack is stack]


def forget_all(backend: CloudFormationBackend, stack: Stack, *, but: ChangeSet | None = None) -> None:
    """Drop the change sets of a stack, which are worth nothing once it has changed or gone."""
    for item in _of(backend, stack):
        if item is not but:
            backend.change_sets.pop(item.id, None)


def _asked(response: CloudFormationResponse) -> ChangeSet:
    backend = response.cloudformation_backend
    name, stack_name = response._get_param("ChangeSetName"), response._get_param("StackName")
    for item in list(backend.change_sets.values()):
        of_stack = stack_name in {None, item.stack.name, item.stack.stack_id}
        if name == item.id or (name == item.name and of_stack):
            found: ChangeSet = item
            return found
    raise _NotFound(name)


def _describe(response: CloudFormationResponse) -> ActionResult:
    found = _asked(response)
    shown = [change.shown() for change in found.changes]
    if not response._get_bool_param("IncludePropertyValues", False):
        shown = [_without_values(change) for change in shown]
    return ActionResult(
        {
            **_summary(found),
            "Parameters": dict(found.wanted.parameters),
            "Tags": [{"Key": key, "Value": value} for key, value in found.wanted.tags.items()],
            "Capabilities": found.capabilities,
            "Changes": shown,
        }
    )


def _without_values(change: dict[str, Any]) -> dict[str, Any]:
    """Leave the values out, as DescribeChangeSet does unless it is asked for them."""
    bare = deepcopy(change)
    for detail in bare["Details"]:
        detail["Target"].pop("BeforeValue", None)
        detail["Target"].pop("AfterValue", None)
    return bare


def _summary(found: ChangeSet) -> dict[str, Any]:
    return {
        "ChangeSetId": found.id,
        "ChangeSetName": found.name,
        "StackId": found.stack.stack_id,
        "StackName": found.stack.name,
        "Description": found.description,
        "CreationTime": found.created_at,
        "Status": found.status,
        "StatusReason": found.reason,
        "ExecutionStatus": found.execution_status,
    }


def _list(response: CloudFormationResponse) -> ActionResult:
    name = response._get_param("StackName")
    stack = find_stack(response.cloudformation_backend, name)
    if stack is None:
        raise ValidationError(message=f"Stack [{name}] does not exist")
    return ActionResult(
        {"Summaries": [_summary(item) for item in _of(response.cloudformation_backend, stack)]}
    )


def _delete(response: CloudFormationResponse) -> EmptyResult:
    try:
        found = _asked(response)
    except _NotFound:
        return EmptyResult()
    if found.execution_status == "EXECUTE_IN_PROGRESS":
        raise _WrongStatus(found)
    response.cloudformation_backend.change_sets.pop(found.id, None)
    return EmptyResult()


def _execute(response: CloudFormationResponse) -> EmptyResult:
    found = _asked(response)
    stack, wanted = found.stack, found.wanted
    if found.execution_status != "AVAILABLE":
        raise _WrongStatus(found)
    if found.kind == "UPDATE":
        engine.require_changeable(stack)
    found.execution_status, stack.executing = "EXECUTE_IN_PROGRESS", found
    stack.change_set_id, stack.capabilities = found.id, found.capabilities
    forget_all(response.cloudformation_backend, stack, but=found)
    if found.kind == "UPDATE":
        engine.apply(stack, wanted)
    else:
        stack.template, stack.template_dict = wanted.template, templates.parse(wanted.template)
        stack.parameters, stack.tags = dict(wanted.parameters), dict(wanted.tags)
        stack.resource_map = stack._create_resource_map()
        engine.create(stack)
    return EmptyResult()
