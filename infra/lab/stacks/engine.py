"""The life of a stack: made, changed and deleted in a thread of its own, rolled back when it fails."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from botocore.config import Config
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import (
    ChangeSet,
    CloudFormationBackend,
    Stack,
    cloudformation_backends,
)
from moto.cloudformation.parsing import OutputMap, ResourceMap

from infra.lab.control_plane.mending import Function, replace
from infra.lab.stacks import template as templates
from infra.lab.stacks.change import StackChange, StackFailure, live_of
from infra.lab.stacks.native import native
from infra.lab.stacks.resource import TYPES, ResourceType

FINISHED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


class _Setting:
    """What the stacks need of the lab around them."""

    def __init__(self) -> None:
        self.endpoint_url = ""
        self.changed: Callable[[], None] = lambda: None
        self.clients: dict[tuple[str, str], Any] = {}
        self.lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        with self.lock:
            if (service, region) not in self.clients:
                self.clients[service, region] = boto3.client(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id="loopback",
                    aws_secret_access_key="loopback",  # noqa: S106 (no secret: the lab checks none)
                    config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
                )
            return self.clients[service, region]


_SETTING = _Setting()


def install(endpoint_url: str, changed: Callable[[], None]) -> None:
    """Mend moto's CloudFormation; see :func:`infra.lab.stacks.install`."""
    with _SETTING.lock:
        _SETTING.endpoint_url, _SETTING.changed = endpoint_url, changed
        _SETTING.clients.clear()
    replace(Stack, "parse_template", lambda _: staticmethod(_parse))
    replace(ChangeSet, "_parse_template", lambda _: _parse_change_set)
    replace(ResourceMap, "load", _load)
    replace(ResourceMap, "__getitem__", _resource)
    replace(OutputMap, "exports", _exports)
    replace(Stack, "outputs", _outputs)
    replace(Stack, "stack_resources", lambda _: property(_stack_resources))
    replace(Stack, "create_resources", lambda _: _create)
    replace(Stack, "update", lambda _: _update)
    replace(CloudFormationBackend, "delete_stack", lambda _: _delete)
    replace(CloudFormationBackend, "execute_change_set", lambda _: _execute)
    parsing.resource_class_from_type = _kind_for_moto


def kind_of(name: str) -> ResourceType:
    """Return a resource type: ours, else moto's own.

    Raises:
        ValidationError: There is none of that name, said as AWS says it.

    """
    if name in TYPES:
        return TYPES[name]
    model = parsing.CustomModel if name.startswith("Custom::") else parsing.get_model_map().get(name)
    if model is None:
        raise ValidationError(message=f"Template format error: Unrecognized resource types: [{name}]")
    return native(model, name)


def _kind_for_moto(name: str) -> Any:
    kind_of(name)
    return TYPES.get(name) or parsing.get_model_map().get(name, parsing.CustomModel)


def _parse(text: Any) -> dict[str, Any]:
    return templates.parse(text) if isinstance(text, str) else dict(text)


def _parse_change_set(change: ChangeSet) -> None:
    change.template_dict = _parse(change.template)


def _load(original: Function) -> Function:
    def load(resources: ResourceMap) -> None:
        for resource in resources._resource_json_map.values():
            kind_of(resource.get("Type", ""))
        templates.order(resources._template)
        original(resources)

    return load


def _resource(_original: Function) -> Function:
    """Never make a resource because somebody looked at it."""

    def find(resources: ResourceMap, name: str) -> Any:
        if name in resources._parsed_resources:
            return resources._parsed_resources[name]
        if name in resources._resource_json_map:
            return None
        raise KeyError(name)

    return find


def _exports(original: property) -> property:
    def exports(outputs: OutputMap) -> list[Any]:
        finished = getattr(outputs._resource_map, "finished", False)
        return list(original.__get__(outputs)) if finished else []

    return property(exports)


def _outputs(original: property) -> property:
    def outputs(stack: Stack) -> Any:
        return original.__get__(stack) if stack.status in FINISHED else None

    return property(outputs)


def _stack_resources(stack: Stack) -> Iterable[Any]:
    return [item.made for item in list(live_of(stack).values())]


def _require_rest(stack: Stack) -> None:
    if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(
            message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        )


def _begin(stack: Stack, status: str, work: Callable[[StackChange], None]) -> None:
    stack.status = status
    if not stack.events or stack.events[-1].resource_status != status:
        stack._add_stack_event(status, "User Initiated")
    change = StackChange(stack, _SETTING.client, kind_of)

    def run() -> None:
        try:
            work(change)
        finally:
            _SETTING.changed()

    threading.Thread(target=run, name=f"stack {stack.name}", daemon=True).start()


def _finish(stack: Stack, status: str, reason: str = "") -> None:
    if status in FINISHED:
        stack.resource_map.finished = True
        stack.output_map = stack._create_output_map()
        exports = cloudformation_backends[stack.account_id][stack.region_name].exports
        for export in stack.exports:
            exports[export.name] = export
    stack.stack_status_reason = reason or None
    stack._add_stack_event(status, reason or None)
    stack.status = status


def _create(stack: Stack) -> None:
    def work(change: StackChange) -> None:
        try:
            change.apply(stack.resource_map)
        except StackFailure as failure:
            _turn(stack, "ROLLBACK_IN_PROGRESS", str(failure))
            left = change.delete_all()
            _finish(stack, "ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", left or str(failure))
        else:
            _finish(stack, "CREATE_COMPLETE")

    _begin(stack, "CREATE_IN_PROGRESS", work)


def _turn(stack: Stack, status: str, reason: str) -> None:
    stack.status = status
    stack._add_stack_event(status, reason)


def _update(
    stack: Stack,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Change a stack; replaces moto's ``Stack.update``."""
    _require_rest(stack)
    same = (_parse(template), parameters or {}) == (stack.template_dict, stack.parameters)
    if same and tags in (None, stack.tags):
        raise ValidationError(message="No updates are to be performed.")
    before = (stack.template, stack.template_dict, stack.parameters, stack.tags, stack.resource_map)
    stack.template, stack.template_dict = template, _parse(template)
    stack.parameters = parameters or {}
    stack.tags = stack.tags if tags is None else tags
    stack.role_arn = role_arn
    try:
        resources = stack._create_resource_map()
    except Exception:
        stack.template, stack.template_dict, stack.parameters, stack.tags, _ = before
        raise
    stack.resource_map = resources

    def work(change: StackChange) -> None:
        try:
            change.apply(resources)
        except StackFailure as failure:
            _turn(stack, "UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            stack.template, stack.template_dict, stack.parameters, stack.tags, former = before
            stack.resource_map = former
            _roll_back_update(change, stack, str(failure))
        else:
            _finish(stack, "UPDATE_COMPLETE")

    _begin(stack, "UPDATE_IN_PROGRESS", work)


def _roll_back_update(change: StackChange, stack: Stack, reason: str) -> None:
    try:
        change.apply(stack.resource_map)
    except StackFailure as failure:
        _finish(stack, "UPDATE_ROLLBACK_FAILED", str(failure))
    else:
        _finish(stack, "UPDATE_ROLLBACK_COMPLETE", reason)


def _delete(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
    """Delete a stack; one that does not exist is no error, as on AWS."""
    found = [item for item in backend.stacks.values() if name_or_stack_id in {item.name, item.stack_id}]
    if not found:
        return
    stack = found[0]
    _require_rest(stack)
    exports = [export.name for export in stack.exports]

    def work(change: StackChange) -> None:
        left = change.delete_all()
        if left:
            _finish(stack, "DELETE_FAILED", left)
            return
        for name in exports:
            backend.exports.pop(name, None)
        _finish(stack, "DELETE_COMPLETE")
        backend.deleted_stacks[stack.stack_id] = stack
        backend.stacks.pop(stack.stack_id, None)

    _begin(stack, "DELETE_IN_PROGRESS", work)


def _execute(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Execute a change set, named by its ARN or by its name within a stack."""
    found = _change_set(backend, change_set_name, stack_name)
    stack = backend.stacks[found.stack_id]
    _require_rest(stack)
    if found.change_set_type != "CREATE":
        stack.update(found.template, found.role_arn, parameters=found.parameters, tags=found.tags)
    else:
        stack.template, stack.template_dict = found.template, _parse(found.template)
        stack.parameters, stack.tags = found.parameters, found.tags or {}
        stack.resource_map = stack._create_resource_map()
        stack.create_resources()
    found.execution_status = "EXECUTE_COMPLETE"


def _change_set(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    for item in backend.change_sets.values():
        of_stack = stack_name in {None, item.stack_name, item.stack_id}
        if name == item.change_set_id or (name == item.change_set_name and of_stack):
            return item
    raise ValidationError(message=f"ChangeSet [{name}] does not exist")
